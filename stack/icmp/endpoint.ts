/**
 * ICMP (RFC 792, with the rules of RFC 1122 3.2.2): echoes answered, everything else for a handler.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import { type Receive, type Receiver, receiver, type Send, sender, type TimedSender } from "../handler.ts";
import { DEFAULT_HOP_LIMIT, type IpIn, type IpRaw } from "../ip/packet.ts";
import type { Instant } from "../store/time.ts";
import { TokenBucket } from "../store/token-bucket.ts";
import { WireError } from "../wire/error.ts";
import * as icmpv4 from "../wire/icmpv4.ts";
import { Protocol } from "../wire/protocol.ts";
import { ErrorReporter } from "./error.ts";
import { type IcmpIn, IcmpPacket, type IcmpRaw } from "./packet.ts";

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
  /** Dropped: an echo request to a group. */
  groupEcho = 0;
  /** Dropped: an echo request, in silent mode. */
  silenced = 0;
  /** Dropped: the answer to an echo request could not be sent. */
  unanswered = 0;
  /** Dropped: a message that no handler takes. */
  unhandled = 0;
  /** Errors about received packets that were queued on the NIC. */
  errorsSent = 0;
  /** Errors not sent: RFC 1122 3.2.2 forbids them. */
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
  /** Hops that messages may make. Default 64. */
  readonly hopLimit?: number;
  /** How many errors about received packets may be sent a second. Default 1,000. */
  readonly errorRate?: number;
  /** How many of them may follow each other at once. Default 50. */
  readonly errorBurst?: number;
}

/** The ICMP side of a host. */
export class Icmp {
  /** What becomes of echo requests. */
  echo: EchoMode;
  /** Hops that messages may make. */
  hopLimit: number;
  /** Allows errors about received packets. */
  readonly errors: TokenBucket;
  /** What passed and what was dropped. */
  readonly counters: IcmpCounters = new IcmpCounters();
  readonly #reporter = new ErrorReporter(this);

  /** An endpoint; without options it answers echo requests. */
  constructor(options: IcmpOptions = {}) {
    this.echo = options.echo ?? "answer";
    this.hopLimit = options.hopLimit ?? DEFAULT_HOP_LIMIT;
    this.errors = new TokenBucket(options.errorRate ?? 1_000, options.errorBurst ?? 50);
  }

  /**
   * Answers a packet with an error about it, in its own buffer; the packet is then gone. `Illegal`: RFC 1122 3.2.2
   * forbids it. `Exhausted`: too many errors of late. Refused, the packet is as it was.
   */
  report(packet: IpIn, type: number, code: number, rest: number = 0): LayerError {
    return this.#reporter.report(packet, type, code, rest);
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
}

class IcmpReceiver implements Receiver<IpIn> {
  readonly #icmp: Icmp;
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
    if (ip.protocol !== Protocol.Icmp) {
      counters.otherProtocol++;
      return;
    }
    if (icmpv4.check(frame.bytes, at, frame.end) !== WireError.None) {
      counters.truncated++;
      return;
    }
    if (ip.info.capabilities.icmpv4.verify && !icmpv4.verifyChecksum(frame.bytes, at, frame.end)) {
      counters.wrongChecksum++;
      return;
    }
    counters.received++;
    const packet = this.#packet.enterIn(ip);
    if (packet.type === icmpv4.Type.EchoRequest && this.#icmp.echo !== "manual") this.#answer(packet);
    else if (this.#upper !== undefined) this.#upper.receive(packet);
    else counters.unhandled++;
    packet.leave();
  }

  #answer(packet: IcmpIn): void {
    const { counters, echo } = this.#icmp;
    if (echo === "silent") counters.silenced++;
    else if (packet.ip.isGroup) counters.groupEcho++;
    else if (packet.answer() !== LayerError.None) counters.unanswered++;
  }
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
