/**
 * Packets that the kernel gives to any stack of a host, because it knows only their addresses: ICMP errors, and segments
 * that were put together from fragments. They go round until they are with whom they are for; what nobody knows is dealt
 * with by the last.
 */
import {
  type Frame,
  type IcmpIn,
  type IpIn,
  knowsConnection,
  Protocol,
  Quote,
  type Receiver,
  type Tcp,
} from "../../mod.ts";

/** Where packets go that are another stack's: a `ShardNic` is such a place. */
export interface Passing {
  /** Whether a packet came by the own queue as it is, so that its flow is ours. */
  readonly isFirstHand: (packet: Frame) => boolean;
  /** Passes the packet that is being dealt with to the next stack; false: it has been with all. */
  readonly passOn: (packet: Frame) => boolean;
}

function port(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

/** Hands TCP its own segments, and others when nobody else has them. */
export class SegmentRounds implements Receiver<IpIn> {
  readonly #tcp: Tcp;
  readonly #rest: Receiver<IpIn>;
  readonly #passing: Passing;

  constructor(tcp: Tcp, passing: Passing) {
    this.#tcp = tcp;
    this.#rest = tcp.recv();
    this.#passing = passing;
  }

  receive(packet: IpIn): void {
    const { frame } = packet;
    if (this.#passing.isFirstHand(frame) || this.#isOurs(packet) || !this.#passing.passOn(frame)) {
      this.#rest.receive(packet);
    }
  }

  /** Of what is too short for ports, TCP counts what is wrong. */
  #isOurs({ frame, payloadAt: at, source, destination }: IpIn): boolean {
    if (frame.end - at < 4) return true;
    return knowsConnection(this.#tcp, destination, port(frame.bytes, at + 2), source, port(frame.bytes, at));
  }
}

/** Hands on the ICMP errors about the own segments and datagrams, and all other messages. */
export class ErrorRounds implements Receiver<IcmpIn> {
  readonly #tcp: Tcp;
  readonly #rest: Receiver<IcmpIn>;
  readonly #passing: Passing;
  readonly #quote = new Quote();

  constructor(tcp: Tcp, rest: Receiver<IcmpIn>, passing: Passing) {
    this.#tcp = tcp;
    this.#rest = rest;
    this.#passing = passing;
  }

  receive(packet: IcmpIn): void {
    const { frame } = packet;
    const isQuote = this.#quote.read(packet);
    if (isQuote && this.#quote.protocol === Protocol.Tcp) {
      if (!this.#isOurs(frame.bytes) && this.#passing.passOn(frame)) return;
    } // All stacks are bound alike, so an error about a datagram is news to each.
    else if (isQuote && this.#quote.protocol === Protocol.Udp) this.#passing.passOn(frame);
    this.#rest.receive(packet);
  }

  #isOurs(bytes: Uint8Array): boolean {
    const { source, destination, at } = this.#quote;
    return knowsConnection(this.#tcp, source, port(bytes, at), destination, port(bytes, at + 2));
  }
}
