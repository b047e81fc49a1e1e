/**
 * Handlers: what a tree is made of. A receiver takes packets from the layer below, a sender fills packets for it.
 * A plain function serves as either at every layer.
 *
 * @module
 */
import { guard, guarding } from "./guard.ts";
import { type Instant, NEVER } from "./store/time.ts";

/** An object that takes packets `P` (an In state). The packet is only lent: it is gone when `receive` returns. */
export interface Receiver<P> {
  /** Called once a packet. */
  readonly receive: (packet: P) => void;
}

/** An object that fills packets `P` (a Raw state). Nothing leaves unless it prepares and sends the packet. */
export interface Sender<P> {
  /** Called with an empty packet, until it leaves one unsent. */
  readonly send: (packet: P) => void;
  /** When this sender next wants to be asked though no packet arrived; absent: never. */
  readonly deadline?: () => Instant;
}

/** What a layer accepts as its upper receiver: an object, or a plain function. */
export type Receive<P> = Receiver<P> | ((packet: P) => void);

/** What a layer accepts as its upper sender: an object, or a plain function. */
export type Send<P> = Sender<P> | ((packet: P) => void);

/** A sender whose deadline is always there: what the layers themselves are. */
export interface TimedSender<P> extends Sender<P> {
  /** When it next wants to be asked; {@linkcode NEVER} if it waits for nothing. */
  readonly deadline: () => Instant;
}

/** Gives every handler the same shape, so that the call of the next layer stays monomorphic. */
class HandlerReceiver<P> implements Receiver<P> {
  readonly receive: (packet: P) => void;
  constructor(receive: (packet: P) => void) {
    this.receive = receive;
  }
}

class HandlerSender<P> implements TimedSender<P> {
  readonly send: (packet: P) => void;
  readonly deadline: () => Instant;
  constructor(send: (packet: P) => void, deadline: () => Instant) {
    this.send = send;
    this.deadline = deadline;
  }
}

const never = () => NEVER;

/** The handler as an object; in guard mode, one that lends each packet through a revocable wrapper. */
export function receiver<P extends object>(handler: Receive<P>): Receiver<P> {
  const receive = typeof handler === "function" ? handler : (packet: P) => handler.receive(packet);
  if (guarding()) return new HandlerReceiver(guard(receive));
  return typeof handler === "function" ? new HandlerReceiver(handler) : handler;
}

/** The handler as an object that has a deadline; in guard mode, one that lends each packet through a wrapper. */
export function sender<P extends object>(handler: Send<P>): TimedSender<P> {
  const object: Sender<P> = typeof handler === "function" ? { send: handler } : handler;
  const send = (packet: P) => object.send(packet);
  const deadline = object.deadline === undefined ? never : () => object.deadline!();
  return new HandlerSender(guarding() ? guard(send) : send, deadline);
}

/**
 * Several senders at one place: each buffer is offered to the one whose turn it is, and to the others if that one
 * leaves it empty. `sent` answers with a number that grows whenever one of them sends: an endpoint's counters.
 */
export function inTurn<P extends object>(sent: () => number, ...senders: readonly Send<P>[]): TimedSender<P> {
  // An object that has everything is called as it is, as a receiver is.
  const timed = senders.map((one) => isTimed(one) && !guarding() ? one : sender(one));
  return new SenderRing(sent, timed);
}

function isTimed<P>(one: Send<P>): one is TimedSender<P> {
  return typeof one !== "function" && one.deadline !== undefined;
}

class SenderRing<P> implements TimedSender<P> {
  readonly #sent: () => number;
  readonly #senders: readonly TimedSender<P>[];
  #turn = 0;

  constructor(sent: () => number, senders: readonly TimedSender<P>[]) {
    this.#sent = sent;
    this.#senders = senders;
  }

  send(packet: P): void {
    const { length } = this.#senders;
    const before = this.#sent();
    const first = this.#turn;
    this.#turn = (first + 1) % length;
    for (let offset = 0; offset < length; offset++) {
      this.#senders[(first + offset) % length]!.send(packet);
      if (this.#sent() !== before) return;
    }
  }

  deadline(): Instant {
    let next: Instant = NEVER;
    for (let index = 0; index < this.#senders.length; index++) {
      next = Math.min(next, this.#senders[index]!.deadline());
    }
    return next;
  }
}
