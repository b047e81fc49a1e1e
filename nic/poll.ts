/**
 * The poll cycle: what drives a NIC and a tree of handlers.
 *
 * @module
 */
import type { Receiver, TimedSender } from "../stack/handler.ts";
import type { Slot } from "../stack/slot.ts";
import type { Nic } from "./device.ts";

/** Frames moved in each direction before the other direction has its turn. */
export const BURST = 64;

/** How {@linkcode poll} is set up. */
export interface PollOptions {
  /** Takes what arrives: `eth.recv(...)`. */
  readonly receive: Receiver<Slot>;
  /** Fills what leaves: `eth.send(...)`. Its deadline says when it must be asked though nothing arrived. */
  readonly send: TimedSender<Slot>;
  /** Ends the cycle. */
  readonly signal?: AbortSignal;
  /** Called after each cycle, with the number of frames that moved. */
  readonly cycle?: (frames: number) => void;
}

/**
 * Drives the NIC until the signal aborts or the NIC fails: receive a burst, send a burst, wait for frames or for the
 * send tree's deadline. Between cycles the event loop runs, so timers, promises and changes to endpoints have their
 * turn there. Resolves in either case; `nic.failure` tells them apart.
 */
export async function poll(nic: Nic, options: PollOptions): Promise<void> {
  const { receive, send, signal, cycle } = options;
  const stop = () => nic.wake();
  signal?.addEventListener("abort", stop);
  try {
    while (!signal?.aborted && nic.failure === undefined) {
      const received = nic.rx(BURST, receive);
      const sent = nic.tx(BURST, send);
      cycle?.(received + sent);
      const more = received === BURST || sent === BURST;
      await nic.ready(more ? nic.now() : send.deadline());
    }
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
