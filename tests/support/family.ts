/**
 * Tests that run once over IPv4 and once over IPv6: the peers and frames that they make are of the family whose turn it
 * is.
 *
 * @module
 */
import { Address } from "../../stack/wire/address.ts";
import * as ethernetWire from "../../stack/wire/ethernet.ts";
import { EtherType } from "../../stack/wire/ethernet.ts";
import * as ipv4Wire from "../../stack/wire/ipv4.ts";
import * as ipv6Wire from "../../stack/wire/ipv6.ts";
import { ethernet, icmp, type IcmpFields, ipv4, OWN, PEER } from "./frames.ts";
import { icmpv6, ipv6, OWN6, PEER6 } from "./frames-v6.ts";
import { type Host, host, host6, type HostOptions } from "./host.ts";

let v6 = false;

/** A test that is run over both families. */
export function familyTest(name: string, body: () => void | Promise<void>): void {
  for (const isV6 of [false, true]) {
    Deno.test(`${name} [${isV6 ? "IPv6" : "IPv4"}]`, async () => {
      v6 = isV6;
      try {
        await body();
      } finally {
        v6 = false;
      }
    });
  }
}

/** Whether it is IPv6's turn. */
export function isV6(): boolean {
  return v6;
}

/** The address of the host under test. */
export function own(): string {
  return v6 ? OWN6 : OWN;
}

/** The address of its peer. */
export function peer(): string {
  return v6 ? PEER6 : PEER;
}

/** The length of an IP header. */
export function ipHeader(): number {
  return v6 ? ipv6Wire.HEADER_LENGTH : ipv4Wire.HEADER_LENGTH;
}

/** The largest segment that plain Ethernet takes (RFC 9293 3.7.1). */
export function linkMss(): number {
  return 1_480 - ipHeader();
}

/** A host of the family that knows its peer. */
export function familyHost(options: HostOptions): Host {
  if (!v6) return host(options);
  const made = host6(options);
  if (options.knowsPeer === false) made.ip.neighbours.remove(Address.parse(PEER6));
  return made;
}

/** Fields of a packet that both families have. */
export interface PacketFields {
  readonly protocol: number;
  readonly source?: string;
  readonly destination?: string;
  readonly trafficClass?: number;
  /** The length in bytes, header included, that the header claims. */
  readonly totalLength?: number;
}

/** A packet around a payload, by default from the peer to the host. */
export function packet(payload: Uint8Array, fields: PacketFields): Uint8Array {
  const { totalLength, ...rest } = fields;
  const claim = totalLength === undefined ? {} : v6 ? { payloadLength: totalLength - 40 } : { totalLength };
  return v6 ? ipv6(payload, { ...rest, ...claim }) : ipv4(payload, { ...rest, ...claim });
}

/** A packet in its frame. */
export function frameOf(packet: Uint8Array): Uint8Array {
  return ethernet(packet, v6 ? { etherType: EtherType.Ipv6 } : {});
}

/** An ICMP message in its frame; type and code are those of the family. */
export function message(payload: Uint8Array, fields: IcmpFields): Uint8Array {
  if (!v6) return frameOf(ipv4(icmp(payload, fields)));
  const rest = ((fields.identifier ?? 0) << 16) | (fields.sequence ?? 0);
  const { type, code } = fields;
  return frameOf(ipv6(icmpv6(payload, {
    ...(type === undefined ? {} : { type }),
    ...(code === undefined ? {} : { code }),
    rest,
  })));
}

/** What of a packet's header is wanted, if it is the family's and of this protocol. */
export interface PacketView {
  readonly payloadAt: number;
  readonly end: number;
  readonly source: Address;
  readonly destination: Address;
  readonly trafficClass: number;
}

/** Takes a packet out of its frame; undefined: it is of the other family, or another protocol. */
export function readPacket(frame: Uint8Array, protocol: number, start: number = 0): PacketView | undefined {
  const at = start + ethernetWire.HEADER_LENGTH;
  const etherType = ethernetWire.etherType(frame, start);
  const [source, destination] = [new Address(), new Address()];
  if (etherType === EtherType.Ipv4 && ipv4Wire.protocol(frame, at) === protocol) {
    return {
      payloadAt: at + ipv4Wire.headerLength(frame, at),
      end: at + ipv4Wire.totalLength(frame, at),
      source: source.readV4(frame, at + ipv4Wire.SOURCE),
      destination: destination.readV4(frame, at + ipv4Wire.DESTINATION),
      trafficClass: ipv4Wire.trafficClass(frame, at),
    };
  }
  if (etherType !== EtherType.Ipv6 || ipv6Wire.nextHeader(frame, at) !== protocol) return undefined;
  const payloadAt = at + ipv6Wire.HEADER_LENGTH;
  return {
    payloadAt,
    end: payloadAt + ipv6Wire.payloadLength(frame, at),
    source: source.readV6(frame, at + ipv6Wire.SOURCE),
    destination: destination.readV6(frame, at + ipv6Wire.DESTINATION),
    trafficClass: ipv6Wire.trafficClass(frame, at),
  };
}
