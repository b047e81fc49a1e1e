/**
 * A point-to-point link that carries bare IP packets: no header, no addresses, one other end (a TUN interface).
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { Frame } from "../frame.ts";
import { type Receive, type Receiver, receiver, type Send, sender, type TimedSender } from "../handler.ts";
import { isTooLong } from "../link.ts";
import type { LinkEndpoint, LinkIn, LinkInit, LinkOutlet, LinkRaw, Outlet } from "../link.ts";
import type { NicInfo, Slot } from "../slot.ts";
import type { Instant } from "../store/time.ts";
import { EtherType } from "../wire/ethernet.ts";
import { Mac } from "../wire/mac.ts";
import { PointToPointPacket } from "./packet.ts";

/** What passed a {@linkcode PointToPoint} endpoint, and what did not, by reason. */
export class PointToPointCounters {
  /** Packets handed to the upper layer. */
  received = 0;
  /** Packets queued on the NIC. */
  sent = 0;
  /** Dropped: empty. */
  truncated = 0;
  /** Dropped: the version field is neither 4 nor 6. */
  unknownVersion = 0;
  /** Not sent: it is no IP packet, and this link carries nothing else. */
  notIp = 0;
  /** Not sent: the NIC refused the buffer. */
  notQueued = 0;
}

/** One end of such a link. What comes over it is for this host as far as the link can tell; IP knows more. */
export class PointToPoint implements LinkEndpoint {
  /** All zeros: the link has no addresses. */
  readonly mac: Mac = new Mac();
  /** What passed and what was dropped. */
  readonly counters: PointToPointCounters = new PointToPointCounters();

  /** A receiver for a NIC that hands the packets to `upper`. */
  recv(upper: Receive<LinkIn>): Receiver<Slot> {
    return new PointToPointReceiver(this, receiver(upper));
  }

  /** A sender for a NIC that lets `upper` fill the packets. */
  send(upper: Send<LinkRaw>): TimedSender<Slot> {
    return new PointToPointSender(this, sender(upper));
  }

  /** The way out through a NIC for packets of other links. */
  outlet(nic: Outlet): LinkOutlet {
    return new PointToPointOutlet(this, nic);
  }
}

class PointToPointReceiver implements Receiver<Slot> {
  readonly #link: PointToPoint;
  readonly #upper: Receiver<LinkIn>;
  readonly #packet: PointToPointPacket;

  constructor(link: PointToPoint, upper: Receiver<LinkIn>) {
    this.#link = link;
    this.#upper = upper;
    this.#packet = new PointToPointPacket(link);
  }

  receive(slot: Slot): void {
    const { counters } = this.#link;
    const { bytes, start, end } = slot.frame;
    if (end <= start) {
      counters.truncated++;
      return;
    }
    const version = bytes[start]! >> 4;
    if (version !== 4 && version !== 6) {
      counters.unknownVersion++;
      return;
    }
    counters.received++;
    const packet = this.#packet;
    this.#upper.receive(packet.enterIn(slot, version === 4 ? EtherType.Ipv4 : EtherType.Ipv6));
    packet.leave();
  }
}

class PointToPointSender implements TimedSender<Slot> {
  readonly #upper: TimedSender<LinkRaw>;
  readonly #packet: PointToPointPacket;

  constructor(link: PointToPoint, upper: TimedSender<LinkRaw>) {
    this.#upper = upper;
    this.#packet = new PointToPointPacket(link);
  }

  send(slot: Slot): void {
    this.#upper.send(this.#packet.enterRaw(slot));
    this.#packet.leave();
  }

  deadline(): Instant {
    return this.#upper.deadline();
  }
}

class PointToPointOutlet implements LinkOutlet {
  readonly info: NicInfo;
  readonly mac: Mac;
  readonly resolves = false;
  readonly #link: PointToPoint;
  readonly #nic: Outlet;

  constructor(link: PointToPoint, nic: Outlet) {
    this.#link = link;
    this.#nic = nic;
    this.info = nic.info;
    this.mac = link.mac;
  }

  transmit(frame: Frame, init: LinkInit): LayerError {
    if (isTooLong(init, this.info) || !frame.rewrap(init.length)) return LayerError.BadSize;
    const error = this.#nic.emit(frame);
    if (error === LayerError.None) this.#link.counters.sent++;
    else this.#link.counters.notQueued++;
    return error;
  }
}
