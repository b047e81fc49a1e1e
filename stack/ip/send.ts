/**
 * How an {@linkcode Ip} endpoint fills a link's empty buffers: its own work first, then the upper layer's.
 *
 * @module
 */
import type { TimedSender } from "../handler.ts";
import { type HeldFrame, newRequest, type WaitingPacket } from "../host/neighbours.ts";
import type { LinkRaw } from "../link.ts";
import { LayerError } from "../error.ts";
import { copyBytes } from "../store/copy.ts";
import { Mac } from "../wire/mac.ts";
import type { Instant } from "../store/time.ts";
import type { Ip } from "./endpoint.ts";
import { Expiry } from "./expire.ts";
import { IpPacket, type IpRaw } from "./packet.ts";

/** How many packets may get in line for one buffer: what is sent without end must not keep us for ever. */
const LINED_UP = 8;

/** The place of an {@linkcode Ip} endpoint in a sending tree. */
export class IpSender implements TimedSender<LinkRaw> {
  readonly #ip: Ip;
  readonly #internal: TimedSender<LinkRaw>;
  readonly #upper: TimedSender<IpRaw>;
  readonly #packet: IpPacket;
  readonly #request = newRequest();
  readonly #expiry: Expiry;
  readonly #init = { destination: new Mac(), etherType: 0, length: 0 };
  /** A buffer whose packet waits, and that may be used for something else. */
  #left: LinkRaw | undefined;

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
    // What got in line has left its buffer, so that the request for its neighbour goes along at once.
    for (let count = 0; this.#left !== undefined; count++) {
      const left = this.#left;
      this.#left = undefined;
      if (count < LINED_UP) this.#internal.send(left);
    }
  }

  deadline(): Instant {
    const { linkControl, fragments, reassembly, neighbours, undelivered } = this.#ip;
    if (!fragments.isEmpty || neighbours.waiting.hasNews || !undelivered.isEmpty) return 0;
    const deadline = Math.min(this.#internal.deadline(), reassembly.deadline(), this.#upper.deadline());
    return linkControl === undefined ? deadline : Math.min(deadline, linkControl.deadline());
  }

  #fill(link: LinkRaw): void {
    const { fragments, linkControl, neighbours, redirects } = this.#ip;
    if (redirects.size > 0) redirects.review(link.info.timestamp);
    const wasEmpty = fragments.isEmpty;
    if (!wasEmpty && fragments.send(link)) return;
    if (neighbours.waiting.hasNews && this.#release(link)) return;
    const packet = this.#packet.enterRaw(link);
    if (linkControl === undefined) this.#forgo(link.info.timestamp);
    if (!this.#isUsed(packet)) this.#upper.send(packet);
    this.#packet.leave();
    this.#left = this.#packet.takeLeft();
    // A packet that has to leave in fragments has left the buffer empty: its first one goes into it.
    if (wasEmpty && !fragments.isEmpty) fragments.send(link);
  }

  /** Sends a packet whose neighbour's link address has become known; false: there is none. */
  #release(link: LinkRaw): boolean {
    const { waiting } = this.#ip.neighbours;
    this.#tellLost();
    for (let packet = waiting.takeReady(); packet !== undefined; packet = waiting.takeReady()) {
      const { held } = packet;
      if (held === undefined ? this.#sendCopy(link, packet) : this.#divide(link, packet, held)) return true;
      this.#ip.counters.notSent++;
    }
    return false;
  }

  /** RFC 4861 7.2.2, RFC 1122 2.3.2.2: the neighbour does not answer, which the senders are told. */
  #tellLost(): void {
    const { waiting } = this.#ip.neighbours;
    for (let packet = waiting.takeLost(); packet !== undefined; packet = waiting.takeLost()) {
      this.#ip.counters.notSent++;
      packet.origin?.undelivered(packet);
      packet.drop();
    }
  }

  /** False: the link refused it, and the buffer is still empty. */
  #sendCopy(link: LinkRaw, { bytes, at, end, mac, etherType }: WaitingPacket): boolean {
    const init = this.#init;
    init.destination.copy(mac);
    init.etherType = etherType;
    init.length = end - at;
    const out = link.prepare(init);
    if (typeof out === "number") return false;
    copyBytes(out.frame.bytes, out.payloadAt, bytes, at, end - at);
    if (out.send() === LayerError.None) this.#ip.counters.sent++;
    else this.#ip.counters.notSent++;
    return true;
  }

  /** What has waited in a frame of its own gets in line to be cut, and the first piece leaves. */
  #divide(link: LinkRaw, packet: WaitingPacket, held: HeldFrame): boolean {
    const { fragments } = this.#ip;
    packet.held = undefined;
    if (fragments.push(held, packet.mac, packet.etherType, link.info) !== LayerError.None) {
      held.isTaken = false;
      return false;
    }
    fragments.send(link);
    return true;
  }

  /** Whether the layer itself has sent something. */
  #isUsed(packet: IpRaw): boolean {
    const { linkControl, reassembly, undelivered } = this.#ip;
    if (linkControl?.send(packet) === true) return true;
    if (!undelivered.isEmpty && undelivered.send(packet, packet.info.timestamp)) return true;
    return reassembly.size > 0 && this.#expiry.send(packet, packet.info.timestamp);
  }

  /** Where nobody speaks NDP, nobody asks for IPv6 neighbours: their look-ups end by time alone. */
  #forgo(now: Instant): void {
    const { neighbours } = this.#ip;
    if (neighbours.deadline() > now) return;
    while (neighbours.nextRequest(now, this.#request, false));
  }
}
