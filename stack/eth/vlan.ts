/**
 * A VLAN of an Ethernet station (IEEE 802.1Q): a link of its own over the same NIC.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { Frame } from "../frame.ts";
import { type Receive, type Receiver, receiver, type Send, sender, type TimedSender } from "../handler.ts";
import {
  isTooLong,
  type LinkEndpoint,
  type LinkIn,
  type LinkInit,
  type LinkOutlet,
  type LinkRaw,
  type Outlet,
} from "../link.ts";
import type { NicInfo, Slot } from "../slot.ts";
import type { Instant } from "../store/time.ts";
import { WireError } from "../wire/error.ts";
import * as ethernet from "../wire/ethernet.ts";
import type { Mac } from "../wire/mac.ts";
import * as wire from "../wire/vlan.ts";
import type { EthIn, EthRaw } from "./packet.ts";
import { VlanInfo, VlanPacket } from "./vlan-packet.ts";

/** What passed a {@linkcode Vlan}, and what did not, by reason. */
export class VlanCounters {
  /** Frames of the VLAN handed to the upper layer. */
  received = 0;
  /** Frames queued on the NIC. */
  sent = 0;
  /** Dropped: without a tag, and nobody takes those. */
  untagged = 0;
  /** Dropped: of another VLAN, and nobody takes those. */
  otherVlan = 0;
  /** Dropped: the frame ends within its tag. */
  truncated = 0;
  /** Not sent: the NIC refused the frame. */
  notQueued = 0;
}

/** The station that a {@linkcode Vlan} is of. */
export interface VlanStation extends LinkEndpoint {
  /** A receiver for a NIC. */
  recv(upper: Receive<EthIn>): Receiver<Slot>;
  /** A sender for a NIC. */
  send(upper: Send<EthRaw>): TimedSender<Slot>;
}

/**
 * A VLAN: what IP needs of a link, with a tag on every frame. Its MTU is the NIC's, since a tag makes frames longer, not
 * packets (IEEE 802.3 3.2.7). Several on one station share it by {@linkcode Vlan.tagged}:
 *
 * ```ts ignore
 * eth.recv(office.tagged(officeIp.recv(...), lab.tagged(labIp.recv(...))));
 * ```
 */
export class Vlan implements LinkEndpoint {
  /** The identifier, 1 to 4094. */
  readonly id: number;
  /** The priority of the frames that leave, 0 to 7. May be changed between poll cycles. */
  priority: number;
  /** What passed and what was dropped. */
  readonly counters: VlanCounters = new VlanCounters();
  readonly #eth: VlanStation;

  /** A VLAN of a station: `eth.vlan(id)`. Throws a RangeError for an identifier or a priority that cannot be. */
  constructor(eth: VlanStation, id: number, priority: number = 0) {
    if (!Number.isInteger(id) || id < 1 || id > wire.ID_MAX) {
      throw new RangeError(`a VLAN's identifier is a whole number from 1 to ${wire.ID_MAX}, not ${id}`);
    }
    if (!Number.isInteger(priority) || priority < 0 || priority > 7) {
      throw new RangeError(`a priority is a whole number from 0 to 7, not ${priority}`);
    }
    this.#eth = eth;
    this.id = id;
    this.priority = priority;
  }

  /** The station's address. */
  get mac(): Mac {
    return this.#eth.mac;
  }

  /** A receiver for a NIC that hands the VLAN's frames to `upper`, and drops all others. */
  recv(upper: Receive<LinkIn>): Receiver<Slot> {
    return this.#eth.recv(this.tagged(upper));
  }

  /** A sender for a NIC that lets `upper` fill the VLAN's frames. */
  send(upper: Send<LinkRaw>): TimedSender<Slot> {
    return this.#eth.send(this.tagging(upper));
  }

  /**
   * A receiver for the station that hands the VLAN's frames to `upper`, and all others to `other`; without that they
   * are dropped and counted.
   */
  tagged(upper: Receive<LinkIn>, other?: Receive<EthIn>): Receiver<EthIn> {
    return new VlanReceiver(this, receiver(upper), other === undefined ? undefined : receiver(other));
  }

  /** A sender for the station that lets `upper` fill the VLAN's frames. */
  tagging(upper: Send<LinkRaw>): TimedSender<EthRaw> {
    return new VlanSender(this, sender(upper));
  }

  /** The way out through a NIC for packets of other links. */
  outlet(nic: Outlet): LinkOutlet {
    return new VlanOutlet(this, nic);
  }
}

class VlanReceiver implements Receiver<EthIn> {
  readonly #vlan: Vlan;
  readonly #upper: Receiver<LinkIn>;
  readonly #other: Receiver<EthIn> | undefined;
  readonly #packet: VlanPacket;

  constructor(vlan: Vlan, upper: Receiver<LinkIn>, other: Receiver<EthIn> | undefined) {
    this.#vlan = vlan;
    this.#upper = upper;
    this.#other = other;
    this.#packet = new VlanPacket(vlan);
  }

  receive(eth: EthIn): void {
    const { counters, id } = this.#vlan;
    const { frame, payloadAt: at, etherType } = eth;
    const isTagged = etherType === ethernet.EtherType.Vlan;
    if (isTagged && wire.check(frame.bytes, at, frame.end) !== WireError.None) {
      counters.truncated++;
      return;
    }
    if (isTagged && wire.id(frame.bytes, at) === id) {
      counters.received++;
      this.#upper.receive(this.#packet.enterIn(eth));
      this.#packet.leave();
    } else if (this.#other !== undefined) this.#other.receive(eth);
    else if (isTagged) counters.otherVlan++;
    else counters.untagged++;
  }
}

class VlanSender implements TimedSender<EthRaw> {
  readonly #upper: TimedSender<LinkRaw>;
  readonly #packet: VlanPacket;

  constructor(vlan: Vlan, upper: TimedSender<LinkRaw>) {
    this.#upper = upper;
    this.#packet = new VlanPacket(vlan);
  }

  send(eth: EthRaw): void {
    this.#upper.send(this.#packet.enterRaw(eth));
    this.#packet.leave();
  }

  deadline(): Instant {
    return this.#upper.deadline();
  }
}

class VlanOutlet implements LinkOutlet {
  readonly info: NicInfo;
  readonly resolves = true;
  readonly #vlan: Vlan;
  readonly #nic: Outlet;

  constructor(vlan: Vlan, nic: Outlet) {
    this.#vlan = vlan;
    this.#nic = nic;
    this.info = new VlanInfo(nic.info);
  }

  get mac(): Mac {
    return this.#vlan.mac;
  }

  transmit(frame: Frame, init: LinkInit): LayerError {
    const length = ethernet.HEADER_LENGTH + wire.TAG_LENGTH + init.length;
    if (isTooLong(init, this.info) || !frame.rewrap(length)) return LayerError.BadSize;
    const { bytes, start } = frame;
    const { id, priority, counters, mac } = this.#vlan;
    ethernet.emit(bytes, start, init.destination, mac, ethernet.EtherType.Vlan);
    wire.emit(bytes, start + ethernet.HEADER_LENGTH, priority, id, init.etherType);
    const error = this.#nic.emit(frame);
    if (error === LayerError.None) counters.sent++;
    else counters.notQueued++;
    return error;
  }
}
