/**
 * A NIC around another one: what spectators, filters and faults start from.
 *
 * @module
 */
import type { Receiver, Sender } from "../stack/handler.ts";
import type { NicInfo, Slot } from "../stack/slot.ts";
import type { Instant } from "../stack/store/time.ts";
import type { Nic, NicCounters } from "./device.ts";

/** Passes everything on to the NIC inside; a subclass replaces what it changes. */
export class NicWrapper implements Nic {
  readonly name: string;
  readonly info: NicInfo;
  readonly counters: NicCounters;
  readonly claim?: NonNullable<Nic["claim"]>;
  /** The NIC inside. */
  protected readonly inner: Nic;

  /** A wrapper around `inner`, which it shares name, information and counters with. */
  constructor(inner: Nic) {
    this.name = inner.name;
    this.info = inner.info;
    this.counters = inner.counters;
    this.inner = inner;
    if (inner.claim !== undefined) this.claim = (mac, addresses) => inner.claim?.(mac, addresses);
  }

  get failure(): string | undefined {
    return this.inner.failure;
  }

  rx(max: number, receiver: Receiver<Slot>): number {
    return this.inner.rx(max, receiver);
  }

  tx(max: number, sender: Sender<Slot>): number {
    return this.inner.tx(max, sender);
  }

  ready(deadline?: Instant): Promise<void> {
    return this.inner.ready(deadline);
  }

  wake(): void {
    this.inner.wake();
  }

  now(): Instant {
    return this.inner.now();
  }

  close(): void {
    this.inner.close();
  }
}
