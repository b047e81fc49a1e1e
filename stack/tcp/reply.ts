/**
 * Answers that need no connection: built in the buffer of the segment that asked for them.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { Instant } from "../store/time.ts";
import type { Address } from "../wire/address.ts";
import * as wire from "../wire/tcp-options.ts";
import { Flag } from "../wire/tcp.ts";
import type { Tcp } from "./endpoint.ts";
import { openByCookie } from "./cookie-handshake.ts";
import { timestampOffset } from "./isn.ts";
import type { Listener } from "./listener.ts";
import type { SegmentOptions } from "./options.ts";
import type { TcpIn, TcpInit } from "./packet.ts";
import { add, before } from "./sequence.ts";
import type { FourTuple } from "./tuple.ts";
import { scaleFor } from "./window.ts";

/** The window of a SYN-ACK of which nothing is kept. */
const COOKIE_WINDOW = 0xffff;

class ReusedInit implements TcpInit {
  source!: Address;
  destination!: Address;
  sourcePort = 0;
  destinationPort = 0;
  sequence = 0;
  acknowledgment = 0;
  flags = 0;
  window = 0;
  optionsLength = 0;
  readonly length = 0;
}

class ReusedTuple implements FourTuple {
  local!: Address;
  localPort = 0;
  remote!: Address;
  remotePort = 0;
}

/** Answers for an endpoint. */
export class Replier {
  readonly #tcp: Tcp;
  readonly #init = new ReusedInit();
  readonly #tuple = new ReusedTuple();

  /** A replier of an endpoint. */
  constructor(tcp: Tcp) {
    this.#tcp = tcp;
  }

  /** RFC 9293 3.10.7.1: a reset, with the numbers that its receiver will believe. Never in answer to one. */
  reset(segment: TcpIn): void {
    const { flags } = segment;
    if ((flags & Flag.Rst) !== 0) return;
    const init = this.#turn(segment);
    if ((flags & Flag.Ack) !== 0) {
      init.sequence = segment.acknowledgment;
      init.acknowledgment = 0;
      init.flags = Flag.Rst;
    } else {
      const numbers = segment.length + ((flags & Flag.Syn) !== 0 ? 1 : 0) +
        ((flags & Flag.Fin) !== 0 ? 1 : 0);
      init.sequence = 0;
      init.acknowledgment = add(segment.sequence, numbers);
      init.flags = Flag.Rst | Flag.Ack;
    }
    const out = segment.reinit(init);
    if (typeof out !== "number" && out.send() === LayerError.None) this.#tcp.counters.resets++;
  }

  /** Acknowledges what a connection in TIME-WAIT is sent. */
  timeWaitAck(segment: TcpIn, entry: number, now: Instant): void {
    const { timeWaits } = this.#tcp;
    const init = this.#turn(segment);
    init.sequence = timeWaits.sndNxt(entry);
    init.acknowledgment = timeWaits.rcvNxt(entry);
    init.flags = Flag.Ack;
    const hasTimestamps = timeWaits.hasTimestamps(entry);
    init.optionsLength = hasTimestamps ? wire.TIMESTAMPS_LENGTH : 0;
    const out = segment.reinit(init);
    if (typeof out === "number") return;
    if (hasTimestamps) {
      const clock = (Math.floor(now / 1_000) + timeWaits.tsOffset(entry)) | 0;
      wire.putTimestamps(out.frame.bytes, out.optionsAt, clock, timeWaits.tsRecent(entry));
    }
    out.send();
  }

  /** Answers a SYN without keeping anything of it (RFC 4987 3.6). */
  cookie(segment: TcpIn, options: SegmentOptions, now: Instant): void {
    const tuple = this.#tupleOf(segment);
    const { synCookies, secret } = this.#tcp;
    const { tsValue } = options;
    const own = this.#tcp.options;
    const hasTimestamp = own.timestamps && options.hasTimestamp;
    const windowScale = own.windowScale ? options.windowScale : -1;
    const sackPermitted = own.sack && options.sackPermitted;
    const init = this.#turn(segment);
    init.sequence = synCookies.make(tuple, segment.sequence, options.mss, now);
    init.acknowledgment = add(segment.sequence, 1);
    init.flags = Flag.Syn | Flag.Ack;
    init.window = COOKIE_WINDOW;
    // Without timestamps there is no room in the answer to remember the other options by.
    const hasScale = hasTimestamp && windowScale >= 0;
    const hasSack = hasTimestamp && sackPermitted;
    const value = hasTimestamp
      ? synCookies.timestamp(now, timestampOffset(tuple, secret), windowScale, sackPermitted, false)
      : 0;
    init.optionsLength = wire.MSS_LENGTH + (hasScale ? wire.WINDOW_SCALE_LENGTH : 0) +
      (hasTimestamp ? wire.TIMESTAMPS_LENGTH : 0) + (hasSack ? wire.SACK_PERMITTED_LENGTH : 0);
    const mss = this.#tcp.ownMss(tuple);
    const out = segment.reinit(init);
    if (typeof out === "number") return;
    const { bytes } = out.frame;
    let at = wire.putMss(bytes, out.optionsAt, mss);
    if (hasScale) at = wire.putWindowScale(bytes, at, scaleFor(own.receiveWindow));
    if (hasTimestamp) at = wire.putTimestamps(bytes, at, value, tsValue);
    if (hasSack) wire.putSackPermitted(bytes, at);
    out.send();
  }

  /** Whether the cookie that would answer a SYN is a number from `least` on. It cannot be chosen. */
  isCookieFrom(least: number, segment: TcpIn, options: SegmentOptions, now: Instant): boolean {
    const { synCookies } = this.#tcp;
    return !before(synCookies.number(this.#tupleOf(segment), segment.sequence, options.mss, now), least);
  }

  /** Opens the connection of a cookie that comes back, if its user has room. False: it is none of ours. */
  acceptCookie(listener: Listener, segment: TcpIn, options: SegmentOptions, now: Instant): boolean {
    const { synCookies, secret, counters } = this.#tcp;
    const tuple = this.#tupleOf(segment);
    const irs = add(segment.sequence, -1);
    const iss = add(segment.acknowledgment, -1);
    if (!synCookies.check(tuple, irs, iss, options, timestampOffset(tuple, secret), now)) return false;
    // What finds no room is dropped: the peer says it again with its data.
    if (listener.hasRoom() && openByCookie(this.#tcp, listener, segment, options)) counters.cookiesAccepted++;
    else counters.acceptOverflows++;
    return true;
  }

  #tupleOf(segment: TcpIn): FourTuple {
    const tuple = this.#tuple;
    tuple.local = segment.ip.destination;
    tuple.localPort = segment.destinationPort;
    tuple.remote = segment.ip.source;
    tuple.remotePort = segment.sourcePort;
    return tuple;
  }

  /** An answer's addresses and ports. */
  #turn(segment: TcpIn): ReusedInit {
    const init = this.#init;
    init.source = segment.ip.destination;
    init.destination = segment.ip.source;
    init.sourcePort = segment.destinationPort;
    init.destinationPort = segment.sourcePort;
    init.window = 0;
    init.optionsLength = 0;
    return init;
  }
}
