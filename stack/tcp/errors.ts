/**
 * ICMP errors about our segments (RFC 9293 3.9.2.2, RFC 5461, RFC 5927).
 *
 * @module
 */
import type { Receiver } from "../handler.ts";
import type { IcmpIn } from "../icmp/packet.ts";
import { Address } from "../wire/address.ts";
import * as icmpv4 from "../wire/icmpv4.ts";
import * as ipv4 from "../wire/ipv4.ts";
import { Protocol } from "../wire/protocol.ts";
import { TIMESTAMPS_LENGTH } from "../wire/tcp-options.ts";
import * as wire from "../wire/tcp.ts";
import { CloseReason, type Connection } from "./connection.ts";
import type { Tcp } from "./endpoint.ts";
import { DEFAULT_MSS_V4 } from "./options.ts";
import { distance, inWindow } from "./sequence.ts";
import { ConnectionState } from "./state.ts";

/** As much of a quoted segment as is needed: ports and sequence number (RFC 792 has errors quote 8 bytes). */
const QUOTED_LENGTH = 8;
/** The headers of IPv4 and TCP, without options. */
const HEADERS = ipv4.HEADER_LENGTH + wire.HEADER_LENGTH;
/**
 * No path is taken to be narrower, so that nobody makes us send crumbs (RFC 5927 7.2): with it every segment carries
 * what a peer that announces no MSS takes, less the timestamps.
 */
const LEAST_MTU = HEADERS + DEFAULT_MSS_V4 - 24;
/** RFC 1191 7.1: what a router that does not tell its MTU may have, down to the least. */
const PLATEAUS = [32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006] as const;

/**
 * Tells connections of ICMP errors. Only an error about a segment that is in flight counts: whoever forges one would
 * have to guess its sequence number (RFC 5927 4.1).
 */
export class ErrorReceiver implements Receiver<IcmpIn> {
  readonly #tcp: Tcp;
  readonly #upper: Receiver<IcmpIn> | undefined;
  readonly #own = new Address();
  readonly #peer = new Address();

  /** A receiver that hands what is no error about TCP to `upper`. */
  constructor(tcp: Tcp, upper: Receiver<IcmpIn> | undefined) {
    this.#tcp = tcp;
    this.#upper = upper;
  }

  receive(packet: IcmpIn): void {
    const { bytes, end } = packet.frame;
    const at = packet.payloadAt;
    const { counters } = this.#tcp;
    if (!icmpv4.isError(packet.type) || !quotesTcp(bytes, at, end)) {
      if (this.#upper !== undefined) this.#upper.receive(packet);
      else counters.strayErrors++;
      return;
    }
    const header = at + ipv4.headerLength(bytes, at);
    this.#own.readV4(bytes, at + ipv4.SOURCE);
    this.#peer.readV4(bytes, at + ipv4.DESTINATION);
    const [own, peer] = [this.#own, this.#peer];
    const [port, peerPort] = [wire.sourcePort(bytes, header), wire.destinationPort(bytes, header)];
    const c = own.equals(packet.ip.destination)
      ? this.#tcp.connections.find(own, port, peer, peerPort)
      : undefined;
    // RFC 5927 4.1: SND.UNA =< SEG.SEQ < SND.NXT.
    if (c === undefined || !inWindow(wire.sequence(bytes, header), c.sndUna, distance(c.sndUna, c.sndNxt))) {
      counters.strayErrors++;
      return;
    }
    counters.errors++;
    onError(c, packet.type, packet.code, packet.rest, ipv4.totalLength(bytes, at));
  }
}

/** What an error about a segment in flight means. `length` is that of the packet it is about. */
function onError(c: Connection, type: number, code: number, rest: number, length: number): void {
  const { Type, Unreachable } = icmpv4;
  if (type === Type.DestinationUnreachable) {
    if (code === Unreachable.FragmentationNeeded) onTooBig(c, rest & 0xffff, length);
    else if (c.state === ConnectionState.SynSent && isHard(code)) {
      const isRefusal = code === Unreachable.Port || code === Unreachable.Protocol;
      c.tcp.end(c, isRefusal ? CloseReason.Refused : CloseReason.Unreachable);
    } // RFC 5461 2.1, RFC 5927 5.2: a path may heal, and a forged error must not end what works.
    else c.softError = true;
  } // RFC 6633 1 and RFC 1122 3.2.2.2: a source quench says nothing, and a redirect nothing to TCP.
  else if (type === Type.TimeExceeded || type === Type.ParameterProblem) c.softError = true;
}

/** RFC 1122 4.2.3.9: the peer will not be there however long we try. */
function isHard(code: number): boolean {
  const { Unreachable } = icmpv4;
  switch (code) {
    case Unreachable.Protocol:
    case Unreachable.Port:
    case Unreachable.NetProhibited:
    case Unreachable.HostProhibited:
    case Unreachable.AdministrativelyProhibited:
      return true;
    default:
      return false;
  }
}

/** RFC 1191 6.4: the path takes packets of `mtu` bytes, though we sent one of `length`. */
function onTooBig(c: Connection, mtu: number, length: number): void {
  let path = mtu;
  if (path === 0) {
    let index = 0;
    while (index < PLATEAUS.length && PLATEAUS[index]! >= length) index++;
    path = PLATEAUS[index] ?? LEAST_MTU;
  } // A packet that fits was not too big: this error is made up, or about another path (RFC 5927 7.2).
  else if (path >= length) return;
  const mss = Math.max(LEAST_MTU, path) - HEADERS;
  if (mss >= c.sndMss) return;
  c.sndMss = mss;
  c.control.setMss(mss);
  // RFC 1191 6.5: what was too big is sent again at once, and is no sign of congestion.
  const { flight } = c;
  const room = mss - (c.hasTimestamps ? TIMESTAMPS_LENGTH : 0);
  for (let index = 0; index < flight.count; index++) {
    if (distance(flight.start(index), flight.endOf(index)) > room) flight.markLost(index);
  }
  c.tcp.wants(c);
}

/** Whether `bytes[at..end)` starts with the header of a TCP packet that is no later fragment, and 8 bytes behind it. */
function quotesTcp(bytes: Uint8Array, at: number, end: number): boolean {
  // The quotation may be cut off anywhere behind the sequence number, so only the header itself is checked.
  if (end - at < ipv4.HEADER_LENGTH || ipv4.version(bytes, at) !== 4) return false;
  const header = ipv4.headerLength(bytes, at);
  if (header < ipv4.HEADER_LENGTH || end - at < header + QUOTED_LENGTH) return false;
  return ipv4.protocol(bytes, at) === Protocol.Tcp && ipv4.fragmentOffset(bytes, at) === 0;
}
