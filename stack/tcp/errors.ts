/**
 * ICMP errors about our segments (RFC 9293 3.9.2.2, RFC 5461, RFC 5927).
 *
 * @module
 */
import type { Receiver } from "../handler.ts";
import type { Origin, WaitingPacket } from "../host/neighbours.ts";
import type { IcmpIn } from "../icmp/packet.ts";
import { Meaning, meaningOf, toldMtu } from "../icmp/meaning.ts";
import { Quote } from "../icmp/quote.ts";
import { Sent } from "../ip/sent.ts";
import { Protocol } from "../wire/protocol.ts";
import * as wire from "../wire/tcp.ts";
import { CloseReason, type Connection } from "./connection.ts";
import type { Tcp } from "./endpoint.ts";
import { onPathMtu } from "./path-mss.ts";
import { distance, inWindow } from "./sequence.ts";
import { ConnectionState } from "./state.ts";

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
    if (meaning === Meaning.TooBig) onTooBig(c, packet, quote.length);
    else onError(c, meaning);
  }
}

/** RFC 1191 6.4, RFC 8201 5.4: the path takes less than the `length` of a packet that we sent. */
function onTooBig(c: Connection, packet: IcmpIn, length: number): void {
  const { pathMtus } = packet.ip.ip;
  const { now } = c.tcp.clock;
  // It is no news where another connection to the peer has heard of it first.
  if (toldMtu(packet) >= length) return;
  pathMtus.learn(c.remote, toldMtu(packet), length, now);
  onPathMtu(c, pathMtus.get(c.remote, now));
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

/**
 * RFC 1122 2.3.2.2, RFC 4861 7.2.2: a segment's neighbour does not answer. That is what a router would call host
 * unreachable: a soft error (RFC 1122 4.2.3.9), but whoever has not connected yet need not go on.
 */
export class UndeliveredSegments implements Origin {
  readonly #tcp: Tcp;
  readonly #sent = new Sent();

  /** For the connections of an endpoint. */
  constructor(tcp: Tcp) {
    this.#tcp = tcp;
  }

  undelivered(packet: WaitingPacket): void {
    const { source, destination, payloadAt: at } = this.#sent.read(packet);
    const { bytes } = packet;
    const c = this.#tcp.connections.find(
      source,
      wire.sourcePort(bytes, at),
      destination,
      wire.destinationPort(bytes, at),
    );
    if (c === undefined) return;
    if (c.state === ConnectionState.SynSent) this.#tcp.end(c, CloseReason.Unreachable);
    else c.softError = true;
  }
}
