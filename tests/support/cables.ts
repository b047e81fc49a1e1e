/**
 * The kinds of NIC that an appliance can be on, each with the kernel on the other side, so that one test serves all.
 *
 * @module
 */
import { setInterfaceAddress, setInterfaceUp } from "../../nic/linux/netif.ts";
import { createTap, type TunMode } from "../../nic/linux/tun.ts";
import { findProgram } from "../../scripts/setup/programs.ts";
import { run, sysctl } from "./netns.ts";

/** The kernel's interface, its address on it with its prefix, and the appliance's. */
export const TAP = "tap0", KERNEL = "10.0.0.2", APPLIANCE = "10.0.0.1", PREFIX = "/24";

/** The same over IPv6. */
export const KERNEL6 = "2001:db8::2", OWN6 = "2001:db8::1", PREFIX6 = "/64";

/** The appliance's end of a veth pair. */
export const NEAR = "eth1";

/** A kind of NIC. */
export interface Cable {
  /** In the names of tests. */
  readonly name: string;
  /** Whether its frames are Ethernet's, so that there is ARP. */
  readonly hasEthernet: boolean;
  /** The appliance's interface. */
  readonly interface: string;
  /** Programs that are needed to make it. */
  readonly needs: readonly string[];
  /** Makes it: the kernel's end has its address and is up. Answers with what `--nic` is to be. */
  readonly make: () => Promise<string>;
}

/** A TAP. */
export const tap: Cable = {
  name: "tap",
  interface: TAP,
  hasEthernet: true,
  needs: [],
  make: () => Promise.resolve(attached("tap")),
};

/** A TAP without offloads: whatever passes is a single packet, and has a checksum. */
export const plainTap: Cable = {
  ...tap,
  name: "tap, offload=off",
  make: () => Promise.resolve(`${attached("tap")},offload=off,threaded=off`),
};

/** A TUN. */
export const tun: Cable = {
  name: "tun",
  interface: TAP,
  hasEthernet: false,
  needs: [],
  make: () => Promise.resolve(attached("tun")),
};

/** One end of a veth pair beside the host, with the kernel on the other end. */
export const raw: Cable = {
  name: "raw over veth",
  interface: NEAR,
  hasEthernet: true,
  needs: ["ip"],
  make: async () => {
    await pair();
    return `raw:${NEAR}`;
  },
};

/** The same through AF_XDP, with the program behind the driver or in it. */
export const [xdpSkb, xdpDrv]: readonly [Cable, Cable] = [xdp("skb"), xdp("drv")];

/** All kinds. */
export const CABLES: readonly Cable[] = [tap, plainTap, tun, raw, xdpSkb, xdpDrv];

/** Those that stand on an interface of the host's, beside it. */
export const SHARED: readonly Cable[] = [raw, xdpSkb, xdpDrv];

/** Those on which neighbours have to be looked for. */
export const ETHERNET: readonly Cable[] = CABLES.filter(({ hasEthernet }) => hasEthernet);

function xdp(mode: "skb" | "drv"): Cable {
  return {
    name: `xdp ${mode} over veth`,
    interface: NEAR,
    hasEthernet: true,
    needs: ["ip", "ethtool"],
    make: async () => {
      await pair();
      // AF_XDP takes no segments that were left in one; with a program in its driver a veth makes none by itself.
      const ethtool = findProgram("ethtool") ?? "ethtool";
      if (mode === "skb") await run(ethtool, "-K", TAP, "tso", "off", "gso", "off");
      return `xdp:${NEAR},mode=${mode}`;
    },
  };
}

/** Makes a veth pair: the kernel's end, and {@linkcode NEAR} with no address. */
export async function pair(): Promise<void> {
  silence();
  await run(findProgram("ip") ?? "ip", "link", "add", TAP, "type", "veth", "peer", "name", NEAR);
  setInterfaceUp(NEAR);
  setInterfaceAddress(TAP, `${KERNEL}${PREFIX}`);
  setInterfaceUp(TAP);
}

/** Keeps the kernel from sending anything into an interface without being asked. */
export function silence(): void {
  try {
    sysctl("net/ipv6/conf/all/disable_ipv6", "1");
    sysctl("net/ipv6/conf/default/disable_ipv6", "1");
  } catch (error) {
    // A kernel without IPv6 has nothing to be silenced.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Gives the kernel's end IPv6 with an address that can be used at once. */
export async function speakIpv6(): Promise<void> {
  sysctl(`net/ipv6/conf/${TAP}/accept_dad`, "0");
  sysctl(`net/ipv6/conf/${TAP}/disable_ipv6`, "0");
  await run(findProgram("ip") ?? "ip", "addr", "add", `${KERNEL6}${PREFIX6}`, "dev", TAP, "nodad");
}

function attached(mode: TunMode): string {
  silence();
  createTap(TAP, { mode });
  setInterfaceAddress(TAP, `${KERNEL}${PREFIX}`);
  setInterfaceUp(TAP);
  return `${mode}:${TAP}`;
}
