/**
 * ICMP of both families (RFC 792 with the rules of RFC 1122 3.2.2, RFC 4443): echoes answered, everything else for a
 * handler.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import { type Receive, type Receiver, receiver, type Send, sender, type TimedSender } from "../handler.ts";
import type { IpIn, IpRaw } from "../ip/packet.ts";
import type { Instant } from "../store/time.ts";
import { WireError } from "../wire/error.ts";
import * as icmpv4 from "../wire/icmpv4.ts";
import * as icmpv6 from "../wire/icmpv6.ts";
import { Protocol } from "../wire/protocol.ts";
import { LargeEchoes } from "./large-echoes.ts";
import { Meaning, meaningOf, toldMtu } from "./meaning.ts";
import { type IcmpIn, IcmpPacket, type IcmpRaw } from "./packet.ts";
import { Quote } from "./quote.ts";
import { followRedirect } from "./redirect.ts";

/** What passed an {@linkcode Icmp} endpoint, and what did not, by reason. */
export class IcmpCounters {
  /** Messages whose checksum is right. */
  received = 0;
  /** Messages queued on the NIC, answers included. */
  sent = 0;
  /** Echo requests answered. */
  answered = 0;
  /** Dropped: a packet of another protocol, which no handler took. */
  otherProtocol = 0;
  /** Dropped: shorter than a header. */
  truncated = 0;
  /** Dropped: the checksum is wrong. */
  wrongChecksum = 0;
  /** Dropped: an echo request to a group of IPv4. */
  groupEcho = 0;
  /** Dropped: an echo request, in silent mode. */
  silenced = 0;
  /** Dropped: the answer to an echo request could not be sent. */
  unanswered = 0;
  /** Dropped: a message that no handler takes. */
  unhandled = 0;
  /** Redirects of IPv4 that are followed (RFC 1122 3.2.2.2). */
  redirects = 0;
  /** Redirects of IPv4 that are not: not from the gateway in use, to no other host on the link, or about nothing of ours. */
  badRedirect = 0;
  /** Errors about received packets that were queued on the NIC. */
  errorsSent = 0;
  /** Errors not sent: RFC 1122 3.2.2 or RFC 4443 2.4 forbids them. */
  forbiddenError = 0;
  /** Errors not sent: there were too many of late. */
  limitedError = 0;
}

/** What becomes of echo requests: answered, dropped, or left to the handler. */
export type EchoMode = "answer" | "silent" | "manual";

/** How an {@linkcode Icmp} endpoint is set up. */
export interface IcmpOptions {
  /** What becomes of echo requests. Default "answer". */
  readonly echo?: EchoMode;
  /** Hops that messages may make. Default: 64, or what a router advises for IPv6 (RFC 4861 6.3.4). */
  readonly hopLimit?: number;
}

/** The ICMP side of a host. */
export class Icmp {
  /** What becomes of echo requests. */
  echo: EchoMode;
  /** Hops that messages may make; undefined: IP's default, 64, or what a router advises for IPv6. */
  hopLimit: number | undefined;
  /** What passed and what was dropped. */
  readonly counters: IcmpCounters = new IcmpCounters();
  /**
   * Long replies that were sent of late.
   *
   * @internal
   */
  readonly largeEchoes: LargeEchoes = new LargeEchoes();

  /** An endpoint; without options it answers echo requests. */
  constructor(options: IcmpOptions = {}) {
    this.echo = options.echo ?? "answer";
    this.hopLimit = options.hopLimit;
  }

  /**
   * Answers a packet with an error about it, in its own buffer; the packet is then gone. Type and code are those of
   * the packet's family. `Illegal`: RFC 1122 3.2.2 or RFC 4443 2.4 forbids it. `Exhausted`: the host has sent too many
   * errors of late. Refused, the packet is as it was.
   */
  report(packet: IpIn, type: number, code: number, rest: number = 0): LayerError {
    return this.#count(packet.ip.errors.report(packet, type, code, rest));
  }

  /** Answers a packet whose protocol nobody speaks with the error that says so, as {@linkcode Icmp.report} does. */
  unknownProtocol(packet: IpIn): LayerError {
    return this.#count(packet.ip.errors.unknownProtocol(packet));
  }

  /** Answers a packet to a closed port with the error that says so, as {@linkcode Icmp.report} does. */
  closedPort(packet: IpIn): LayerError {
    return this.#count(packet.ip.errors.closedPort(packet));
  }

  /** A receiver that deals with echo requests and has no use for anything else. */
  answer(): Receiver<IpIn> {
    return new IcmpReceiver(this, undefined);
  }

