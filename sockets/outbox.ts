/**
 * Datagrams on their way out: in line for the next burst.
 *
 * @module
 */
import { LayerError } from "../stack/error.ts";
import type { TimedSender } from "../stack/handler.ts";
import type { Ip } from "../stack/ip/endpoint.ts";
import { type Instant, NEVER } from "../stack/store/time.ts";
import type { UdpInit, UdpRaw } from "../stack/udp/packet.ts";

/** A datagram to be sent. */
export interface Letter extends UdpInit {
  /** The payload. */
  readonly bytes: Uint8Array;
  /** Is told how it went: `None`, it has left or waits for its neighbour; else it never will. */
  readonly done: (error: LayerError) => void;
}

/** Datagrams in line at most. */
const IN_LINE = 256;
/** The datagrams of all sockets of a stack. */
export class Outbox implements TimedSender<UdpRaw> {
  /** Datagrams dropped because their neighbour is being looked up, and no more as long may wait for it. */
  dropped = 0;
  readonly #ip: Ip;
  readonly #line: Letter[] = [];
  /** Those who wait to put a datagram in line, and how many of them were told to. */
  readonly #waiting: (() => void)[] = [];
  #told = 0;

  /** An empty outbox over a host's IP. */
  constructor(ip: Ip) {
    this.#ip = ip;
  }

  /** Whether nothing is in line. */
  get isEmpty(): boolean {
    return this.#line.length === 0;
  }

  /** Whether {@linkcode Outbox.turn} is to be waited for: there is no room in line, or somebody goes before. */
  get isFull(): boolean {
    return this.#line.length >= IN_LINE || this.#told > 0;
  }

  /** Resolves when it is one's turn: then comes {@linkcode Outbox.push}, or {@linkcode Outbox.pass}. */
  async turn(): Promise<void> {
    await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    this.#told--;
  }

  /** Puts a datagram in line. */
  push(letter: Letter): void {
    this.#line.push(letter);
  }

  /** Who waited for a turn has nothing to send any more: it is the next one's. */
  pass(): void {
    const resolve = this.#waiting.shift();
    if (resolve === undefined) return;
    this.#told++;
    resolve();
  }

  /** When there is something to send. */
  deadline(): Instant {
    return this.#line.length > 0 ? 0 : NEVER;
  }

  /** Fills an empty buffer with the next datagram that can leave. */
  send(raw: UdpRaw): void {
    for (let letter = this.#line.shift(); letter !== undefined; letter = this.#line.shift()) {
      const error = sendLetter(raw, letter);
      // All that may be under way in fragments is: the datagram stays first in line.
      if (error === LayerError.Exhausted && !this.#ip.fragments.isEmpty) {
        this.#line.unshift(letter);
        return;
      }
      this.pass();
      // RFC 1122 4.1.1: as by ARP, what may not wait for its neighbour is dropped, which is no error of the sender's.
      const isDropped = error === LayerError.Unreachable && this.#ip.path.waitingFor >= 0;
      if (isDropped) this.dropped++;
      letter.done(isDropped ? LayerError.None : error);
      if (error === LayerError.None) return;
    }
  }

  /** Gives everything up. */
  stop(): void {
    for (const letter of this.#line.splice(0)) letter.done(LayerError.Unreachable);
    while (this.#waiting.length > 0) this.pass();
  }
}

function sendLetter(raw: UdpRaw, letter: Letter): LayerError {
  const out = raw.prepare(letter);
  if (typeof out === "number") return out;
  out.frame.bytes.set(letter.bytes, out.payloadAt);
  return out.send();
}
