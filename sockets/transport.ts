/**
 * The sending half of a stack's tree above IP: TCP and datagrams take turns.
 *
 * @module
 */
import type { TimedSender } from "../stack/handler.ts";
import type { IpRaw } from "../stack/ip/packet.ts";
import type { Instant } from "../stack/store/time.ts";
import type { Tcp } from "../stack/tcp/endpoint.ts";
import type { Udp } from "../stack/udp/endpoint.ts";
import type { Outbox } from "./outbox.ts";

/** Offers each buffer to the one whose turn it is, and to the other one if that has nothing. */
export class TransportSender implements TimedSender<IpRaw> {
  readonly #tcp: Tcp;
  readonly #tcpSender: TimedSender<IpRaw>;
  readonly #udpSender: TimedSender<IpRaw>;
  readonly #outbox: Outbox;
  #isUdpTurn = false;
  #isFilled = false;

  /** A sender for the datagrams of `outbox` and the segments of `tcp`. */
  constructor(tcp: Tcp, udp: Udp, outbox: Outbox) {
    this.#tcp = tcp;
    this.#outbox = outbox;
    this.#tcpSender = tcp.send();
    this.#udpSender = udp.send((raw) => {
      this.#isFilled = outbox.fill(raw);
    });
  }

  send(raw: IpRaw): void {
    this.#isUdpTurn = !this.#isUdpTurn;
    if (this.#isUdpTurn) {
      if (!this.#sendUdp(raw)) this.#sendTcp(raw);
    } else if (!this.#sendTcp(raw)) this.#sendUdp(raw);
  }

  deadline(): Instant {
    return Math.min(this.#tcpSender.deadline(), this.#outbox.deadline());
  }

  #sendUdp(raw: IpRaw): boolean {
    this.#isFilled = false;
    this.#udpSender.send(raw);
    return this.#isFilled;
  }

  #sendTcp(raw: IpRaw): boolean {
    const { counters } = this.#tcp;
    const before = counters.sent + counters.notSent;
    this.#tcpSender.send(raw);
    return counters.sent + counters.notSent !== before;
  }
}
