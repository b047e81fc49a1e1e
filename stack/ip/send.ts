/**
 * How an {@linkcode Ip} endpoint fills a link's empty buffers: its own work first, then the upper layer's.
 *
 * @module
 */
import type { TimedSender } from "../handler.ts";
import { newRequest } from "../host/neighbours.ts";
import type { LinkRaw } from "../link.ts";
import type { Instant } from "../store/time.ts";
import type { Ip } from "./endpoint.ts";
import { IpPacket, type IpRaw } from "./packet.ts";

/** The place of an {@linkcode Ip} endpoint in a sending tree. */
export class IpSender implements TimedSender<LinkRaw> {
  readonly #ip: Ip;
  readonly #internal: TimedSender<LinkRaw>;
  readonly #upper: TimedSender<IpRaw>;
  readonly #packet: IpPacket;
  readonly #request = newRequest();

  /** A place below `upper`. */
  constructor(ip: Ip, upper: TimedSender<IpRaw>) {
    this.#ip = ip;
    this.#upper = upper;
    this.#packet = new IpPacket(ip);
    this.#internal = ip.arp.query((link) => this.#fill(link));
  }

  send(link: LinkRaw): void {
    this.#internal.send(link);
  }

  deadline(): Instant {
    const { linkControl } = this.#ip;
    const deadline = Math.min(this.#internal.deadline(), this.#upper.deadline());
    return linkControl === undefined ? deadline : Math.min(deadline, linkControl.deadline());
  }

  #fill(link: LinkRaw): void {
    const { linkControl } = this.#ip;
    const packet = this.#packet.enterRaw(link);
    if (linkControl === undefined) this.#forgo(link.info.timestamp);
    if (linkControl === undefined || !linkControl.send(packet)) this.#upper.send(packet);
    this.#packet.leave();
  }

  /** Where nobody speaks NDP, nobody asks for IPv6 neighbours: their look-ups end by time alone. */
  #forgo(now: Instant): void {
    const { neighbours } = this.#ip;
    if (neighbours.deadline() > now) return;
    while (neighbours.nextRequest(now, this.#request, false));
  }
}
