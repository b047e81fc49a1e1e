/**
 * The fork of a receiving tree: each IP packet goes to the handler of its protocol.
 *
 * @module
 */
import { type Receive, type Receiver, receiver } from "../handler.ts";
import { Protocol } from "../wire/protocol.ts";
import type { IpIn } from "./packet.ts";

/** The handlers of a {@linkcode protocols} fork; an absent one drops its packets, uncounted: name `other` to see them. */
export interface ProtocolHandlers {
  /** Takes ICMP of both families: `icmp.answer()`, `icmp.recv(...)`. */
  readonly icmp?: Receive<IpIn>;
  /** Takes UDP: `udp.recv(...)`. */
  readonly udp?: Receive<IpIn>;
  /** Takes TCP. */
  readonly tcp?: Receive<IpIn>;
  /** Takes every other protocol, and those above that have no handler. */
  readonly other?: Receive<IpIn>;
}

/** A receiver that hands each packet to the handler of its protocol. */
export function protocols(handlers: ProtocolHandlers): Receiver<IpIn> {
  const other = handlers.other ?? (() => {});
  return new ProtocolFork(
    receiver(handlers.icmp ?? other),
    receiver(handlers.udp ?? other),
    receiver(handlers.tcp ?? other),
    receiver(other),
  );
}

/** Named fields instead of a table, so that each call has one callee and can be inlined. */
class ProtocolFork implements Receiver<IpIn> {
  readonly #icmp: Receiver<IpIn>;
  readonly #udp: Receiver<IpIn>;
  readonly #tcp: Receiver<IpIn>;
  readonly #other: Receiver<IpIn>;

  constructor(icmp: Receiver<IpIn>, udp: Receiver<IpIn>, tcp: Receiver<IpIn>, other: Receiver<IpIn>) {
    this.#icmp = icmp;
    this.#udp = udp;
    this.#tcp = tcp;
    this.#other = other;
  }

  receive(packet: IpIn): void {
    const { protocol } = packet;
    if (protocol === Protocol.Tcp) this.#tcp.receive(packet);
    else if (protocol === Protocol.Udp) this.#udp.receive(packet);
    else if (protocol === Protocol.Icmp || protocol === Protocol.Icmpv6) this.#icmp.receive(packet);
    else this.#other.receive(packet);
  }
}
