/**
 * NICs with several queues, opened on one thread and used on others, each queue by one.
 *
 * @module
 */
import { Mac } from "../stack/wire/mac.ts";
import type { Nic } from "./device.ts";
import { NicError } from "./error.ts";
import { EventFd } from "./linux/event.ts";
import { libc } from "./linux/libc.ts";
import { InterfaceFlag, interfaceFlags, interfaceIndex } from "./linux/netif.ts";
import { Tap } from "./linux/tap.ts";
import { attachTapQueues } from "./linux/tap-queues.ts";
import type { TapAttachment } from "./linux/tun.ts";
import { formatNicSpec, type NicSpec } from "./spec.ts";

/** A queue as it is handed to another thread: plain data. */
export interface QueueHandout {
  /** What carries the queue's frames. */
  readonly kind: "tap" | "tun";
  /** The interface. */
  readonly name: string;
  /** The descriptor, the eventfd that wakes whoever waits for it, and what was agreed on with the kernel. */
  readonly attachment: TapAttachment;
}

/** Opens a queue that another thread has handed out. The descriptor stays that thread's. Throws {@linkcode NicError}. */
export function openQueue({ kind, name, attachment }: QueueHandout): Nic {
  return new Tap(name, attachment, { mode: kind });
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

  private constructor(spec: NicSpec, name: string, handouts: readonly QueueHandout[], exit: Tap) {
    this.spec = spec;
    this.#name = name;
    this.handouts = handouts;
    this.exit = exit;
    this.kernelMac = exit.mac === undefined ? undefined : new Mac().read(exit.mac, 0);
  }

  /** Opens `count` queues. Throws {@linkcode NicError}, also where the kind of NIC has one queue only. */
  static open(spec: NicSpec, count: number): Queues {
    const text = formatNicSpec(spec);
    if (spec.kind !== "tap" && spec.kind !== "tun") {
      const remedy = "leave --workers out, or take a tap: or tun: NIC";
      throw new NicError(text, "unsupported", "this kind of NIC has one queue", remedy);
    }
    const { kind, name, offload } = spec;
    const attachments = attachTapQueues(name, count, {
      mode: kind,
      create: false,
      ...(offload === undefined ? {} : { offload }),
    });
    const events: EventFd[] = [];
    try {
      const handouts = attachments.map((attachment): QueueHandout => {
        const event = EventFd.make(text);
        events.push(event);
        return { kind, name, attachment: { ...attachment, lentWith: event.fd } };
      });
      const [first] = handouts;
      if (first === undefined) throw new RangeError(`a NIC has one queue or more, not ${count}`);
      return new Queues(spec, name, handouts, new Tap(name, first.attachment, { mode: kind }));
    } catch (error) {
      for (const { fd } of attachments) libc().close(fd);
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

  /** Wakes whoever waits for a queue. */
  wake(queue: number): void {
    const event = this.handouts[queue]?.attachment.lentWith;
    if (event !== undefined) new EventFd(event).signal();
  }

  /** Gives everything back. */
  close(): void {
    this.exit.close();
    for (const { attachment } of this.handouts) {
      libc().close(attachment.fd);
      if (attachment.lentWith !== undefined) libc().close(attachment.lentWith);
    }
  }

  #has(flag: number): boolean {
    try {
      return (interfaceFlags(this.#name) & flag) !== 0;
    } catch {
      return false;
    }
  }
}
