/** Asks on the link who has an address, as arping does. */
import {
  type Address,
  Arp,
  type ArpInit,
  ArpOperation,
  type ArpRaw,
  type Instant,
  LayerError,
  type Mac,
  Mac as HardwareAddress,
  Neighbours,
  NEVER,
} from "../mod.ts";
import type { Appliance, Tree } from "./appliance.ts";

/** An answer. */
export interface ArpAnswer {
  readonly mac: Mac;
  /** The time since the last request, in microseconds. */
  readonly rtt: Instant;
}

/** How an {@linkcode ArpClient} asks. */
export interface ArpClientOptions {
  readonly target: Address;
  /** How many requests are sent. */
  readonly count: number;
  readonly interval: Instant;
  /** How long the last request's answer is waited for. */
  readonly timeout: Instant;
  readonly onAnswer: (answer: ArpAnswer) => void;
}

/** A client on a host of ours; the host goes on answering ARP requests meanwhile, and nothing else. */
export class ArpClient {
  sent = 0;
  answers = 0;
  /** The endpoint that asks, with a neighbour cache of its own: nothing is to be taken from the host's or left there. */
  readonly arp: Arp;
  readonly #options: ArpClientOptions;
  readonly #appliance: Appliance;
  readonly #init: ArpInit;
  #sentAt: Instant = 0;
  #next: Instant = 0;

  /** The target must be on one of the appliance's subnets. */
  constructor(appliance: Appliance, options: ArpClientOptions) {
    const own = appliance.ip.addresses.onLink(options.target);
    if (own === undefined) throw new RangeError(`${options.target} is on no subnet of ours`);
    this.#appliance = appliance;
    this.#options = options;
    this.arp = new Arp({ addresses: appliance.ip.addresses, neighbours: new Neighbours({ capacity: 16 }) });
    this.#init = {
      operation: ArpOperation.Request,
      sender: own,
      targetMac: new HardwareAddress(),
      target: options.target,
      destination: HardwareAddress.broadcast(),
    };
  }

  /** Whether every request has been sent and the last one had its time. */
  isDone(now: Instant): boolean {
    const { count, timeout } = this.#options;
    if (this.sent < count) return false;
    return this.answers >= count || now >= this.#sentAt + timeout;
  }

  /** The tree that asks. */
  asking(): Tree {
    const { arp } = this;
    const { eth, ip: { addresses } } = this.#appliance;
    const receive = eth.recv(arp.recv((packet) => {
      if (packet.operation === ArpOperation.Request) {
        if (addresses.owns(packet.target)) packet.answer();
      } else if (this.sent > 0 && packet.sender.equals(this.#options.target)) {
        this.answers++;
        this.#options.onAnswer({
          mac: new HardwareAddress().copy(packet.senderMac),
          rtt: packet.info.timestamp - this.#sentAt,
        });
      }
    }));
    const send = eth.send(
      arp.send({ send: (packet) => this.#ask(packet), deadline: () => this.#deadline() }),
    );
    return { receive, send };
  }

  #ask(packet: ArpRaw): void {
    const now = packet.info.timestamp;
    if (this.sent >= this.#options.count || now < this.#next) return;
    const out = packet.prepare(this.#init);
    if (typeof out === "number" || out.send() !== LayerError.None) return;
    this.sent++;
    this.#sentAt = now;
    this.#next = now + this.#options.interval;
  }

  #deadline(): Instant {
    const { count, timeout } = this.#options;
    if (this.sent < count) return this.#next;
    return this.answers >= count ? NEVER : this.#sentAt + timeout;
  }
}
