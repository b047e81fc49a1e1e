/**
 * ARP (RFC 826): answers who asks for an own address, learns from what is heard, asks for neighbours.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import { type Receive, type Receiver, receiver, type Send, sender, type TimedSender } from "../handler.ts";
import type { Addresses } from "../host/addresses.ts";
import { type NeighbourRequest, type Neighbours, newRequest } from "../host/neighbours.ts";
import { RouteKind, type Routes } from "../host/routes.ts";
import type { LinkIn, LinkRaw } from "../link.ts";
import { Random } from "../loss/random.ts";
import type { Instant } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import * as arp from "../wire/arp.ts";
import { EtherType } from "../wire/ethernet.ts";
import { WireError } from "../wire/error.ts";
import { Mac } from "../wire/mac.ts";
import { ConflictDetection } from "./conflict.ts";
import { type ArpIn, type ArpInit, ArpPacket, type ArpRaw } from "./packet.ts";

/** Answers that wait for the next tx because the NIC could not send the request's own buffer. */
const PENDING_ANSWERS = 16;

/** What passed an {@linkcode Arp} endpoint, and what did not, by reason. */
export class ArpCounters {
  /** Well-formed packets. */
  received = 0;
  /** Requests and replies queued on the NIC. */
  sent = 0;
  /** Requests for an own address. */
  requests = 0;
  /** Dropped: another EtherType than ARP's. */
  otherEtherType = 0;
  /** Dropped: truncated, or not Ethernet with IPv4. */
  malformed = 0;
  /** Dropped: the sender cannot have that address, or claims one of ours. */
  badSender = 0;
  /** Answers put off to the next tx. */
  postponed = 0;
  /** Answers lost: the NIC refused and no more can be put off. */
  unanswered = 0;
}

/** How an {@linkcode Arp} endpoint is set up: with the tables of its host. */
export interface ArpOptions {
  /** The addresses to answer for. */
  readonly addresses: Addresses;
  /** Where what is learnt goes, and who is to be asked. */
  readonly neighbours: Neighbours;
  /** Who is on the link beside the own subnets' hosts. Absent: nobody. */
  readonly routes?: Routes;
  /** What random delays are made of. Default 0. */
  readonly seed?: number;
}

const BROADCAST = Mac.broadcast();

class ReusedArpInit implements ArpInit {
  operation: number = arp.Operation.Request;
  readonly sender = new Address();
  readonly targetMac = new Mac();
  readonly target = new Address();
  readonly destination = new Mac();
}

/** The ARP side of a host. {@linkcode Ip} has one inside; it also stands alone, as a proxy or a monitor. */
export class Arp {
  /** The addresses answered for. */
  readonly addresses: Addresses;
  /** What is known of the link's hosts. */
  readonly neighbours: Neighbours;
  /** What passed and what was dropped. */
  readonly counters: ArpCounters = new ArpCounters();
  /** Finds out who else has an own address (RFC 5227). */
  readonly conflicts: ConflictDetection;
  readonly #routes: Routes | undefined;
  readonly #pending = Array.from({ length: PENDING_ANSWERS }, () => new ReusedArpInit());
  #pendingCount = 0;

  /** An endpoint over a host's tables. */
  constructor(options: ArpOptions) {
    this.addresses = options.addresses;
    this.neighbours = options.neighbours;
    this.#routes = options.routes;
    this.conflicts = new ConflictDetection(this.addresses, new Random(options.seed ?? 0));
  }

  /** Answers requests for own addresses and learns from what it hears. */
  answer(): Receiver<LinkIn> {
    return this.recv((packet) => {
      if (packet.operation === arp.Operation.Request && this.addresses.owns(packet.target)) {
        this.#answer(packet);
      }
    });
  }

  /** Learns from what it hears and leaves every packet to `upper`. */
  recv(upper: Receive<ArpIn>): Receiver<LinkIn> {
    return new ArpReceiver(this, receiver(upper));
  }