  /** A receiver that deals with echo requests and hands every other message to `upper`; in manual mode, all. */
  recv(upper: Receive<IcmpIn>): Receiver<IpIn> {
    return new IcmpReceiver(this, receiver(upper));
  }

  /** Lets `upper` fill messages. */
  send(upper: Send<IcmpRaw>): TimedSender<IpRaw> {
    return new IcmpSender(this, sender(upper));
  }

  #count(error: LayerError): LayerError {
    const { counters } = this;
    if (error === LayerError.None) {
      counters.sent++;
      counters.errorsSent++;
    } else if (error === LayerError.Illegal) counters.forbiddenError++;
    else if (error === LayerError.Exhausted) counters.limitedError++;
    return error;
  }
}

class IcmpReceiver implements Receiver<IpIn> {
  readonly #icmp: Icmp;
  readonly #quote = new Quote();
  readonly #upper: Receiver<IcmpIn> | undefined;
  readonly #packet: IcmpPacket;

  constructor(icmp: Icmp, upper: Receiver<IcmpIn> | undefined) {
    this.#icmp = icmp;
    this.#upper = upper;
    this.#packet = new IcmpPacket(icmp);
  }

  receive(ip: IpIn): void {
    const { counters } = this.#icmp;
    const { frame, payloadAt: at } = ip;
    if (ip.protocol !== (ip.isV4 ? Protocol.Icmp : Protocol.Icmpv6)) {
      counters.otherProtocol++;
      return;
    }
    if (icmpv4.check(frame.bytes, at, frame.end) !== WireError.None) {
      counters.truncated++;
      return;
    }
    if (!isChecksumFine(ip)) {
      counters.wrongChecksum++;
      return;
    }
    counters.received++;
    const packet = this.#packet.enterIn(ip);
    if (packet.isError) this.#heed(packet);
    if (packet.isEchoRequest && this.#icmp.echo !== "manual") this.#answer(packet);
    else if (this.#upper !== undefined) this.#upper.receive(packet);
    else counters.unhandled++;
    packet.leave();
  }

  #heed(packet: IcmpIn): void {
    const { counters } = this.#icmp;
    if (!packet.isV4 || packet.type !== icmpv4.Type.Redirect) this.#learn(packet);
    else if (followRedirect(packet, this.#quote)) counters.redirects++;
    else counters.badRedirect++;
  }

  /** RFC 1191 6.2, RFC 8201 5.2: a reply was too long for its path, so the next one will be sent in fragments. */
  #learn(packet: IcmpIn): void {
    const quote = this.#quote;
    if (meaningOf(packet) !== Meaning.TooBig || !quote.read(packet)) return;
    const { bytes } = packet.frame;
    const reply = packet.isV4 ? icmpv4.Type.EchoReply : icmpv6.Type.EchoReply;
    const isEcho = quote.protocol === (packet.isV4 ? Protocol.Icmp : Protocol.Icmpv6) &&
      icmpv4.type(bytes, quote.at) === reply;
    if (!isEcho || !this.#icmp.largeEchoes.has(quote.destination, icmpv4.rest(bytes, quote.at))) return;
    const { pathMtus } = packet.ip.ip;
    pathMtus.learn(quote.destination, toldMtu(packet), quote.length, packet.info.timestamp);
  }

  #answer(packet: IcmpIn): void {
    const { counters, echo } = this.#icmp;
    if (echo === "silent") counters.silenced++;
    else if (packet.isV4 && packet.ip.isGroup) counters.groupEcho++;
    else if (packet.answer() !== LayerError.None) counters.unanswered++;
  }
}

function isChecksumFine({ isV4, frame, payloadAt, info, source, destination }: IpIn): boolean {
  const { icmpv4: v4, icmpv6: v6 } = info.capabilities;
  if (isV4) return !v4.verify || icmpv4.verifyChecksum(frame.bytes, payloadAt, frame.end);
  return !v6.verify || icmpv6.verifyChecksum(frame.bytes, payloadAt, frame.end, source, destination);
}

class IcmpSender implements TimedSender<IpRaw> {
  readonly #upper: TimedSender<IcmpRaw>;
  readonly #packet: IcmpPacket;

  constructor(icmp: Icmp, upper: TimedSender<IcmpRaw>) {
    this.#upper = upper;
    this.#packet = new IcmpPacket(icmp);
  }

  send(ip: IpRaw): void {
    this.#upper.send(this.#packet.enterRaw(ip));
    this.#packet.leave();
  }

  deadline(): Instant {
    return this.#upper.deadline();
  }
}
