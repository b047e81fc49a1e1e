/**
 * A NIC with a spectator: every frame that comes and goes is shown before anything can change it again.
 *
 * @module
 */
import { Checksum, type Frame } from "../stack/frame.ts";
import type { Receiver, Sender } from "../stack/handler.ts";
import { wholeChecksum } from "../stack/offload.ts";
import type { NicInfo, Slot } from "../stack/slot.ts";
import type { Instant } from "../stack/store/time.ts";
import { get16, put16 } from "../stack/wire/bytes.ts";
import type { Nic, NicCounters } from "./device.ts";

/** Which way a frame goes, as the host sees it. */
export type Direction = "in" | "out";

/**
 * Is shown a frame: `frame.bytes[frame.start..frame.end)`, only valid during the call. Where the NIC has put segments
 * together, or will cut them, it is all of them in one, as the host sees it; its checksum is as if it were one packet.
 */
export type Observer = (direction: Direction, frame: Frame, timestamp: Instant) => void;

/** The same NIC, with each frame shown to `observer`: received ones before the tree sees them, others as they leave. */
export function observe(nic: Nic, observer: Observer): Nic {
  return new Observed(nic, observer);
}

class Observed implements Nic {
  readonly name: string;
  readonly info: NicInfo;
  readonly counters: NicCounters;
  readonly claim?: NonNullable<Nic["claim"]>;
  readonly #nic: Nic;
  readonly #observer: Observer;
  #receiver!: Receiver<Slot>;
  #sender!: Sender<Slot>;
  readonly #receiving: Receiver<Slot>;
  readonly #sending: Sender<Slot>;

  constructor(nic: Nic, observer: Observer) {
    this.name = nic.name;
    this.info = nic.info;
    this.counters = nic.counters;
    if (nic.claim !== undefined) this.claim = (mac, addresses) => nic.claim?.(mac, addresses);
    this.#nic = nic;
    this.#observer = observer;
    this.#receiving = {
      receive: (slot) => {
        this.#show("in", slot);
        this.#receiver.receive(slot);
        this.#showQueued(slot);
      },
    };
    this.#sending = {
      send: (slot) => {
        this.#sender.send(slot);
        this.#showQueued(slot);
      },
    };
  }

  get failure(): string | undefined {
    return this.#nic.failure;
  }

  rx(max: number, receiver: Receiver<Slot>): number {
    this.#receiver = receiver;
    return this.#nic.rx(max, this.#receiving);
  }

  tx(max: number, sender: Sender<Slot>): number {
    this.#sender = sender;
    return this.#nic.tx(max, this.#sending);
  }

  ready(deadline?: Instant): Promise<void> {
    return this.#nic.ready(deadline);
  }

  wake(): void {
    this.#nic.wake();
  }

  now(): Instant {
    return this.#nic.now();
  }

  close(): void {
    this.#nic.close();
  }

  #showQueued(slot: Slot): void {
    if (slot.leaves) this.#show("out", slot);
  }

  /** Shows a frame with the checksum that it has on the wire, then makes it again what the NIC expects. */
  #show(direction: Direction, { frame, info }: Slot): void {
    if (frame.checksum !== Checksum.Partial) {
      this.#observer(direction, frame, info.timestamp);
      return;
    }
    const at = frame.checksumAt + frame.checksumField;
    const partial = get16(frame.bytes, at);
    put16(frame.bytes, at, wholeChecksum(frame));
    try {
      this.#observer(direction, frame, info.timestamp);
    } finally {
      put16(frame.bytes, at, partial);
    }
  }
}
