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
import type { UdpRaw } from "../stack/udp/packet.ts";

/** Offers each buffer to the one whose turn it is, and to the other one if that has nothing. */
export class TransportSender implements TimedSender<IpRaw> {
  readonly #tcp: Tcp;
  readonly #udp: Udp;
  readonly #tcpSender: TimedSender<IpRaw>;
  readonly #udpSender: TimedSender<IpRaw>;
  #isUdpTurn = false;

  /** A sender for what `datagrams` has to send and the segments of `tcp`. */
  constructor(tcp: Tcp, udp: Udp, datagrams: TimedSender<UdpRaw>) {
    this.#tcp = tcp;
    this.#udp = udp;
    this.#tcpSender = tcp.send();
    this.#udpSender = udp.send(datagrams);
  }

  send(raw: IpRaw): void {
    this.#isUdpTurn = !this.#isUdpTurn;
    if (this.#isUdpTurn) {
      if (!this.#sendUdp(raw)) this.#sendTcp(raw);
    } else if (!this.#sendTcp(raw)) this.#sendUdp(raw);
  }

  deadline(): Instant {
    return Math.min(this.#tcpSender.deadline(), this.#udpSender.deadline());
  }

  #sendUdp(raw: IpRaw): boolean {
    const { counters } = this.#udp;
    const before = counters.sent + counters.notSent;
    this.#udpSender.send(raw);
    return counters.sent + counters.notSent !== before;
  }

  #sendTcp(raw: IpRaw): boolean {
    const { counters } = this.#tcp;
    const before = counters.sent + counters.notSent;
    this.#tcpSender.send(raw);
    return counters.sent + counters.notSent !== before;
  }
}
