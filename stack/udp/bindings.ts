/**
 * Who gets which datagram: handlers bound to own ports, addresses and peers.
 *
 * @module
 */
import { type Receive, type Receiver, receiver } from "../handler.ts";
import { RandomPorts } from "../host/ephemeral.ts";
import type { SipKey } from "../store/siphash.ts";
import { Address } from "../wire/address.ts";
import type { UdpIn } from "./packet.ts";

/** The end of a conversation: an address and a port. */
export interface Endpoint {
  /** The address. */
  readonly address: Address;
  /** The port. */
  readonly port: number;
}

/** What a handler is bound to. */
export interface BindOptions {
  /** The own port; absent or 0: one that is free is chosen (RFC 6335 6: 49152 to 65535). */
  readonly port?: number;
  /** The own address; absent: every own address, joined group and broadcast. */
  readonly address?: Address;
  /** The only peer that is heard: the binding is then connected. */
  readonly peer?: Endpoint;
  /** Is told of an ICMP error about a datagram sent from here, as type and code of the peer's family. */
  readonly onError?: (type: number, code: number) => void;
}

/** A handler's place at a port. */
export class Binding {
  /** The own port. */
  readonly port: number;
  /** The own address; undefined: every one. */
  readonly address: Address | undefined;
  /** The only peer that is heard; undefined: everybody. */
  readonly peer: Endpoint | undefined;
  /** Takes the datagrams. */
  readonly receiver: Receiver<UdpIn>;
  /** Is told of ICMP errors. */
  readonly onError: (type: number, code: number) => void;
  readonly #bindings: Bindings;

  /** Made by {@linkcode Bindings.add}. */
  constructor(bindings: Bindings, port: number, options: BindOptions, handler: Receive<UdpIn>) {
    this.#bindings = bindings;
    this.port = port;
    this.address = options.address === undefined ? undefined : new Address().copy(options.address);
    const { peer } = options;
    this.peer = peer === undefined
      ? undefined
      : { address: new Address().copy(peer.address), port: peer.port };
    this.receiver = receiver(handler);
    this.onError = options.onError ?? (() => {});
  }

  /** Frees the port. A second call does nothing. */
  close(): void {
    this.#bindings.remove(this);
  }

  /** How closely this binding describes a datagram; below 0: not at all. */
  match(own: Address, peer: Address, peerPort: number): number {
    let score = 0;
    if (this.address !== undefined) {
      if (!this.address.equals(own)) return -1;
      score += 1;
    }
    if (this.peer !== undefined) {
      if (this.peer.port !== peerPort || !this.peer.address.equals(peer)) return -1;
      score += 2;
    }
    return score;
  }

  /** Whether two bindings would claim the same datagrams with equal right. */
  equals(address: Address | undefined, peer: Endpoint | undefined): boolean {
    return sameAddress(this.address, address) && sameAddress(this.peer?.address, peer?.address) &&
      this.peer?.port === peer?.port;
  }
}

const NONE: readonly Binding[] = [];

/** The bindings of a {@linkcode Udp} endpoint. Their number is up to the program, not to strangers. */
export class Bindings {
  readonly #ports = new Map<number, Binding[]>();
  readonly #ephemeral: RandomPorts;

  /** Without the secret nobody can tell which port is chosen next (RFC 6056). */
  constructor(secret: SipKey) {
    this.#ephemeral = new RandomPorts(secret);
  }

  /** Binds a handler; undefined: the port is taken, or none is free. */
  add(options: BindOptions, handler: Receive<UdpIn>): Binding | undefined {
    const port = options.port || this.#ephemeral.take((port) => !this.#ports.has(port));
    if (port === undefined) return undefined;
    if (!Number.isInteger(port) || port < 0 || port > 0xffff) {
      throw new RangeError(`a UDP port is a whole number from 0 to 65535, not ${port}`);
    }
    const bindings = this.#ports.get(port) ?? [];
    if (bindings.some((other) => other.equals(options.address, options.peer))) return undefined;
    const binding = new Binding(this, port, options, handler);
    this.#ports.set(port, [...bindings, binding]);
    return binding;
  }

  /** Frees a binding's port. */
  remove(binding: Binding): void {
    const rest = this.at(binding.port).filter((other) => other !== binding);
    if (rest.length === 0) this.#ports.delete(binding.port);
    else this.#ports.set(binding.port, rest);
  }

  /** The bindings of a port. A list once handed out never changes, so handlers may bind and close meanwhile. */
  at(port: number): readonly Binding[] {
    return this.#ports.get(port) ?? NONE;
  }

  /** The binding that describes a conversation most closely: connected before bound to an address before any. */
  find(port: number, own: Address, peer: Address, peerPort: number): Binding | undefined {
    const bindings = this.at(port);
    let best: Binding | undefined;
    let bestScore = -1;
    for (let index = 0; index < bindings.length; index++) {
      const score = bindings[index]!.match(own, peer, peerPort);
      if (score <= bestScore) continue;
      best = bindings[index];
      bestScore = score;
    }
    return best;
  }
}

function sameAddress(one: Address | undefined, other: Address | undefined): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other);
}
