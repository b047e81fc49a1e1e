/**
 * Messages of NDP in their frames, and a host that speaks it.
 *
 * @module
 */
import { Ndp, type NdpOptions } from "../../stack/ndp/endpoint.ts";
import { Address } from "../../stack/wire/address.ts";
import { EtherType } from "../../stack/wire/ethernet.ts";
import { Type } from "../../stack/wire/icmpv6.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { OptionType } from "../../stack/wire/ndp-options.ts";
import { concat, ethernet, type EthernetFields, OWN_MAC, PEER_MAC, read } from "./frames.ts";
import { groupMac, icmpv6, ipv6, OWN6, OWN_LOCAL6, PEER6, PEER_LOCAL6 } from "./frames-v6.ts";
import { type Host, host, type HostOptions } from "./host.ts";

/** The router of the tests. */
export const ROUTER = "fe80::ff", ROUTER_MAC = "02:00:00:00:00:ff";

/** What a message is made of; what is left out is right. */
export interface MessageFields {
  readonly source?: string;
  readonly destination?: string;
  readonly hopLimit?: number;
  readonly code?: number;
  readonly checksumError?: number;
  readonly link?: EthernetFields;
}

/** An address as 16 bytes. */
export function bytes6(address: string): Uint8Array {
  const bytes = new Uint8Array(16);
  Address.parse(address).writeV6(bytes, 0);
  return bytes;
}

/** A word as 4 bytes. */
export const word = (value: number): Uint8Array =>
  Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);

/** A message of NDP in its frame. */
export function message(type: number, rest: number, body: Uint8Array, fields: MessageFields): Uint8Array {
  const source = fields.source ?? PEER6, destination = fields.destination ?? OWN6;
  const whole = icmpv6(
    body,
    { type, rest, code: fields.code ?? 0, checksumError: fields.checksumError ?? 0 },
    source,
    destination,
  );
  const isGroup = Address.parse(destination).isMulticast;
  return ethernet(ipv6(whole, { source, destination, hopLimit: fields.hopLimit ?? 255 }), {
    etherType: EtherType.Ipv6,
    destination: isGroup ? groupMac(destination) : OWN_MAC,
    ...fields.link,
  });
}

/** An option with an Ethernet address. */
export function linkOption(type: number, mac: string): Uint8Array {
  const bytes = new Uint8Array(8);
  bytes.set([type, 1]);
  Mac.parse(mac).write(bytes, 2);
  return bytes;
}

/** Fields of a solicitation or an advertisement. */
export interface NeighbourFields extends MessageFields {
  readonly target?: string;
  /** The link address; null: no option. */
  readonly mac?: string | null;
  /** Behind the other option. */
  readonly options?: Uint8Array;
}

/** The peer's solicitation for the host. */
export function solicitation(fields: NeighbourFields = {}): Uint8Array {
  const target = fields.target ?? OWN6;
  const option = fields.mac === null
    ? new Uint8Array(0)
    : linkOption(OptionType.SourceLinkAddress, fields.mac ?? PEER_MAC);
  return message(
    Type.NeighbourSolicitation,
    0,
    concat(bytes6(target), option, fields.options ?? new Uint8Array(0)),
    { destination: solicitedNode(target), ...fields },
  );
}

/** A solicitation that looks for duplicates. */
export const probe = (target: string, fields: NeighbourFields = {}): Uint8Array =>
  solicitation({ source: "::", target, mac: null, ...fields });

/** The peer's advertisement: by default in answer to us. */
export function advertisement(fields: NeighbourFields & { readonly flags?: string } = {}): Uint8Array {
  const flags = fields.flags ?? "SO";
  const bits = (flags.includes("R") ? 0x80 : 0) | (flags.includes("S") ? 0x40 : 0) |
    (flags.includes("O") ? 0x20 : 0);
  const option = fields.mac === null
    ? new Uint8Array(0)
    : linkOption(OptionType.TargetLinkAddress, fields.mac ?? PEER_MAC);
  return message(
    Type.NeighbourAdvertisement,
    bits << 24,
    concat(bytes6(fields.target ?? PEER6), option, fields.options ?? new Uint8Array(0)),
    fields,
  );
}

/** Fields of a prefix option. */
export interface PrefixFields {
  readonly prefix?: string;
  readonly length?: number;
  /** L and A. */
  readonly flags?: string;
  readonly valid?: number;
  readonly preferred?: number;
}

