/**
 * What a {@linkcode Tcp} endpoint does with an IP packet: every check a segment passes before its connection sees it,
 * and what becomes of segments that have none (RFC 9293 3.10.7.1 and 3.10.7.2).
 *
 * @module
 */
import type { Receiver } from "../handler.ts";
import type { IpIn } from "../ip/packet.ts";
import { WireError } from "../wire/error.ts";
import { Protocol } from "../wire/protocol.ts";
import * as wire from "../wire/tcp.ts";
import type { Tcp } from "./endpoint.ts";
import { answerSyn } from "./handshake.ts";
import type { Listener } from "./listener.ts";
import { SegmentOptions } from "./options.ts";
import { type TcpIn, TcpPacket } from "./packet.ts";
import { Replier } from "./reply.ts";
import { receiveSegment, Reply } from "./segment-in.ts";
import { TimeWaitAnswer } from "./time-wait.ts";

const { Flag } = wire;

/** The place of an endpoint in a receiving tree. */
export class TcpReceiver implements Receiver<IpIn> {
  readonly #tcp: Tcp;
  readonly #packet: TcpPacket;
  readonly #options = new SegmentOptions();
  readonly #replier: Replier;

  /** A place for an endpoint. */
  constructor(tcp: Tcp) {
    this.#tcp = tcp;
    this.#packet = new TcpPacket(tcp);
    this.#replier = new Replier(tcp);
  }

  receive(ip: IpIn): void {
    if (!this.#isFine(ip)) return;
    const tcp = this.#tcp;
    if (ip.info.timestamp !== tcp.clock.now) tcp.follow(ip.info);
    this.#tcp.counters.received++;
    const packet = this.#packet.enterIn(ip);
    this.#options.read(ip.frame.bytes, ip.payloadAt, (packet.flags & Flag.Syn) !== 0);
    this.#take(packet);
    packet.leave();
  }

  #isFine(ip: IpIn): boolean {
    const { counters } = this.#tcp;
    const { frame, payloadAt: at } = ip;
    if (ip.protocol !== Protocol.Tcp) {
      counters.otherProtocol++;
      return false;
    }
    const error = wire.check(frame.bytes, at, frame.end);
    if (error !== WireError.None) {
      if (error === WireError.Truncated) counters.truncated++;
      else counters.malformed++;
      return false;
    }
    if (
      ip.info.capabilities.tcp.verify && !frame.hasTrusted(at) &&
      !wire.verifyChecksum(frame.bytes, at, frame.end, ip.source, ip.destination)
    ) {
      counters.wrongChecksum++;
      return false;
    }
    if (ip.isGroup) counters.toGroup++;
    return !ip.isGroup;
  }

  #take(segment: TcpIn): void {
    const { source, destination } = segment.ip;
    const { sourcePort, destinationPort } = segment;
    const c = this.#tcp.connections.find(destination, destinationPort, source, sourcePort);
    if (c !== undefined) {
      const expected = c.rcvNxt;
      if (receiveSegment(c, segment, this.#options, this.#tcp.clock.micros) === Reply.Reset) {
        this.#replier.reset(segment);
      } else if (segment.length >= c.rcvMss && segment.sequence === expected) {
        this.#tcp.run.begin(c, segment, this.#options);
      }
      return;
    }
    const { timeWaits } = this.#tcp;
    const waiting = timeWaits.find(destination, destinationPort, source, sourcePort);
    const listener = this.#tcp.listenerFor(destination, destinationPort);
    if (waiting >= 0 && !this.#inTimeWait(waiting, segment, listener)) return;
    if (listener === undefined) this.#stray(segment);
    else this.#inListen(listener, segment, waiting >= 0 ? timeWaits.leastSequence : undefined);
  }

  /** Answers from TIME-WAIT; true: the segment is a SYN that may begin anew (RFC 6191). */
  #inTimeWait(waiting: number, segment: TcpIn, listener: Listener | undefined): boolean {
    const { timeWaits, counters, now, options } = this.#tcp;
    const isSyn = (segment.flags & Flag.Syn) !== 0;
    const mayOpen = isSyn && (segment.flags & Flag.Fin) === 0 && listener !== undefined &&
      listener.hasRoom() &&
      (this.#mayKeep(listener) ||
        // RFC 9293 3.6.1: a new connection's numbers are greater than the old one's, and a cookie's are as they are.
        this.#replier.isCookieFrom(timeWaits.leastAfter(waiting), segment, this.#options, now));
    const answer = timeWaits.receive(
      waiting,
      segment,
      this.#options,
      now,
      mayOpen,
      options.timestamps,
    );
    if (answer === TimeWaitAnswer.Reuse) return true;
    counters.inTimeWait++;
    if (answer === TimeWaitAnswer.Challenge) {
      if (!this.#tcp.challenges.take(now)) {
        counters.limitedChallenges++;
        return false;
      }
      counters.challenges++;
    }
    if (answer !== TimeWaitAnswer.None) this.#replier.timeWaitAck(segment, waiting, now);
    return false;
  }

  /** RFC 9293 3.10.7.2 */
  #inListen(listener: Listener, segment: TcpIn, least: number | undefined): void {
    const { flags } = segment;
    if ((flags & Flag.Rst) !== 0) return;
    if ((flags & Flag.Ack) !== 0) {
      if (this.#byCookie(listener, segment)) return;
      // The ACK of a cookie may be lost, and data behind it: what comes next has none, but its connection is to live.
      if (this.#tcp.synCookies.mayComeBack(this.#tcp.now)) this.#tcp.counters.stray++;
      else this.#stray(segment);
      return;
    }
    // A SYN that is a FIN as well is no host's that means well (RFC 7413 and RFC 9293 have no use for one).
    if ((flags & Flag.Syn) === 0 || (flags & Flag.Fin) !== 0) return;
    const { counters } = this.#tcp;
    if (!listener.hasRoom()) {
      counters.synDropped++;
      return;
    }
    if (this.#mayKeep(listener) && answerSyn(this.#tcp, listener, segment, this.#options, least)) return;
    counters.cookies++;
    this.#replier.cookie(segment, this.#options, this.#tcp.now);
  }

  /** Whether there is a place for a handshake; else a SYN is answered with a cookie. */
  #mayKeep(listener: Listener): boolean {
    return listener.halfOpen < listener.backlog && !this.#tcp.connections.isFull;
  }

  /** An ACK that completes a handshake of which nothing was kept. */
  #byCookie(listener: Listener, segment: TcpIn): boolean {
    return (segment.flags & Flag.Syn) === 0 &&
      this.#replier.acceptCookie(listener, segment, this.#options, this.#tcp.now);
  }

  /** RFC 9293 3.10.7.1: what belongs to nobody is answered with a reset, unless it is one. */
  #stray(segment: TcpIn): void {
    this.#tcp.counters.stray++;
    this.#replier.reset(segment);
  }
}
