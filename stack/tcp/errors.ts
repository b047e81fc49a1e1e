/**
 * ICMP errors about our segments (RFC 9293 3.9.2.2, RFC 5461, RFC 5927).
 *
 * @module
 */
import type { Receiver } from "../handler.ts";
import type { IcmpIn } from "../icmp/packet.ts";
import { Meaning, meaningOf, toldMtu } from "../icmp/meaning.ts";
import { Quote } from "../icmp/quote.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as ipv6 from "../wire/ipv6.ts";
import { Protocol } from "../wire/protocol.ts";
import { TIMESTAMPS_LENGTH } from "../wire/tcp-options.ts";
import * as wire from "../wire/tcp.ts";
import { CloseReason, type Connection } from "./connection.ts";
import type { Tcp } from "./endpoint.ts";
import { DEFAULT_MSS_V4 } from "./options.ts";
import { distance, inWindow } from "./sequence.ts";
import { ConnectionState } from "./state.ts";

/** The headers of IP and TCP, without options. */
const HEADERS_V4 = ipv4.HEADER_LENGTH + wire.HEADER_LENGTH,
  HEADERS_V6 = ipv6.HEADER_LENGTH + wire.HEADER_LENGTH;
/**
 * No path is taken to be narrower, so that nobody makes us send crumbs (RFC 5927 7.2): with it every segment carries
 * what a peer that announces no MSS takes, less the timestamps.
 */
const LEAST_MTU_V4 = HEADERS_V4 + DEFAULT_MSS_V4 - 24;
/** RFC 8201 4: no path of IPv6 is narrower, whatever a message says. */
const LEAST_MTU_V6 = ipv6.MTU_MIN;
/** RFC 1191 7.1: what a router that does not tell its MTU may have, down to the least. */
const PLATEAUS = [32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006] as const;

/**
 * Tells connections of ICMP errors. Only an error about a segment that is in flight counts: whoever forges one would
 * have to guess its sequence number (RFC 5927 4.1).
 */
export class ErrorReceiver implements Receiver<IcmpIn> {
  readonly #tcp: Tcp;
  readonly #upper: Receiver<IcmpIn> | undefined;
  readonly #quote = new Quote();

  /** A receiver that hands what is no error about TCP to `upper`. */
  constructor(tcp: Tcp, upper: Receiver<IcmpIn> | undefined) {
    this.#tcp = tcp;
    this.#upper = upper;
  }

  receive(packet: IcmpIn): void {
    const { counters, connections } = this.#tcp;
    const quote = this.#quote;
    if (!quote.read(packet) || quote.protocol !== Protocol.Tcp) {
      if (this.#upper !== undefined) this.#upper.receive(packet);
      else counters.strayErrors++;
      return;
    }
    const { bytes } = packet.frame;
    const { source, destination, at } = quote;
    const c = connections.find(
      source,
      wire.sourcePort(bytes, at),
      destination,
      wire.destinationPort(bytes, at),
    );
    // RFC 5927 4.1: SND.UNA =< SEG.SEQ < SND.NXT.
    if (c === undefined || !inWindow(wire.sequence(bytes, at), c.sndUna, distance(c.sndUna, c.sndNxt))) {
      counters.strayErrors++;
      return;
    }
    counters.errors++;
    const meaning = meaningOf(packet);
    if (meaning === Meaning.TooBig) onTooBig(c, toldMtu(packet), quote.length);
    else onError(c, meaning);
  }
}

/** What an error about a segment in flight means. */
function onError(c: Connection, meaning: Meaning): void {
  if (meaning === Meaning.None) return;
  // RFC 1122 4.2.3.9: the peer will not be there however long we try.
  if (meaning !== Meaning.Soft && c.state === ConnectionState.SynSent) {
    c.tcp.end(c, meaning === Meaning.Refused ? CloseReason.Refused : CloseReason.Unreachable);
  } // RFC 5461 2.1, RFC 5927 5.2: a path may heal, and a forged error must not end what works.
  else c.softError = true;
}

/** RFC 1191 6.4: the path takes packets of `mtu` bytes, though we sent one of `length`. */
function onTooBig(c: Connection, mtu: number, length: number): void {
  let path = mtu;
  if (path === 0) {
    let index = 0;
    while (index < PLATEAUS.length && PLATEAUS[index]! >= length) index++;
    path = PLATEAUS[index] ?? 0;
  } // A packet that fits was not too big: this error is made up, or about another path (RFC 5927 7.2).
  else if (path >= length) return;
  const mss = c.local.isV4
    ? Math.max(LEAST_MTU_V4, path) - HEADERS_V4
    : Math.max(LEAST_MTU_V6, path) - HEADERS_V6;
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
