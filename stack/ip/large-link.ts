/**
 * The link below a packet in a large frame: what is sent through it is cut into fragments first.
 *
 * @module
 */
import { type Failure, LayerError } from "../error.ts";
import type { Frame } from "../frame.ts";
import type { Link, LinkIn, LinkInit, LinkOut, LinkRaw, Passed } from "../link.ts";
import type { LossModel } from "../loss/models.ts";
import { type Capabilities, Medium, type NicInfo } from "../slot.ts";
import type { Instant } from "../store/time.ts";
import { Mac } from "../wire/mac.ts";
import type { Ip } from "./endpoint.ts";
import type { LargeFrame } from "./large.ts";

/**
 * A NIC sees fragments only, so it can neither verify nor fill what covers the whole packet. The header's checksum is
 * that of each fragment, written when it is cut.
 */
const WHOLE = { verify: true, fill: true } as const;
const CAPABILITIES: Capabilities = {
  ipv4: { verify: false, fill: true },
  icmpv4: WHOLE,
  icmpv6: WHOLE,
  udp: WHOLE,
  tcp: WHOLE,
};

class LargeInfo implements NicInfo {
  timestamp: Instant = 0;
  readonly capabilities = CAPABILITIES;
  mtu = 0;
  medium: Medium = Medium.Ethernet;
  isLoopback = false;
}

/** One object a place in a tree, for one packet after the other. */
export class LargeLink implements LinkIn, LinkRaw, LinkOut {
  readonly info: LargeInfo = new LargeInfo();
  readonly isOther = false;
  readonly passed: readonly Passed[] = [];
  frame!: Frame;
  mac!: Mac;
  resolves = true;
  etherType = 0;
  payloadAt = 0;
  isGroup = false;
  readonly #ip: Ip;
  readonly #destination = new Mac();
  #large: LargeFrame | undefined;
  #loss: LossModel | undefined;

  /** A link for a place of the endpoint. */
  constructor(ip: Ip) {
    this.#ip = ip;
  }

  /** Starts over with a frame, in place of `link`. */
  enter(large: LargeFrame, link: Link, etherType: number, isGroup: boolean): void {
    this.leave();
    this.#large = large;
    this.#loss = undefined;
    this.frame = large;
    this.payloadAt = large.start;
    this.mac = link.mac;
    this.resolves = link.resolves;
    this.etherType = etherType;
    this.isGroup = isGroup;
    this.info.timestamp = link.info.timestamp;
    this.info.mtu = link.info.mtu;
    this.info.medium = link.info.medium;
    this.info.isLoopback = link.info.isLoopback;
  }

  /** The packet's use has ended: the frame is given back, unless it is on its way. */
  leave(): void {
    if (this.#large !== undefined) this.#ip.large.give(this.#large);
    this.#large = undefined;
  }

  /** Hands the frame to the caller, whose it is then. */
  part(): LargeFrame | undefined {
    const large = this.#large;
    this.#large = undefined;
    return large;
  }

  prepare(init: LinkInit): LinkOut | Failure {
    return this.frame.resize(init.length) ? this.#begin(init) : LayerError.BadSize;
  }

  reinit(init: LinkInit): LinkOut | Failure {
    return this.frame.reframe(init.length) ? this.#begin(init) : LayerError.BadSize;
  }

  deinit(): LinkRaw {
    return this;
  }

  intoIn(): LinkIn {
    return this;
  }

  loseIf(loss: LossModel): void {
    this.#loss = loss;
  }

  send(): LayerError {
    const large = this.#large;
    if (large === undefined) return LayerError.Illegal;
    if (this.#loss?.lost() === true) {
      this.leave();
      return LayerError.None;
    }
    const error = this.#ip.fragments.push(large, this.#destination, this.etherType, this.info);
    if (error === LayerError.None) this.#large = undefined;
    else this.leave();
    return error;
  }

  #begin(init: LinkInit): LinkOut {
    this.#destination.copy(init.destination);
    this.etherType = init.etherType;
    this.isGroup = init.destination.isMulticast;
    this.payloadAt = this.frame.start;
    return this;
  }
}