/** A prefix option. */
export function prefixOption(fields: PrefixFields = {}): Uint8Array {
  const flags = fields.flags ?? "LA";
  return concat(
    Uint8Array.of(
      OptionType.Prefix,
      4,
      fields.length ?? 64,
      (flags.includes("L") ? 0x80 : 0) | (flags.includes("A") ? 0x40 : 0),
    ),
    word(fields.valid ?? 86_400),
    word(fields.preferred ?? 14_400),
    word(0),
    bytes6(fields.prefix ?? "2001:db8:1::"),
  );
}

/** Fields of a router advertisement. */
export interface RouterFields extends MessageFields {
  readonly lifetime?: number;
  readonly hopLimitAdvice?: number;
  readonly flags?: number;
  readonly reachable?: number;
  readonly retrans?: number;
  readonly options?: readonly Uint8Array[];
  readonly mac?: string;
}

/** The router's advertisement to all. */
export function routerAdvertisement(fields: RouterFields = {}): Uint8Array {
  const rest = ((fields.hopLimitAdvice ?? 64) << 24) | ((fields.flags ?? 0) << 16) |
    (fields.lifetime ?? 1_800);
  const mac = fields.mac ?? ROUTER_MAC;
  return message(
    Type.RouterAdvertisement,
    rest,
    concat(
      word(fields.reachable ?? 0),
      word(fields.retrans ?? 0),
      linkOption(OptionType.SourceLinkAddress, mac),
      ...fields.options ?? [],
    ),
    { source: ROUTER, destination: "ff02::1", link: { source: mac }, ...fields },
  );
}

/** The router's redirect of a destination to a target. */
export function redirect(
  destination: string,
  target: string,
  fields: MessageFields & { readonly mac?: string } = {},
): Uint8Array {
  const option = fields.mac === undefined
    ? new Uint8Array(0)
    : linkOption(OptionType.TargetLinkAddress, fields.mac);
  return message(Type.Redirect, 0, concat(bytes6(target), bytes6(destination), option), {
    source: ROUTER,
    destination: OWN_LOCAL6,
    link: { source: ROUTER_MAC },
    ...fields,
  });
}

/** The group in which an address is solicited. */
export function solicitedNode(address: string): string {
  return Address.parse(address).solicitedNode(new Address()).toString();
}

/** A host with NDP, whose addresses are 2001:db8::1 and fe80::1 unless the options say otherwise. */
export function ndpHost(
  options: HostOptions & { readonly ndp?: Partial<NdpOptions> } = {},
): Host & { readonly ndp: Ndp } {
  const made = host({
    knowsPeer: false,
    ...options,
    ip: { addresses: [`${OWN_LOCAL6}/64`, `${OWN6}/64`], ...options.ip },
  });
  const ndp = new Ndp(made.ip, {
    mac: Mac.parse(OWN_MAC),
    secret: [1, 2, 3, 4],
    linkLocal: false,
    ...options.ndp,
  });
  made.ip.linkControl = ndp;
  return Object.assign(made, { ndp });
}

/** What a sent frame says, in short: "NS target > destination", "NA RSO target > destination", "RS source". */
export function say(frame: Uint8Array): string {
  const { ip6, icmp6, payload } = read(frame);
  if (ip6 === undefined || icmp6 === undefined) return "no ICMPv6";
  const target = payload.length >= 16 ? new Address().readV6(payload, 0) : "";
  if (icmp6.type === Type.NeighbourSolicitation) {
    return `NS ${target} from ${ip6.source} to ${ip6.destination}`;
  }
  if (icmp6.type === Type.RouterSolicitation) return `RS from ${ip6.source}`;
  if (icmp6.type !== Type.NeighbourAdvertisement) return `type ${icmp6.type}`;
  const flags = ["R", "S", "O"].filter((_, bit) => (icmp6.rest & (0x80000000 >>> bit)) !== 0).join("");
  return `NA ${flags} ${target} from ${ip6.source} to ${ip6.destination}`;
}

/** Lets time pass in steps, with what the host sends at each, as "seconds: what". */
export function run(made: Host, from: number, to: number): string[] {
  const said: string[] = [];
  let now = from;
  while (now <= to) {
    for (const frame of made.at(now).transmit()) said.push(`${Math.floor(now / 1e5) / 10}: ${say(frame)}`);
    if (!(made.deadline > now)) throw new Error(`the host spins at ${now}`);
    now = Math.max(now + 1, Math.min(made.deadline, to + 1));
  }
  made.at(to);
  return said;
}

export { OWN6, OWN_LOCAL6, PEER6, PEER_LOCAL6 };
