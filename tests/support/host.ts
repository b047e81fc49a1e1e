/**
 * A whole host for tests: Ethernet, IP and ICMP on a NIC whose wire and clock the test holds.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import { Eth, type EthOptions } from "../../stack/eth/endpoint.ts";
import { setGuard } from "../../stack/guard.ts";
import type { Receive, Receiver, Send, TimedSender } from "../../stack/handler.ts";
import { Icmp, type IcmpOptions } from "../../stack/icmp/endpoint.ts";
import { Ip, type IpOptions } from "../../stack/ip/endpoint.ts";
import type { IpIn, IpRaw } from "../../stack/ip/packet.ts";
import type { LinkIn, LinkRaw } from "../../stack/link.ts";
import type { Slot } from "../../stack/slot.ts";
import type { Instant } from "../../stack/store/time.ts";
import { Address } from "../../stack/wire/address.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { External, type ExternalOptions } from "../../nic/external.ts";
import { OWN, OWN_MAC, PEER, PEER_MAC } from "./frames.ts";
import { OWN6, OWN_LOCAL6, PEER6, PEER_LOCAL6 } from "./frames-v6.ts";

/** How a {@linkcode host} differs from 10.0.0.1/24 that answers echoes, knows its peer and is guarded. */
export interface HostOptions {
  readonly nic?: ExternalOptions;
  readonly eth?: Partial<EthOptions>;
  readonly ip?: IpOptions;
  readonly icmp?: IcmpOptions;
  /** Whether the peer's link address is known from the start. Default true. */
  readonly knowsPeer?: boolean;
  /** Whether packets are lent through revocable wrappers. Default true. */
  readonly guard?: boolean;
  /** Stands in for IP in the receiving tree. */
  readonly link?: (host: Host) => Receive<LinkIn>;
  /** Stands in for ICMP in the receiving tree. */
  readonly receive?: (host: Host) => Receive<IpIn>;
  /** Stands in for IP in the sending tree. */
  readonly linkSend?: (host: Host) => Send<LinkRaw>;
  /** Fills IP packets, behind the layer's own work. */
  readonly send?: (host: Host) => Send<IpRaw>;
}

/** Endpoints, their trees and a NIC. */
export class Host {
  readonly nic: External;
  readonly eth: Eth;
  readonly ip: Ip;
  readonly icmp: Icmp;
  readonly receiver: Receiver<Slot>;
  readonly sender: TimedSender<Slot>;

  constructor(options: HostOptions) {
    this.nic = new External(options.nic);
    this.eth = new Eth({ mac: OWN_MAC, ...options.eth });
    this.ip = new Ip({ addresses: [`${OWN}/24`], ...options.ip });
    this.icmp = new Icmp(options.icmp);
    if (options.knowsPeer ?? true) this.knows(PEER, PEER_MAC);
    setGuard(options.guard ?? true);
    try {
      this.receiver = this.eth.recv(options.link?.(this) ?? this.#aboveLink(options));
      const send = options.send?.(this);
      const internal = send === undefined ? this.ip.layerInternal() : this.ip.send(send);
      this.sender = this.eth.send(options.linkSend?.(this) ?? internal);
    } finally {
      setGuard(false);
    }
  }

  #aboveLink(options: HostOptions): Receive<LinkIn> {
    return this.ip.recv(options.receive?.(this) ?? this.icmp.answer());
  }

  /** Makes a neighbour known for good. */
  knows(address: string, mac: string): void {
    this.ip.neighbours.setStatic(Address.parse(address), Mac.parse(mac));
  }

  /** Sets the clock. */
  at(now: Instant): this {
    this.nic.setTime(now);
    return this;
  }

  /** Lets frames arrive one by one, and answers with what the tree sends back at once. */
  deliver(...frames: readonly Uint8Array[]): Uint8Array[] {
    for (const frame of frames) {
      equal(this.nic.inject(frame), true, "the NIC has no room for the frame");
      this.nic.rx(1, this.receiver);
    }
    return this.drain();
  }

  /** Asks the sending tree for up to `max` frames, and answers with them. */
  transmit(max: number = 64): Uint8Array[] {
    this.nic.tx(max, this.sender);
    return this.drain();
  }

  /** When the sending tree next wants to be asked. */
  get deadline(): Instant {
    return this.sender.deadline();
  }

  /** Everything that has left since it was last asked for. */
  drain(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (let frame = this.nic.take(); frame !== undefined; frame = this.nic.take()) frames.push(frame);
    return frames;
  }
}

/** A host for a test. */
export function host(options: HostOptions = {}): Host {
  return new Host(options);
}

/** A host of both families that knows its peer by all addresses. */
export function host6(options: HostOptions = {}): Host {
  const addresses = [`${OWN}/24`, `${OWN_LOCAL6}/64`, `${OWN6}/64`];
  const made = new Host({ ...options, ip: { addresses, ...options.ip } });
  for (const peer of [PEER6, PEER_LOCAL6]) made.knows(peer, PEER_MAC);
  return made;
}

/** The counters that are not zero, to compare with those that a test expects. */
export function counted(counters: object): Record<string, number> {
  const numbers = Object.entries(counters).filter(([, value]) => typeof value === "number" && value !== 0);
  return Object.fromEntries(numbers);
}
