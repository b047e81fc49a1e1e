/**
 * How an {@linkcode Ip} endpoint fills a link's empty buffers: its own work first, then the upper layer's.
 *
 * @module
 */
import type { ArpQuery } from "../arp/endpoint.ts";
import type { TimedSender } from "../handler.ts";
import type { LinkRaw } from "../link.ts";
import type { Instant } from "../store/time.ts";
import type { Ip } from "./endpoint.ts";
import { IpPacket, type IpRaw } from "./packet.ts";

/** The place of an {@linkcode Ip} endpoint in a sending tree. */
export class IpSender implements TimedSender<LinkRaw> {
  readonly #internal: ArpQuery;
  readonly #upper: TimedSender<IpRaw>;
  readonly #packet: IpPacket;

  /** A place below `upper`. */
  constructor(ip: Ip, upper: TimedSender<IpRaw>) {
    this.#internal = ip.arp.query();
    this.#upper = upper;
    this.#packet = new IpPacket(ip);
  }

  send(link: LinkRaw): void {
    // A buffer left empty ends the NIC's burst, so the upper layer gets every one that is not needed here.
    if (this.#internal.deadline() <= link.info.timestamp && this.#internal.offer(link)) return;
    this.#upper.send(this.#packet.enterRaw(link));
    this.#packet.leave();
  }

  deadline(): Instant {
    return Math.min(this.#internal.deadline(), this.#upper.deadline());
  }
}
