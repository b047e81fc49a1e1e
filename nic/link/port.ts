/**
 * A host's place on a simulated network: its NIC, its trees, and the two directions of its link.
 *
 * @module
 */
import type { Receiver, Sender } from "../../stack/handler.ts";
import { completeChecksum } from "../../stack/offload.ts";
import { ALL_MANUAL, type Capabilities, type Slot } from "../../stack/slot.ts";
import { type Instant, NEVER } from "../../stack/store/time.ts";
import { DeviceInfo, type DeviceSlot, type Nic, NicCounters, type SlotPool } from "../device.ts";
import { Gate } from "../gate.ts";
import { BURST } from "../poll.ts";
import { Fate } from "./fate.ts";
import type { Faults } from "./faults.ts";
import { type NetworkEvent, tracer } from "./event.ts";
import { Pipe } from "./pipe.ts";

/** A host to be attached to a network. */
export interface HostOptions {
  /** Takes what arrives: `eth.recv(...)`. */
  readonly receive: Receiver<Slot>;
  /** Fills what leaves: `eth.send(...)`. Its deadline says when it must be asked though nothing arrived. */
  readonly send: Sender<Slot>;
  /** What traces and messages call it. Default "host0", "host1", ... in the order of attachment. */
  readonly name?: string;
  /** What its NIC does by itself, but for cutting segments. Default: nothing, all checksums are the stack's. */
  readonly capabilities?: Capabilities;
  /** The largest payload of a frame that its NIC takes. Default: the network's. */
  readonly mtu?: number;
  /** What goes wrong with frames from the network to the host. Default: nothing. */
  readonly ingress?: Faults;
  /** What goes wrong with frames from the host to the network. Default: nothing. */
  readonly egress?: Faults;
}

/** What a port needs of its network. */
export interface Hub {
  /** Where all frames lie. */
  readonly pool: SlotPool;
  /** The largest payload of a frame. */
  readonly mtu: number;
  /** The seed of faults that have none. */
  readonly seed: number;
  /** Is shown everything that happens to a frame. */
  readonly trace: ((event: NetworkEvent) => void) | undefined;
  /** The virtual present. */
  readonly now: Instant;
  /** Switches what has come out of the port's egress by now. */
  forward(port: Port): void;
}

/** A host's simulated NIC. The network drives it; `rx`, `tx` and `ready` are there for who drives it by hand. */
export class Port implements Nic {
  readonly name: string;
  readonly info: DeviceInfo;
  readonly counters: NicCounters = new NicCounters();
  /** Its number, in the order of attachment. */
  readonly index: number;
  /** From the network to the host. Its faults may be changed at any time. */
  readonly ingress: Pipe;
  /** From the host to the network. Its faults may be changed at any time. */
  readonly egress: Pipe;
  readonly #hub: Hub;
  readonly #receive: Receiver<Slot>;
  readonly #send: Sender<Slot>;
  readonly #gate = new Gate();
  #awake = true;
  #closed = false;

  /** Made by `Network.attach`. */
  constructor(hub: Hub, index: number, host: HostOptions) {
    const mtu = host.mtu ?? hub.mtu;
    if (!Number.isInteger(mtu) || mtu < 1 || mtu > hub.mtu) {
      throw new RangeError(
        `a host's mtu must be a whole number of bytes up to the network's ${hub.mtu}, not ${mtu}`,
      );
    }
    this.name = host.name ?? `host${index}`;
    this.index = index;
    // The network's frames have no room for what is to be cut.
    const { segmentation: _, ...capabilities } = host.capabilities ?? ALL_MANUAL;
    this.info = new DeviceInfo(capabilities, mtu);
    this.info.timestamp = hub.now;
    this.#hub = hub;
    this.#receive = host.receive;
    this.#send = host.send;
    const { seed, trace } = hub;
    this.ingress = new Pipe(hub.pool, host.ingress, {
      seed,
      stream: 2 * index,
      trace: tracer(this.name, "in", trace),
    });
    this.egress = new Pipe(hub.pool, host.egress, {
      seed,
      stream: 2 * index + 1,
      trace: tracer(this.name, "out", trace),
    });
  }

