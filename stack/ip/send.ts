/**
 * How an {@linkcode Ip} endpoint fills a link's empty buffers: its own work first, then the upper layer's.
 *
 * @module
 */
import type { TimedSender } from "../handler.ts";
import { newRequest } from "../host/neighbours.ts";
import type { LinkRaw } from "../link.ts";
import { LayerError } from "../error.ts";
import { copyBytes } from "../store/copy.ts";
import { Mac } from "../wire/mac.ts";
import type { Instant } from "../store/time.ts";
import type { Ip } from "./endpoint.ts";
import { Expiry } from "./expire.ts";
import { IpPacket, type IpRaw } from "./packet.ts";

/** The place of an {@linkcode Ip} endpoint in a sending tree. */
export class IpSender implements TimedSender<LinkRaw> {
  readonly #ip: Ip;
  readonly #internal: TimedSender<LinkRaw>;
  readonly #upper: TimedSender<IpRaw>;
  readonly #packet: IpPacket;
  readonly #request = newRequest();
  readonly #expiry: Expiry;
  readonly #init = { destination: new Mac(), etherType: 0, length: 0 };

  /** A place below `upper`. */
  constructor(ip: Ip, upper: TimedSender<IpRaw>) {
    this.#ip = ip;
    this.#upper = upper;
    this.#packet = new IpPacket(ip);
    this.#expiry = new Expiry(ip);
    this.#internal = ip.arp.query((link) => this.#fill(link));
  }

  send(link: LinkRaw): void {
    this.#internal.send(link);
  }

  deadline(): Instant {
    const { linkControl, fragments, reassembly, neighbours } = this.#ip;
    if (!fragments.isEmpty || neighbours.waiting.hasNews) return 0;
    const deadline = Math.min(this.#internal.deadline(), reassembly.deadline(), this.#upper.deadline());
    return linkControl === undefined ? deadline : Math.min(deadline, linkControl.deadline());
  }

  #fill(link: LinkRaw): void {
    const { fragments, linkControl, neighbours } = this.#ip;
    const wasEmpty = fragments.isEmpty;
    if (!wasEmpty && fragments.send(link)) return;
    if (neighbours.waiting.hasNews && this.#release(link)) return;
    const packet = this.#packet.enterRaw(link);
    if (linkControl === undefined) this.#forgo(link.info.timestamp);
    if (!this.#isUsed(packet)) this.#upper.send(packet);
    this.#packet.leave();
    // A packet that has to leave in fragments has left the buffer empty: its first one goes into it.
    if (wasEmpty && !fragments.isEmpty) fragments.send(link);
  }

  /** Sends a packet whose neighbour's link address has become known; false: there is none. */
  #release(link: LinkRaw): boolean {
    const { neighbours, counters } = this.#ip;
    const { waiting } = neighbours;
    // Answers that could not be given are nobody's loss but the asker's, who does not answer either.
    while (waiting.takeLost() !== undefined) counters.notSent++;
    const init = this.#init;
    for (let packet = waiting.takeReady(); packet !== undefined; packet = waiting.takeReady()) {
      init.destination.copy(packet.mac);
      init.etherType = packet.etherType;
      init.length = packet.length;
      const out = link.prepare(init);
      if (typeof out === "number") {
        counters.notSent++;
        continue;
      }
      copyBytes(out.frame.bytes, out.payloadAt, packet.bytes, 0, packet.length);
      if (out.send() === LayerError.None) counters.sent++;
      else counters.notSent++;
      return true;
    }
    return false;
  }

  /** Whether the layer itself has sent something. */
  #isUsed(packet: IpRaw): boolean {
    const { linkControl, reassembly } = this.#ip;
    if (linkControl?.send(packet) === true) return true;
    return reassembly.size > 0 && this.#expiry.send(packet, packet.info.timestamp);
  }

  /** Where nobody speaks NDP, nobody asks for IPv6 neighbours: their look-ups end by time alone. */
  #forgo(now: Instant): void {
    const { neighbours } = this.#ip;
    if (neighbours.deadline() > now) return;
    while (neighbours.nextRequest(now, this.#request, false));
  }
}
