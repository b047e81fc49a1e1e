/**
 * A capture replayed into a stack, on virtual time.
 *
 * @module
 */
import type { Receiver, TimedSender } from "../../stack/handler.ts";
import type { Slot } from "../../stack/slot.ts";
import type { Instant } from "../../stack/store/time.ts";
import type { External } from "../external.ts";
import { BURST } from "../poll.ts";
import type { PcapPacket } from "./packet.ts";

/** Bursts of one moment at most: a sender that never has enough would be asked for ever. */
const BURSTS_MAX = 64;

/** How a capture is replayed. */
export interface ReplayOptions {
  /** Takes what arrives: `eth.recv(...)`. */
  readonly receive: Receiver<Slot>;
  /** Fills what leaves: `eth.send(...)`. Asked after each packet, and whenever its deadline comes. */
  readonly send?: TimedSender<Slot>;
  /** When the first packet arrives; the others follow as they did in the capture. Default: the NIC's present moment. */
  readonly origin?: Instant;
  /** How long the clock runs on after the last packet, in microseconds. Default 0. */
  readonly tail?: Instant;
}

/** A frame that the stack sent while a capture was replayed. */
export interface ReplayAnswer {
  /** When, on the NIC's clock. */
  readonly timestamp: Instant;
  /** How many packets of the capture had been received by then. */
  readonly after: number;
  /** The frame. */
  readonly bytes: Uint8Array;
}

/** What came of a replay. */
export interface ReplayResult {
  /** What the stack sent, in order. */
  readonly answers: readonly ReplayAnswer[];
  /** Packets received. */
  readonly received: number;
  /** Packets left out: sent by the captured host, not captured whole, or too long for the NIC. */
  readonly skipped: number;
}

/**
 * Hands the packets that a host once received to `nic`, each at its moment of virtual time, and collects what the
 * stack sends. A packet that is older than the one before it arrives together with that one.
 */
export function replay(packets: Iterable<PcapPacket>, nic: External, options: ReplayOptions): ReplayResult {
  const run = new Replay(nic, options);
  for (const packet of packets) run.packet(packet);
  run.advance(nic.now() + (options.tail ?? 0));
  return run;
}

class Replay implements ReplayResult {
  readonly answers: ReplayAnswer[] = [];
  received = 0;
  skipped = 0;
  readonly #nic: External;
  readonly #receive: Receiver<Slot>;
  readonly #send: TimedSender<Slot> | undefined;
  readonly #origin: Instant;
  #first: Instant | undefined;

  constructor(nic: External, options: ReplayOptions) {
    this.#nic = nic;
    this.#receive = options.receive;
    this.#send = options.send;
    this.#origin = options.origin ?? nic.now();
  }

  packet(packet: PcapPacket): void {
    if (packet.direction === "out" || packet.bytes.length < packet.originalLength) {
      this.skipped++;
      return;
    }
    this.#first ??= packet.timestamp;
    this.advance(this.#origin + packet.timestamp - this.#first);
    if (!this.#nic.inject(packet.bytes)) {
      this.skipped++;
      return;
    }
    this.received++;
    this.#nic.rx(1, this.#receive);
    this.#transmit();
  }

  /** Lets the clock run up to `until`, with a stop at each deadline of the sender. */
  advance(until: Instant): void {
    const nic = this.#nic;
    const send = this.#send;
    if (send !== undefined) {
      let before: Instant | undefined;
      for (let deadline = send.deadline(); deadline <= until; deadline = send.deadline()) {
        // A sender that is asked and still wants to be asked at the same moment cannot send now.
        if (deadline === before) break;
        before = deadline;
        nic.setTime(Math.max(nic.now(), deadline));
        this.#transmit();
      }
    }
    nic.setTime(Math.max(nic.now(), until));
  }

  #transmit(): void {
    this.#collect();
    if (this.#send === undefined) return;
    for (let burst = 0; burst < BURSTS_MAX && this.#nic.tx(BURST, this.#send) > 0; burst++) this.#collect();
  }

  #collect(): void {
    for (let bytes = this.#nic.take(); bytes !== undefined; bytes = this.#nic.take()) {
      this.answers.push({ timestamp: this.#nic.now(), after: this.received, bytes });
    }
  }
}
