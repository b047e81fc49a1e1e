/**
 * What runs a host's link, at the one place in the tree that is for it.
 *
 * @module
 */
import type { LinkControl } from "../ip/endpoint.ts";
import type { IpIn, IpRaw } from "../ip/packet.ts";
import type { Membership } from "../multicast/endpoint.ts";
import { type Instant, NEVER } from "../store/time.ts";
import { type } from "../wire/icmpv6.ts";
import { bodyLength } from "../wire/ndp.ts";
import type { Ndp } from "./endpoint.ts";

/** NDP, where there is IPv6, and the membership in groups. */
export class LinkControls implements LinkControl {
  readonly #ndp: Ndp | undefined;
  readonly #membership: Membership;

  /** Both, or one of them. */
  constructor(ndp: Ndp | undefined, membership: Membership) {
    this.#ndp = ndp;
    this.#membership = membership;
  }

  receive(packet: IpIn): void {
    const { frame, payloadAt, isV4 } = packet;
    const isNdp = !isV4 && bodyLength(type(frame.bytes, payloadAt)) > 0;
    if (isNdp) this.#ndp?.receive(packet);
    else this.#membership.receive(packet);
  }

  send(packet: IpRaw): boolean {
    // RFC 4862 5.4.2: groups are joined before their addresses are asked for.
    return this.#membership.send(packet) || (this.#ndp?.send(packet) ?? false);
  }

  deadline(): Instant {
    return Math.min(this.#membership.deadline(), this.#ndp?.deadline() ?? NEVER);
  }
}