  /**
   * Sends what ARP itself has to say: answers put off, and requests for neighbours that somebody looked up. A buffer
   * that is not needed for that goes to `idle`: left empty, it would end the NIC's burst.
   */
  query(idle: (link: LinkRaw) => void = () => {}): TimedSender<LinkRaw> {
    const request = newRequest();
    const init = new ReusedArpInit();
    const fill = (packet: ArpRaw): boolean => {
      if (this.#pendingCount > 0) return this.#sendPending(packet);
      const now = packet.info.timestamp;
      if (!this.conflicts.isIdle && this.conflicts.deadline() <= now && this.#claim(packet, now, init)) {
        return true;
      }
      while (this.neighbours.nextRequest(now, request)) if (this.#ask(packet, request, init)) return true;
      return false;
    };
    const deadline = () => {
      return this.#pendingCount > 0 ? 0 : Math.min(this.neighbours.deadline(), this.conflicts.deadline());
    };
    return new ArpQuery(this, deadline, fill, idle);
  }

  /** Lets `upper` fill ARP packets. */
  send(upper: Send<ArpRaw>): TimedSender<LinkRaw> {
    return new ArpSender(this, sender(upper));
  }

  /** Takes what a packet tells about its sender, as RFC 826 says. False: it tells a lie. */
  learn(packet: ArpIn): boolean {
    const { sender, senderMac, target } = packet;
    if (!senderMac.isUnicast || this.conflicts.receive(packet)) return false;
    // RFC 5227 2.1.1: a probe has no sender address yet, so there is nothing to learn.
    if (sender.isUnspecified) return true;
    if (this.addresses.isForged(sender)) return false;
    if (!this.#isOnLink(sender, packet.info.timestamp)) return false;
    const isForUs = this.addresses.owns(target);
    // An answer to us proves that packets arrive there; whatever else is heard only tells where.
    if (isForUs && packet.operation === arp.Operation.Reply) {
      this.neighbours.learn(sender, senderMac, packet.info.timestamp);
    } else {
      // RFC 826: always refresh an entry that exists; add one only when we are the target, for an answer will follow.
      this.neighbours.hear(sender, senderMac, isForUs);
    }
    return true;
  }

  /** On the link is what our subnets or routes say, or who was looked up there. */
  #isOnLink(sender: Address, now: Instant): boolean {
    return this.addresses.onLink(sender) !== undefined || this.neighbours.state(sender, now) !== undefined ||
      this.#routes?.lookup(sender, now)?.kind === RouteKind.OnLink;
  }

  #answer(packet: ArpIn): void {
    this.counters.requests++;
    const { target, sender, senderMac } = packet;
    const pending = this.#pendingCount < PENDING_ANSWERS ? this.#pending[this.#pendingCount]! : undefined;
    if (pending !== undefined) {
      pending.operation = arp.Operation.Reply;
      pending.sender.copy(target);
      pending.targetMac.copy(senderMac);
      pending.target.copy(sender);
      pending.destination.copy(senderMac);
    }
    if (packet.answer() === LayerError.None) return;
    if (pending === undefined) {
      this.counters.unanswered++;
      return;
    }
    this.#pendingCount++;
    this.counters.postponed++;
  }

  #sendPending(packet: ArpRaw): boolean {
    const out = packet.prepare(this.#pending[--this.#pendingCount]!);
    const isRefused = typeof out === "number";
    if (isRefused || out.send() !== LayerError.None) this.counters.unanswered++;
    return !isRefused;
  }

  /** RFC 5227 2.1.1 and 2.3: probes for an address, or announces it. */
  #claim(packet: ArpRaw, now: Instant, init: ReusedArpInit): boolean {
    const claiming = this.conflicts.next(now);
    if (claiming === undefined) return false;
    init.operation = arp.Operation.Request;
    init.target.copy(claiming.address);
    if (claiming.isProbe) init.sender.setV4(0);
    else init.sender.copy(claiming.address);
    init.destination.copy(BROADCAST);
    const out = packet.prepare(init);
    return typeof out !== "number" && out.send() === LayerError.None;
  }

  #ask(packet: ArpRaw, request: NeighbourRequest, init: ReusedArpInit): boolean {
    const own = this.addresses.onLink(request.address) ??
      this.addresses.sourceFor(request.address, request.address);
    if (own === undefined) return false;
    init.operation = arp.Operation.Request;
    init.sender.copy(own);
    init.target.copy(request.address);
    // A known neighbour is asked directly (RFC 1122 2.3.2.1), so that only it need listen.
    init.destination.copy(request.mac);
    const out = packet.prepare(init);
    if (typeof out === "number") return false;
    out.send();
    return true;
  }
}

class ArpReceiver implements Receiver<LinkIn> {
  readonly #arp: Arp;
  readonly #upper: Receiver<ArpIn>;
  readonly #packet: ArpPacket;

  constructor(endpoint: Arp, upper: Receiver<ArpIn>) {
    this.#arp = endpoint;
    this.#upper = upper;
    this.#packet = new ArpPacket(endpoint);
  }

  receive(link: LinkIn): void {
    const { counters } = this.#arp;
    const { frame, payloadAt } = link;
    if (link.etherType !== EtherType.Arp) counters.otherEtherType++;
    else if (arp.check(frame.bytes, payloadAt, frame.end) !== WireError.None) counters.malformed++;
    else {
      frame.truncate(payloadAt + arp.LENGTH);
      const packet = this.#packet.enterIn(link);
      counters.received++;
      if (this.#arp.learn(packet)) this.#upper.receive(packet);
      else counters.badSender++;
      packet.leave();
    }
  }
}

class ArpSender implements TimedSender<LinkRaw> {
  readonly #upper: TimedSender<ArpRaw>;
  readonly #packet: ArpPacket;

  constructor(endpoint: Arp, upper: TimedSender<ArpRaw>) {
    this.#upper = upper;
    this.#packet = new ArpPacket(endpoint);
  }

  send(link: LinkRaw): void {
    this.#upper.send(this.#packet.enterRaw(link));
    this.#packet.leave();
  }

  deadline(): Instant {
    return this.#upper.deadline();
  }
}

/** The place in a sending tree of what ARP itself has to say. */
class ArpQuery implements TimedSender<LinkRaw> {
  readonly deadline: () => Instant;
  readonly #fill: (packet: ArpRaw) => boolean;
  readonly #idle: (link: LinkRaw) => void;
  readonly #packet: ArpPacket;

  constructor(
    endpoint: Arp,
    deadline: () => Instant,
    fill: (packet: ArpRaw) => boolean,
    idle: (link: LinkRaw) => void,
  ) {
    this.deadline = deadline;
    this.#fill = fill;
    this.#idle = idle;
    this.#packet = new ArpPacket(endpoint);
  }

  send(link: LinkRaw): void {
    if (this.deadline() > link.info.timestamp || !this.#isUsed(link)) this.#idle(link);
  }

  #isUsed(link: LinkRaw): boolean {
    this.#packet.enterRaw(link);
    const isUsed = this.#fill(this.#packet);
    this.#packet.leave();
    return isUsed;
  }
}
