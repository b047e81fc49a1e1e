/**
 * Datagrams on their way out: in line for the next burst, or waiting for their neighbour's look-up.
 *
 * @module
 */
import { LayerError } from "../stack/error.ts";
import type { TimedSender } from "../stack/handler.ts";
import type { Ip } from "../stack/ip/endpoint.ts";
import { type Instant, NEVER, seconds } from "../stack/store/time.ts";
import type { UdpInit, UdpRaw } from "../stack/udp/packet.ts";

/** A datagram to be sent. */
export interface Letter extends UdpInit {
  /** The payload. */
  readonly bytes: Uint8Array;
  /** Is told how it went: `None`, it has left or waits for its neighbour; else it never will. May be called again. */
  readonly done: (error: LayerError) => void;
}

/** A letter, and how long it may wait for its neighbour; 0: it does not yet. */
interface Posted {
  readonly letter: Letter;
  until: Instant;
}

/** Datagrams that wait for a neighbour at most: as ARP, those that have waited longest go first. */
const WAITING = 64;
/** Datagrams in line at most. */
const IN_LINE = 256;
/** How long a neighbour's look-up takes at most: three requests, a second apart. */
const PATIENCE: Instant = seconds(3);

/** The datagrams of all sockets of a stack. */
export class Outbox implements TimedSender<UdpRaw> {
  /** Datagrams given up because their neighbour did not answer. */
  dropped = 0;
  readonly #ip: Ip;
  readonly #line: Posted[] = [];
  readonly #room: (() => void)[] = [];
  #waiting: Posted[] = [];
  #version = 0;

  /** An empty outbox over a host's neighbours. */
  constructor(ip: Ip) {
    this.#ip = ip;
  }

  /** Whether nothing is in line. What waits for a neighbour is nobody's promise any more. */
  get isEmpty(): boolean {
    return this.#line.length === 0;
  }

  /** Resolves when there is room in line. */
  async room(): Promise<void> {
    while (this.#line.length >= IN_LINE) {
      await new Promise<void>((resolve) => void this.#room.push(resolve));
    }
  }

  /** Puts a datagram in line. */
  push(letter: Letter): void {
    this.#line.push({ letter, until: 0 });
  }

  /** When there is something to send. */
  deadline(): Instant {
    if (this.#line.length > 0 || (this.#waiting.length > 0 && this.#hasNews())) return 0;
    return this.#waiting[0]?.until ?? NEVER;
  }

  /** Fills an empty buffer with the next datagram that can leave. */
  send(raw: UdpRaw): void {
    const now = raw.info.timestamp;
    if (this.#waiting.length > 0) this.#review(now);
    for (let posted = this.#line.shift(); posted !== undefined; posted = this.#line.shift()) {
      const error = sendLetter(raw, posted.letter);
      // All that may be under way in fragments is: the datagram stays first in line.
      if (error === LayerError.Exhausted && !this.#ip.fragments.isEmpty) {
        this.#line.unshift(posted);
        return;
      }
      this.#room.shift()?.();
      if (error === LayerError.Unreachable) this.#wait(posted, now);
      else posted.letter.done(error);
      if (error === LayerError.None) return;
    }
  }

  /** Gives everything up. */
  stop(): void {
    for (const { letter } of this.#line.splice(0)) letter.done(LayerError.Unreachable);
    for (const resolve of this.#room.splice(0)) resolve();
    this.#waiting = [];
  }

  #wait(posted: Posted, now: Instant): void {
    posted.letter.done(LayerError.None);
    if (posted.until === 0) posted.until = now + PATIENCE;
    if (this.#waiting.length === WAITING) {
      this.#waiting.shift();
      this.dropped++;
    }
    this.#waiting.push(posted);
    this.#version = this.#ip.neighbours.version;
  }

  #hasNews(): boolean {
    return this.#version !== this.#ip.neighbours.version;
  }

  /** A neighbour has answered, or has not for too long. */
  #review(now: Instant): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.until <= now) {
      this.#waiting.shift();
      this.dropped++;
    }
    if (!this.#hasNews()) return;
    this.#version = this.#ip.neighbours.version;
    this.#line.unshift(...this.#waiting.splice(0));
  }
}

function sendLetter(raw: UdpRaw, letter: Letter): LayerError {
  const out = raw.prepare(letter);
  if (typeof out === "number") return out;
  out.frame.bytes.set(letter.bytes, out.payloadAt);
  return out.send();
}
