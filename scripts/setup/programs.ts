/**
 * The programs that the kernel tests use as peers of the stack, and where they come from.
 *
 * @module
 */

/** A program and the Debian package that has it. */
export interface Program {
  /** Its name, as tests ask for it. */
  readonly name: string;
  /** The Debian package. */
  readonly package: string;
}

/** Everything that a kernel test may ask for. */
export const PROGRAMS: readonly Program[] = [
  { name: "ip", package: "iproute2" },
  { name: "ping", package: "iputils-ping" },
  { name: "arping", package: "arping" },
  { name: "hping3", package: "hping3" },
  { name: "scapy", package: "python3-scapy" },
  { name: "tcpdump", package: "tcpdump" },
  { name: "tshark", package: "tshark" },
  { name: "capinfos", package: "wireshark-common" },
  { name: "editcap", package: "wireshark-common" },
  { name: "nmap", package: "nmap" },
  { name: "socat", package: "socat" },
  { name: "nc", package: "netcat-openbsd" },
  { name: "nft", package: "nftables" },
  { name: "ethtool", package: "ethtool" },
  { name: "curl", package: "curl" },
  { name: "iperf3", package: "iperf3" },
  { name: "wrk", package: "wrk" },
  { name: "dnsmasq", package: "dnsmasq-base" },
  { name: "dig", package: "bind9-dnsutils" },
  { name: "avahi-daemon", package: "avahi-daemon" },
  { name: "udhcpc", package: "udhcpc" },
  { name: "dhclient", package: "isc-dhcp-client" },
];

/** Where programs for the administrator are; an ordinary user's PATH often lacks these. */
const SYSTEM_DIRECTORIES = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** The path of an installed program; undefined when there is none on the PATH or where administrators have theirs. */
export function findProgram(name: string): string | undefined {
  const directories = [...(Deno.env.get("PATH") ?? "").split(":"), ...SYSTEM_DIRECTORIES];
  return directories.filter((directory) => directory.startsWith("/"))
    .map((directory) => `${directory}/${name}`).find(isExecutable);
}

/** Those of {@linkcode PROGRAMS} that are not installed. */
export function missingPrograms(): Program[] {
  return PROGRAMS.filter(({ name }) => findProgram(name) === undefined);
}

function isExecutable(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && (mode === null || (mode & 0o111) !== 0);
  } catch {
    return false;
  }
}
