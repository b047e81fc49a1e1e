/**
 * Scripts over both families: one that does not say which family it is about is run over IPv4 as it stands, and over
 * IPv6 with the addresses, names and lengths of that.
 *
 * @module
 */

/** What an IPv6 header is longer by; packets of so much more leave all lengths of transports as they are. */
const LONGER = 20;

const DEFAULT_MTU = 1_500;

/** What an address of IPv4 is called in IPv6: by what it is in packetdrill's network. */
const ADDRESSES: ReadonlyMap<string, string> = new Map([
  ["0.0.0.0", "::"],
  ["192.168.0.1", "fd3d:fa7b:d17d::1"],
  ["192.168.7.7", "fd3d:fa7b:d17d::7"],
  ["192.0.2.1", "2001:db8::1"],
  ["192.0.2.9", "2001:db8::9"],
]);

/** RFC 4443 3.1 has one code where ICMP has several. */
const CODES: ReadonlyMap<string, string> = new Map([["host_unreachable", "address_unreachable"]]);

/** The script over IPv6; undefined: it says itself which family it is about. */
export function overIpv6(source: string): string | undefined {
  if (/^--ip_version=/m.test(source)) return undefined;
  const mtu = /^--mtu=(\d+)$/m.exec(source)?.[1];
  const longer = `--ip_version=ipv6\n--mtu=${Number(mtu ?? DEFAULT_MTU) + LONGER}`;
  const [title = "", ...rest] = source.replace(/^--mtu=\d+\n/m, "").split("\n");
  const lines = rest.map((line) => line.startsWith("//") ? line : translated(line));
  return [title, longer, ...lines].join("\n");
}

function translated(line: string): string {
  return line
    .replaceAll(
      /\{sa_family=AF_INET, sin_port=(htons\(\d+\)), sin_addr=inet_addr\("([\d.]+)"\)\}, (\[?)16\b/g,
      (
        _,
        port: string,
        address: string,
        bracket: string,
      ) =>
        `{sa_family=AF_INET6, sin6_port=${port}, sin6_addr=inet6_addr("${
          addressOf(address)
        }")}, ${bracket}28`,
    )
    .replaceAll(/(?<=[<>] )(\d+\.\d+\.\d+\.\d+)(:\d+)?/g, (_, address: string, port: string | undefined) => {
      return port === undefined ? addressOf(address) : `[${addressOf(address)}]${port}`;
    })
    .replaceAll(/\b[a-z]+_unreachable\b/g, (code) => CODES.get(code) ?? code);
}

function addressOf(text: string): string {
  const address = ADDRESSES.get(text);
  if (address === undefined) throw new Error(`${text} has no counterpart in IPv6; say --ip_version=ipv4`);
  return address;
}
