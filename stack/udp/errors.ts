/**
 * ICMP errors about our datagrams, for the bindings that sent them.
 *
 * @module
 */
import type { Receiver } from "../handler.ts";
import type { Origin, WaitingPacket } from "../host/neighbours.ts";
import type { IcmpIn } from "../icmp/packet.ts";
import { Meaning, meaningOf, toldMtu } from "../icmp/meaning.ts";
import { Quote } from "../icmp/quote.ts";
import { Sent } from "../ip/sent.ts";
import * as icmpv4 from "../wire/icmpv4.ts";
import * as icmpv6 from "../wire/icmpv6.ts";
import { Protocol } from "../wire/protocol.ts";
import * as udp from "../wire/udp.ts";
import type { Bindings } from "./bindings.ts";
import type { Udp } from "./endpoint.ts";

/**
 * Tells connected bindings of ICMP errors (RFC 1122 4.1.3.3). An unconnected one sends to many, so no error is its
 * own, and whoever forges one would have to know the ports of a conversation (RFC 5927 4).
 */
export class ErrorReceiver implements Receiver<IcmpIn> {
  readonly #udp: Udp;
  readonly #bindings: Bindings;
  readonly #upper: Receiver<IcmpIn> | undefined;
  readonly #quote = new Quote();

  /** A receiver that hands what is no error about UDP to `upper`. */
  constructor(endpoint: Udp, bindings: Bindings, upper: Receiver<IcmpIn> | undefined) {
    this.#udp = endpoint;
    this.#bindings = bindings;
    this.#upper = upper;
  }

  receive(packet: IcmpIn): void {
    const quote = this.#quote;
    if (!quote.read(packet) || quote.protocol !== Protocol.Udp) {
      if (this.#upper !== undefined) this.#upper.receive(packet);
      else this.#udp.counters.strayErrors++;
      return;
    }
    const { bytes } = packet.frame;
    const { source, destination, at } = quote;
    const port = udp.sourcePort(bytes, at);
    const binding = this.#bindings.find(port, source, destination, udp.destinationPort(bytes, at));
    // RFC 1191 6.2, RFC 8201 5.2: whoever is bound there may have sent it, and the next one will be sent in fragments.
    if (binding !== undefined && meaningOf(packet) === Meaning.TooBig) {
      packet.ip.ip.pathMtus.learn(destination, toldMtu(packet), quote.length, packet.info.timestamp);
    }
    if (binding?.peer === undefined) {
      this.#udp.counters.strayErrors++;
      return;
    }
    this.#udp.counters.errors++;
    binding.onError(packet.type, packet.code);
  }
}

/**
 * RFC 1122 2.3.2.2 and 4.1.3.3, RFC 4861 7.2.2: a connected binding hears of a datagram whose neighbour does not answer
 * what a router would say of it, host unreachable.
 */
export class UndeliveredDatagrams implements Origin {
  readonly #udp: Udp;
  readonly #bindings: Bindings;
  readonly #sent = new Sent();

  /** For the bindings of an endpoint. */
  constructor(endpoint: Udp, bindings: Bindings) {
    this.#udp = endpoint;
    this.#bindings = bindings;
  }

  undelivered(packet: WaitingPacket): void {
    const { source, destination, isV4, payloadAt: at } = this.#sent.read(packet);
    const { bytes } = packet;
    const binding = this.#bindings.find(
      udp.sourcePort(bytes, at),
      source,
      destination,
      udp.destinationPort(bytes, at),
    );
    if (binding?.peer === undefined) return;
    this.#udp.counters.errors++;
    if (isV4) binding.onError(icmpv4.Type.DestinationUnreachable, icmpv4.Unreachable.Host);
    else binding.onError(icmpv6.Type.DestinationUnreachable, icmpv6.Unreachable.Address);
  }
}
