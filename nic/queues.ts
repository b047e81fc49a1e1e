/**
 * NICs with several queues, opened on one thread and used on others, each queue by one.
 *
 * @module
 */
import { Mac } from "../stack/wire/mac.ts";
import type { Nic } from "./device.ts";
import { NicError } from "./error.ts";
import { EventFd } from "./linux/event.ts";
import { InterfaceFlag, interfaceFlags, interfaceIndex, interfaceName } from "./linux/netif.ts";
import { openLentRaw, type RawHandout } from "./linux/raw.ts";
import { RawQueues } from "./linux/raw-queues.ts";
import { Tap } from "./linux/tap.ts";
import { attachTapQueues } from "./linux/tap-queues.ts";
import { detachTap, type TapAttachment } from "./linux/tun.ts";
import { formatNicSpec, type NicSpec, type RawSpec, type TapSpec, type TunSpec } from "./spec.ts";
import { NicWrapper } from "./wrapper.ts";

/** A queue as it is handed to another thread, with the eventfd that wakes whoever waits for it: plain data. */
export type QueueHandout =
  | { readonly kind: "tap" | "tun"; readonly name: string; readonly attachment: TapAttachment }
  | { readonly kind: "raw"; readonly name: string; readonly socket: RawHandout };

/** A NIC over a queue. */
export interface QueueNic extends Nic {
  /** The operating system's own MAC address on the interface; undefined: there is none. */
  readonly mac: Uint8Array | undefined;
}

/** Opens a queue that another thread has handed out. The descriptor stays that thread's. Throws {@linkcode NicError}. */
export function openQueue(handout: QueueHandout): QueueNic {
  const { name } = handout;
  if (handout.kind === "raw") return openLentRaw(name, handout.socket);
  return new Tap(name, handout.attachment, { mode: handout.kind });
}

/** What the kinds of NIC have in common. */
interface Opened {
  readonly handouts: readonly QueueHandout[];
  readonly claim?: (mac: Mac) => void;
  readonly close: () => void;
}

/** The way out, whose owner claims for all queues. */
class Exit extends NicWrapper {
  override readonly claim: NonNullable<Nic["claim"]>;

  constructor(nic: Nic, claim: (mac: Mac) => void) {
    super(nic);
    this.claim = claim;
  }
}

/** All queues of an interface. Its `close` gives them back, once nobody uses them. */
export class Queues {
  /** What was opened. */
  readonly spec: NicSpec;
  /** One for each thread. */
  readonly handouts: readonly QueueHandout[];
  /** The way out for what is no queue's: it only sends. */
  readonly exit: Nic;
  /** The operating system's own address on the interface; undefined: there is none. */
  readonly kernelMac: Mac | undefined;
  readonly #name: string;
  readonly #events: readonly EventFd[];
  readonly #close: () => void;

  private constructor(spec: RawSpec | TapSpec | TunSpec, opened: Opened, events: readonly EventFd[]) {
    const [first] = opened.handouts;
    if (first === undefined) throw new RangeError("a NIC has one queue or more");
    const exit = openQueue(first);
    this.spec = spec;
    this.#name = spec.name;
    this.handouts = opened.handouts;
    this.exit = opened.claim === undefined ? exit : new Exit(exit, opened.claim);
    this.kernelMac = exit.mac === undefined ? undefined : new Mac().read(exit.mac, 0);
    this.#events = events;
    this.#close = opened.close;
  }

  /** Opens `count` queues. Throws {@linkcode NicError}, also where the kind of NIC has one queue only. */
  static open(spec: NicSpec, count: number): Queues {
    const text = formatNicSpec(spec);
    if (spec.kind === "link" || spec.kind === "xdp") {
      const remedy = "leave --workers out, or take a tap:, tun: or raw: NIC";
      throw new NicError(text, "unsupported", "this kind of NIC has one queue", remedy);
    }
    const events: EventFd[] = [];
    let opened: Opened | undefined;
    try {
      for (let index = 0; index < count; index++) events.push(EventFd.make(text));
      const numbers = events.map(({ fd }) => fd);
      opened = spec.kind === "raw" ? openRawQueues(spec, numbers) : openTapQueues(spec, numbers);
      return new Queues(spec, opened, events);
    } catch (error) {
      opened?.close();
      for (const event of events) event.close();
      throw error;
    }
  }

  /** Whether the interface is switched on just now. If it is gone, the queues' own failures say so. */
  isUp(): boolean {
    return interfaceIndex(this.#name) === 0 || this.#has(InterfaceFlag.Up);
  }

  /** Whether the operating system sends to the interface yet. */
  isRunning(): boolean {
    return this.#has(InterfaceFlag.Running);
  }

  /** The eventfd by which whoever waits for a queue is woken. */
  event(queue: number): number {
    const event = this.#events[queue];
    if (event === undefined) throw new RangeError(`there is no queue ${queue}`);
    return event.fd;
  }

  /** Wakes whoever waits for a queue. */
  wake(queue: number): void {
    this.#events[queue]?.signal();
  }

  /** Gives everything back. */
  close(): void {
    this.exit.close();
    this.#close();
    for (const event of this.#events) event.close();
  }

  #has(flag: number): boolean {
    try {
      return (interfaceFlags(this.#name) & flag) !== 0;
    } catch {
      return false;
    }
  }
}

function openTapQueues(
  { kind, name, offload, threaded }: TapSpec | TunSpec,
  events: readonly number[],
): Opened {
  const attachments = attachTapQueues(name, events.length, {
    mode: kind,
    create: false,
    ...(offload === undefined ? {} : { offload }),
    ...(threaded === undefined ? {} : { threaded }),
  });
  const index = interfaceIndex(name);
  return {
    handouts: attachments.map((attachment, queue) => {
      return { kind, name, attachment: { ...attachment, lentWith: events[queue]! } };
    }),
    close: () => detachTap(interfaceName(index) ?? name, kind, attachments),
  };
}

function openRawQueues({ name, promisc }: RawSpec, events: readonly number[]): Opened {
  const queues = new RawQueues(name, events.length, { promiscuous: promisc ?? false });
  return {
    handouts: queues.handouts(events).map((socket) => ({ kind: "raw", name, socket })),
    claim: (mac) => queues.claim(mac),
    close: () => queues.close(),
  };
}
