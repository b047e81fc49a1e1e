/**
 * Ethernet (IEEE 802.3, Ethernet II framing): the own address, the groups that are listened to, the counters.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { Frame } from "../frame.ts";
import { type Receive, type Receiver, receiver, type Send, sender, type TimedSender } from "../handler.ts";
import { isTooLong } from "../link.ts";
import type { LinkEndpoint, LinkInit, LinkOutlet, Outlet } from "../link.ts";
import type { NicInfo, Slot } from "../slot.ts";
import type { Instant } from "../store/time.ts";
import * as ethernet from "../wire/ethernet.ts";
import { WireError } from "../wire/error.ts";
import { Mac } from "../wire/mac.ts";
import { Vlan } from "./vlan.ts";
import { type EthIn, EthPacket, type EthRaw } from "./packet.ts";

/** What passed an {@linkcode Eth} endpoint, and what did not, by reason. */
export class EthCounters {
  /** Frames handed to the upper layer. */
  received = 0;
  /** Frames queued on the NIC. */
  sent = 0;
  /** Dropped: shorter than a header. */
  truncated = 0;
  /** Dropped: sent to another station. */
  notForUs = 0;
  /** Dropped: the source is a group address, which no station has. */
  badSource = 0;
  /** Not sent: the NIC refused the buffer. */
  notQueued = 0;
}

/** The first three bytes of the addresses that carry IPv4's groups, behind which a bit is 0 (RFC 1112 6.4). */
const IPV4_GROUPS = 0x01005e;
/** The first two bytes of the addresses that carry IPv6's groups (RFC 2464 7). */
const IPV6_GROUPS = 0x3333;

/** How an {@linkcode Eth} endpoint is set up. */
export interface EthOptions {
  /** The own address, as text ("02:00:00:00:00:01") or parsed. */
  readonly mac: Mac | string;
  /** Takes frames for every station, as a monitor does. IP above it still takes only its own. Default false. */
  readonly promiscuous?: boolean;
}

/**
 * An Ethernet station. It passes every EtherType up that is sent to its own address, to all, to a group it has
 * joined, or to a group of IP. Its state is open to change between poll cycles, as `ip link` changes it on an OS.
 */
export class Eth implements LinkEndpoint {
  /** The own address. */
  readonly mac: Mac;
  /** Takes frames for every station. */
  promiscuous: boolean;
  /** What passed and what was dropped. */
  readonly counters: EthCounters = new EthCounters();
  readonly #groups: Mac[] = [];

  /** Throws a RangeError when the address is no unicast address. */
  constructor(options: EthOptions) {
    this.mac = typeof options.mac === "string" ? Mac.parse(options.mac) : new Mac().copy(options.mac);
    if (!this.mac.isUnicast) throw new RangeError(`a station's address must be unicast, not ${this.mac}`);
    this.promiscuous = options.promiscuous ?? false;
  }

  /** Listens to a group's frames from now on. */
  join(group: Mac): void {
    if (!group.isMulticast) throw new RangeError(`a group's address must have its group bit set: ${group}`);
    if (!this.#groups.some((joined) => joined.equals(group))) this.#groups.push(new Mac().copy(group));
  }

  /** Stops listening to a group's frames. */
  leave(group: Mac): void {
    const index = this.#groups.findIndex((joined) => joined.equals(group));
    if (index >= 0) this.#groups.splice(index, 1);
  }

  /**
   * Whether frames to this address are for us: it is the own one, everybody's, or a joined group's. IP's groups
   * (RFC 1112 6.4, RFC 2464 7) are all taken: every host is in some, and IP knows in which.
   */
  accepts(destination: Mac): boolean {
    const { hi, lo } = destination;
    if (destination.equals(this.mac) || destination.isBroadcast || hi === IPV6_GROUPS) return true;
    if (hi === IPV4_GROUPS >>> 8 && lo >>> 23 === (IPV4_GROUPS & 0xff) << 1) return true;
    for (let index = 0; index < this.#groups.length; index++) {
      if (this.#groups[index]!.equals(destination)) return true;
    }
    return false;
  }

  /** A VLAN of this station, a link of its own: frames of `id`, and of `priority` where they leave (IEEE 802.1Q). */
  vlan(id: number, priority: number = 0): Vlan {
    return new Vlan(this, id, priority);
  }

  /** A receiver for a NIC that hands the frames for us to `upper`. */
  recv(upper: Receive<EthIn>): Receiver<Slot> {
    return new EthReceiver(this, receiver(upper));
  }

  /** A sender for a NIC that lets `upper` fill the frames. */
  send(upper: Send<EthRaw>): TimedSender<Slot> {
    return new EthSender(this, sender(upper));
  }

  /** The way out through a NIC for packets of other links. */
  outlet(nic: Outlet): LinkOutlet {
    return new EthOutlet(this, nic);
  }
}

class EthReceiver implements Receiver<Slot> {
  readonly #eth: Eth;
  readonly #upper: Receiver<EthIn>;
  readonly #packet: EthPacket;

  constructor(eth: Eth, upper: Receiver<EthIn>) {
    this.#eth = eth;
    this.#upper = upper;
    this.#packet = new EthPacket(eth);
  }

  receive(slot: Slot): void {
    const { counters } = this.#eth;
    const { bytes, start, end } = slot.frame;
    if (ethernet.check(bytes, start, end) !== WireError.None) {
      counters.truncated++;
      return;
    }
    const packet = this.#packet;
    const frame = packet.enterIn(slot);
    packet.isOther = !this.#eth.accepts(frame.destination);
    if (packet.isOther && !this.#eth.promiscuous) counters.notForUs++;
    else if (ethernet.isGroup(bytes, start + ethernet.SOURCE)) counters.badSource++;
    else {
      counters.received++;
      // IEEE 802.1Q 6.9.1: VLAN 0 is none, so that such a frame counts as one without a tag.
      if (packet.etherType === ethernet.EtherType.Vlan) packet.dropPriorityTag();
      this.#upper.receive(frame);
    }
    packet.leave();
  }
}

class EthSender implements TimedSender<Slot> {
  readonly #upper: TimedSender<EthRaw>;
  readonly #packet: EthPacket;

  constructor(eth: Eth, upper: TimedSender<EthRaw>) {
    this.#upper = upper;
    this.#packet = new EthPacket(eth);
  }

  send(slot: Slot): void {
    this.#upper.send(this.#packet.enterRaw(slot));
    this.#packet.leave();
  }

  deadline(): Instant {
    return this.#upper.deadline();
  }
}

class EthOutlet implements LinkOutlet {
  readonly info: NicInfo;
  readonly resolves = true;
  readonly #eth: Eth;
  readonly #nic: Outlet;

  constructor(eth: Eth, nic: Outlet) {
    this.#eth = eth;
    this.#nic = nic;
    this.info = nic.info;
  }

  get mac(): Mac {
    return this.#eth.mac;
  }

  transmit(frame: Frame, init: LinkInit): LayerError {
    if (isTooLong(init, this.info) || !frame.rewrap(ethernet.HEADER_LENGTH + init.length)) {
      return LayerError.BadSize;
    }
    ethernet.emit(frame.bytes, frame.start, init.destination, this.#eth.mac, init.etherType);
    const error = this.#nic.emit(frame);
    if (error === LayerError.None) this.#eth.counters.sent++;
    else this.#eth.counters.notQueued++;
    return error;
  }
}