  get failure(): string | undefined {
    return this.#closed ? `${this.name} is closed` : undefined;
  }

  /** Whether both directions of the link pass frames; setting it leaves the other faults as they are. */
  get up(): boolean {
    return !(this.ingress.faults.down ?? false) && !(this.egress.faults.down ?? false);
  }

  set up(up: boolean) {
    this.ingress.faults = { ...this.ingress.faults, down: !up };
    this.egress.faults = { ...this.egress.faults, down: !up };
  }

  /** When its host next has something to do. */
  deadline(): Instant {
    if (this.#closed) return NEVER;
    const arrival = this.ingress.deadline();
    // While all buffers are under way, nothing can be sent: what arrives next frees one.
    if (this.#hub.pool.available === 0) return arrival;
    return this.#awake ? this.#hub.now : Math.min(arrival, this.sendDeadline());
  }

  /** When the sending tree wants to be asked though nothing arrives. */
  sendDeadline(): Instant {
    return this.#send.deadline === undefined ? NEVER : this.#send.deadline();
  }

  /** Gives the host one turn, if it has something to do: a burst in, a burst out. Answers how many frames moved. */
  cycle(): number {
    if (this.deadline() > this.#hub.now) return 0;
    this.#awake = false;
    const received = this.rx(BURST, this.#receive);
    return received + this.tx(BURST, this.#send);
  }

  rx(max: number, receiver: Receiver<Slot>): number {
    const now = this.now();
    const { counters, ingress } = this;
    let count = 0;
    while (count < max) {
      const slot = ingress.pop(now);
      if (slot === undefined) break;
      count++;
      counters.received++;
      counters.receivedBytes += slot.frame.end - slot.frame.start;
      slot.info = this.info;
      try {
        receiver.receive(slot);
      } finally {
        this.#finish(slot, now);
      }
    }
    if (count > 0) this.#hub.forward(this);
    return count;
  }

  tx(max: number, sender: Sender<Slot>): number {
    if (this.#closed) return 0;
    const now = this.now();
    const { pool } = this.#hub;
    let count = 0;
    let more = true;
    while (count < max && more) {
      const slot = pool.take();
      if (slot === undefined) break;
      slot.info = this.info;
      slot.frame.resize(0);
      try {
        sender.send(slot);
        more = slot.queued;
      } finally {
        this.#finish(slot, now);
      }
      if (more) count++;
    }
    if (more) this.#awake = true;
    if (count > 0) this.#hub.forward(this);
    return count;
  }

  ready(deadline: Instant = NEVER): Promise<void> {
    const next = Math.min(deadline, this.ingress.deadline());
    return next <= this.now() ? this.#gate.pass() : this.#gate.wait(next);
  }

  /** Tells whoever waits that a frame is under way to the host, by which it must be looked when. */
  expect(): void {
    this.#gate.open();
  }

  /** Tells whoever waits that the network's clock has moved on. */
  tick(): void {
    this.#gate.tick(this.#hub.now);
  }

  /** Gives the host a turn at the network's next step: something has changed that its trees do not know. */
  wake(): void {
    this.#awake = true;
    this.#gate.open();
  }

  now(): Instant {
    return this.info.timestamp = this.#hub.now;
  }

  /** Takes the host off the network: what is under way to it or from it is dropped. */
  close(): void {
    this.#closed = true;
    this.up = false;
    this.ingress.clear();
    this.egress.clear();
    this.#gate.close();
  }

  #finish(slot: DeviceSlot, now: Instant): void {
    if (!slot.leaves) {
      this.#hub.pool.give(slot);
      return;
    }
    // What is left to the NIC is done by it: the network is a wire, and damages frames.
    completeChecksum(slot.frame);
    const length = slot.frame.end - slot.frame.start;
    if (this.egress.carry(slot, now) === Fate.Overflow) {
      this.counters.sendFull++;
      return;
    }
    this.counters.sent++;
    this.counters.sentBytes += length;
  }
}
