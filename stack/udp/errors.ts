/**
 * ICMP errors about our datagrams, for the bindings that sent them.
 *
 * @module
 */
import type { Receiver } from "../handler.ts";
import type { IcmpIn } from "../icmp/packet.ts";
import { Address } from "../wire/address.ts";
import * as icmpv4 from "../wire/icmpv4.ts";
import * as ipv4 from "../wire/ipv4.ts";
import { Protocol } from "../wire/protocol.ts";
import * as udp from "../wire/udp.ts";
import type { Bindings } from "./bindings.ts";
import type { Udp } from "./endpoint.ts";

/** As much of a quoted datagram as is needed: its ports (RFC 792 has errors quote 8 bytes). */
const QUOTED_LENGTH = 8;

/**
 * Tells connected bindings of ICMP errors (RFC 1122 4.1.3.3). An unconnected one sends to many, so no error is its
 * own, and whoever forges one would have to know the ports of a conversation (RFC 5927 4).
 */
export class ErrorReceiver implements Receiver<IcmpIn> {
  readonly #udp: Udp;
  readonly #bindings: Bindings;
  readonly #upper: Receiver<IcmpIn> | undefined;
  readonly #own = new Address();
  readonly #peer = new Address();

  /** A receiver that hands what is no error about UDP to `upper`. */
  constructor(endpoint: Udp, bindings: Bindings, upper: Receiver<IcmpIn> | undefined) {
    this.#udp = endpoint;
    this.#bindings = bindings;
    this.#upper = upper;
  }

  receive(packet: IcmpIn): void {
    const { bytes, end } = packet.frame;
    const at = packet.payloadAt;
    if (!icmpv4.isError(packet.type) || !quotesUdp(bytes, at, end)) {
      if (this.#upper !== undefined) this.#upper.receive(packet);
      else this.#udp.counters.strayErrors++;
      return;
    }
    const header = at + ipv4.headerLength(bytes, at);
    this.#own.readV4(bytes, at + ipv4.SOURCE);
    this.#peer.readV4(bytes, at + ipv4.DESTINATION);
    const port = udp.sourcePort(bytes, header);
    const binding = this.#bindings.find(port, this.#own, this.#peer, udp.destinationPort(bytes, header));
    if (binding?.peer === undefined || !this.#own.equals(packet.ip.destination)) {
      this.#udp.counters.strayErrors++;
      return;
    }
    this.#udp.counters.errors++;
    binding.onError(packet.type, packet.code);
  }
}

/** Whether `bytes[at..end)` starts with the header of a UDP packet that is no later fragment, and its ports. */
function quotesUdp(bytes: Uint8Array, at: number, end: number): boolean {
  // The quotation may be cut off anywhere behind the ports, so only the header itself is checked.
  if (end - at < ipv4.HEADER_LENGTH || ipv4.version(bytes, at) !== 4) return false;
  const header = ipv4.headerLength(bytes, at);
  if (header < ipv4.HEADER_LENGTH || end - at < header + QUOTED_LENGTH) return false;
  return ipv4.protocol(bytes, at) === Protocol.Udp && ipv4.fragmentOffset(bytes, at) === 0;
}
