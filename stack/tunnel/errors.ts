/**
 * ICMP errors about a tunnel's packets, which come from routers between its ends (RFC 2003 4).
 *
 * @module
 */
import type { Receiver } from "../handler.ts";
import { Meaning, meaningOf, toldMtu } from "../icmp/meaning.ts";
import type { IcmpIn } from "../icmp/packet.ts";
import { Quote } from "../icmp/quote.ts";
import { Protocol } from "../wire/protocol.ts";
import type { Tunnel } from "./endpoint.ts";

/** No path is taken to be narrower than what every host takes, less than which only an attacker would tell (RFC 791 3.1). */
const LEAST_MTU = 576;

/** The place of a {@linkcode Tunnel} in the outer layer's tree for ICMP. */
export class TunnelErrors implements Receiver<IcmpIn> {
  readonly #tunnel: Tunnel;
  readonly #upper: Receiver<IcmpIn>;
  readonly #quote = new Quote();

  /** A place before `upper`. */
  constructor(tunnel: Tunnel, upper: Receiver<IcmpIn>) {
    this.#tunnel = tunnel;
    this.#upper = upper;
  }

  receive(packet: IcmpIn): void {
    const tunnel = this.#tunnel;
    const quote = this.#quote;
    if (!quote.read(packet) || !this.#isOurs()) {
      this.#upper.receive(packet);
      return;
    }
    tunnel.counters.errors++;
    if (meaningOf(packet) !== Meaning.TooBig) return;
    // RFC 2003 5.1: what does not fit is told to whoever sends through the tunnel, by its MTU.
    const mtu = toldMtu(packet);
    tunnel.info.enter(packet.info);
    if (mtu >= LEAST_MTU && mtu < quote.length) tunnel.info.narrow(mtu);
  }

  #isOurs(): boolean {
    const { protocol, source, destination } = this.#quote;
    const { local, remote, gre } = this.#tunnel;
    if (!destination.equals(remote) || !source.equals(local)) return false;
    return gre ? protocol === Protocol.Gre : protocol === Protocol.Ipv4 || protocol === Protocol.Ipv6;
  }
}
