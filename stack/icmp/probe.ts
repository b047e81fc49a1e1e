/**
 * The probes of a {@linkcode Traceroute}: how each kind is written, and how an answer tells which one it is about.
 *
 * @module
 */
import type { IpIn, IpOut } from "../ip/packet.ts";
import * as icmpv4 from "../wire/icmpv4.ts";
import * as icmpv6 from "../wire/icmpv6.ts";
import { Protocol } from "../wire/protocol.ts";
import * as tcp from "../wire/tcp.ts";
import * as udp from "../wire/udp.ts";
import type { IcmpIn } from "./packet.ts";
import type { Quote } from "./quote.ts";

/** What a probe is: a datagram to a port that nobody should listen on, an echo request, or the SYN of a connection. */
export type ProbeKind = "udp" | "icmp" | "tcp";

/** The ports and numbers by which a client's probes are told from everything else. */
export interface ProbeNumbers {
  /** UDP and TCP: the own port; TCP: of the first probe. ICMP: the identifier. */
  readonly own: number;
  /** UDP: the port of the first probe; TCP: the port of all. */
  readonly port: number;
}

/** The length of a kind's header. */
export function headerLength(kind: ProbeKind): number {
  return kind === "tcp" ? tcp.HEADER_LENGTH : udp.HEADER_LENGTH;
}

/** The protocol that carries it. */
export function protocolOf(kind: ProbeKind, isV4: boolean): number {
  if (kind === "udp") return Protocol.Udp;
  if (kind === "tcp") return Protocol.Tcp;
  return isV4 ? Protocol.Icmp : Protocol.Icmpv6;
}

/** Writes probe number `index` into a packet whose IP header is written. */
export function writeProbe(out: IpOut, kind: ProbeKind, { own, port }: ProbeNumbers, index: number): void {
  const { frame, payloadAt: at, source, destination } = out;
  const { bytes, end } = frame;
  bytes.fill(0x40 + (index & 0x3f), at + headerLength(kind), end);
  if (kind === "udp") {
    udp.emit(bytes, at, own, (port + index) & 0xffff, end - at);
    udp.fillChecksum(bytes, at, source, destination);
  } else if (kind === "tcp") {
    // RFC 9293 3.10.7.2: a closed port answers with a reset, an open one with SYN-ACK; either is an answer.
    tcp.emit(bytes, at, own + index, port, index << 16, 0, tcp.HEADER_LENGTH, tcp.Flag.Syn, 1_024);
    tcp.fillChecksum(bytes, at, end, source, destination);
  } else if (out.isV4) {
    icmpv4.emitEcho(bytes, at, icmpv4.Type.EchoRequest, own, index);
    icmpv4.fillChecksum(bytes, at, end);
  } else {
    icmpv4.emitEcho(bytes, at, icmpv6.Type.EchoRequest, own, index);
    icmpv6.fillChecksum(bytes, at, end, source, destination);
  }
}

/** Which probe an error quotes; -1: none of ours. */
export function quotedProbe(
  quote: Quote,
  bytes: Uint8Array,
  kind: ProbeKind,
  numbers: ProbeNumbers,
): number {
  const { at, destination } = quote;
  if (quote.protocol !== protocolOf(kind, destination.isV4)) return -1;
  if (kind === "udp") {
    return udp.sourcePort(bytes, at) === numbers.own ? udp.destinationPort(bytes, at) - numbers.port : -1;
  }
  if (kind === "tcp") {
    return tcp.destinationPort(bytes, at) === numbers.port ? tcp.sourcePort(bytes, at) - numbers.own : -1;
  }
  const request = destination.isV4 ? icmpv4.Type.EchoRequest : icmpv6.Type.EchoRequest;
  const isOurs = icmpv4.type(bytes, at) === request && icmpv4.identifier(bytes, at) === numbers.own;
  return isOurs ? icmpv4.sequence(bytes, at) : -1;
}

/** Which probe an echo reply answers; -1: none of ours. */
export function repliedProbe(packet: IcmpIn, kind: ProbeKind, { own }: ProbeNumbers): number {
  if (kind !== "icmp" || !packet.isEchoReply || packet.rest >>> 16 !== own) return -1;
  return packet.rest & 0xffff;
}

/** Which probe a TCP segment answers, of whatever sort it is; -1: none of ours. */
export function answeredProbe(packet: IpIn, kind: ProbeKind, { own, port }: ProbeNumbers): number {
  const { frame, payloadAt: at } = packet;
  if (kind !== "tcp" || packet.protocol !== Protocol.Tcp) return -1;
  if (frame.end - at < tcp.HEADER_LENGTH || tcp.sourcePort(frame.bytes, at) !== port) return -1;
  const index = tcp.destinationPort(frame.bytes, at) - own;
  // A closed port acknowledges the SYN and the data behind it, an open one the SYN.
  return (tcp.acknowledgment(frame.bytes, at) - 1) >>> 16 === index ? index : -1;
}
