/** Whom to ask for names: the servers that were named, else those of the machine that can be reached from here. */
import { Address, Addresses } from "../mod.ts";
import type { OwnAddress } from "./cli/parse.ts";

/** Where the machine's own resolver has its servers (resolv.conf(5)). */
const RESOLV_CONF = "/etc/resolv.conf";

/** What says whom to ask. */
export interface NameServerOptions {
  readonly dns?: readonly Address[] | undefined;
  readonly addr?: readonly OwnAddress[] | undefined;
  readonly gateway?: readonly Address[] | undefined;
}

/**
 * The DNS servers to ask. None: DHCP or routers will say whom, or nobody does. A machine's server on its own loopback
 * interface is out of reach for a stack beside the machine's.
 */
export function nameServers({ dns = [], addr = [], gateway = [] }: NameServerOptions): readonly Address[] {
  if (dns.length > 0 || addr.includes("dhcp") || addr.includes("slaac")) return dns;
  const own = new Addresses(addr.filter((one) => typeof one !== "string"));
  return machineServers().filter((server) => {
    const isThere = own.onLink(server) !== undefined || gateway.some(({ isV4 }) => isV4 === server.isV4);
    return isThere && !own.owns(server);
  });
}

function machineServers(): Address[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(RESOLV_CONF);
  } catch {
    return [];
  }
  return serversIn(text);
}

/** The servers that a resolv.conf names, as far as another host than this one can be one. */
export function serversIn(text: string): Address[] {
  return text.split("\n").flatMap((line) => {
    const [, name = ""] = /^nameserver\s+(\S+)/.exec(line) ?? [];
    const address = Address.tryParse(name);
    return address?.isUnicast === true && !address.isLoopback && !address.isLinkLocal ? [address] : [];
  });
}
