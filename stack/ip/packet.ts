/**
 * IP packets: one object seen as {@linkcode IpIn}, {@linkcode IpRaw} and {@linkcode IpOut}, for both families.
 *
 * @module
 */
import { type Failure, LayerError } from "../error.ts";
import type { Frame } from "../frame.ts";
import type { Origin } from "../host/neighbour-queue.ts";
import type { Link, LinkIn, LinkInit, LinkOut, LinkRaw } from "../link.ts";
import type { LossModel } from "../loss/models.ts";
import { completeChecksum } from "../offload.ts";
import type { NicInfo } from "../slot.ts";
import { misuse, State } from "../state.ts";
import { copyBytes } from "../store/copy.ts";
import { Address } from "../wire/address.ts";
import { EtherType } from "../wire/ethernet.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as ipv6 from "../wire/ipv6.ts";
import { Mac } from "../wire/mac.ts";
import type { Ip } from "./endpoint.ts";
import { checkInit, DEFAULT_HOP_LIMIT, type IpInit } from "./init.ts";
import type { IpIn, IpOut, IpRaw } from "./interfaces.ts";
import { LargeFrame } from "./large.ts";
import { LargeLink } from "./large-link.ts";
import { LEAST_MTU_V4 } from "./path-mtu.ts";

export { DEFAULT_HOP_LIMIT, type IpInit } from "./init.ts";
export type { IpBase, IpHeader, IpIn, IpOut, IpRaw } from "./interfaces.ts";

/** Where the headers say what follows them. */
const NEXT_HEADER = 6, PROTOCOL = 9;

class ReusedLinkInit implements LinkInit {
  readonly destination = new Mac();
  etherType = 0;
  length = 0;
  segmentLength = 0;
}

/** The object behind the three interfaces: one a place in a tree. */
export class IpPacket implements IpIn, IpRaw, IpOut {
  readonly ip: Ip;
  readonly source: Address = new Address();
  readonly destination: Address = new Address();
  frame!: Frame;
  info!: NicInfo;
  isV4 = true;
  headerAt = 0;
  protocolAt = 0;
  payloadAt = 0;
  protocol = 0;
  isGroup = false;
  #in!: LinkIn;
  #raw!: LinkRaw;
  #out!: LinkOut;
  #state: State = State.Gone;
  /** The look-up that the packet waits for when it is sent; -1: it leaves. */
  #waitingFor = -1;
  #origin: Origin | undefined;
  /** What may take the packet before it gets in line. */
  #loss: LossModel | undefined;
  /** Whether the buffer came empty. */
  #cameEmpty = false;
  /** That buffer, once a packet is in line that was written there. */
  #left: LinkRaw | undefined;
  readonly #linkInit = new ReusedLinkInit();
  /** What a packet in fragments is sent through; made for the first. */
  #largeLink: LargeLink | undefined;

  /** A packet for one place in a tree. */
  constructor(ip: Ip) {
    this.ip = ip;
  }

  get link(): LinkIn {
    if (this.#state !== State.In) misuse("link", this.#state);
    return this.#in;
  }

  get hopLimit(): number {
    const { bytes } = this.frame;
    return this.isV4 ? ipv4.hopLimit(bytes, this.headerAt) : ipv6.hopLimit(bytes, this.headerAt);
  }

  get trafficClass(): number {
    const { bytes } = this.frame;
    return this.isV4 ? ipv4.trafficClass(bytes, this.headerAt) : ipv6.trafficClass(bytes, this.headerAt);
  }

  /** Starts over with a link packet whose IPv4 header was checked; `isGroup` is decided by the receiver. */
  enterInV4(link: LinkIn): IpPacket {
    this.#enterIn(link);
    this.#readV4(link.payloadAt);
    return this;
  }

  /** Starts over with a link packet whose IPv6 header was checked; the receiver decides on the rest. */
  enterInV6(link: LinkIn): IpPacket {
    this.#enterIn(link);
    this.#readV6(link.payloadAt);
    return this;
  }

  /** Starts over with an empty buffer. */
  enterRaw(link: LinkRaw): IpRaw {
    this.#raw = link;
    this.frame = link.frame;
    this.info = link.info;
    this.#waitingFor = -1;
    this.#loss = this.#left = undefined;
    this.#cameEmpty = true;
    this.#state = State.Raw;
    return this;
  }

  /** The empty buffer that was entered with, if a packet was put in line instead of using it. */
  takeLeft(): LinkRaw | undefined {
    const left = this.#left;
    this.#left = undefined;
    return left;
  }

  /** Ends the packet's use: its handler has returned. */
  leave(): void {
    this.#state = State.Gone;
    if (this.#largeLink !== undefined) this.#largeLink.leave();
  }

  prepare(init: IpInit): IpOut | Failure {
    if (this.#state !== State.Raw) misuse("prepare", this.#state);
    const fault = checkInit(init);
    if (fault !== LayerError.None) return fault;
    const source = this.#way(init, this.#raw);
    if (typeof source === "number") return source === LayerError.Unreachable ? this.#await(init) : source;
    if (this.#isTooLong(this.#raw)) return this.#large(init, source, this.#raw, 0);
    const out = this.#raw.prepare(this.#linkInit);
    return typeof out === "number" ? this.#refused(out) : this.#emit(out, init, source);
  }

  reinit(init: IpInit): IpOut | Failure {
    if (this.#state !== State.In) misuse("reinit", this.#state);
    const fault = checkInit(init);
    if (fault !== LayerError.None) return fault;
    const source = this.#way(init, this.#in);
    if (typeof source === "number") return source === LayerError.Unreachable ? this.#await(init) : source;
    if (this.#isTooLong(this.#in)) return this.#large(init, source, this.#in, init.length);
    const out = this.#in.reinit(this.#linkInit);
    return typeof out === "number" ? this.#refused(out) : this.#emit(out, init, source);
  }

  deinit(): IpRaw {
    if (this.#state !== State.In) misuse("deinit", this.#state);
    this.#raw = this.#in.deinit();
    this.#state = State.Raw;
    return this;
  }

  loseIf(loss: LossModel): void {
    this.#loss = loss;
    if (this.#state === State.In) this.#in.loseIf(loss);
    else if (this.#state === State.Raw) this.#raw.loseIf(loss);
    else misuse("loseIf", this.#state);
  }

  intoIn(): IpIn {
    if (this.#state !== State.Out) misuse("intoIn", this.#state);
    this.#in = this.#out.intoIn();
    this.isGroup = this.#in.isGroup || !this.destination.isUnicast;
    this.#state = State.In;
    return this;
  }

  send(): LayerError {
    if (this.#state !== State.Out) misuse("send", this.#state);
    this.#state = State.Gone;
    if (this.#waitingFor >= 0) return this.#wait();
    if (this.isV4 && this.info.capabilities.ipv4.fill) ipv4.fillChecksum(this.frame.bytes, this.headerAt);
    const error = this.#out.send();
    const { counters } = this.ip;
    if (error !== LayerError.None) counters.notSent++;
    else if (this.frame instanceof LargeFrame) counters.divided++;
    else counters.sent++;
    return error;
  }

  /**
   * RFC 4861 7.2.2, RFC 1122 2.3.2.2: what leaves for a neighbour whose link address is not known waits for that. What is
   * many segments in one does not: its sender has it still, and tries again.
   */
  #await(init: IpInit): IpOut | Failure {
    const { path, neighbours, large, counters } = this.ip;
    const { waitingFor, waitingOwn } = path;
    if (waitingFor < 0) return LayerError.Unreachable;
    const link = this.#state === State.In ? this.#in : this.#raw;
    const linkInit = this.#linkInit;
    const isLong = this.#isTooLong(link);
    const isLarge = isLong || link instanceof LargeLink;
    if (
      init.mayWait === false || linkInit.segmentLength > 0 ||
      (isLarge ? !large.hasPlenty : !neighbours.waiting.takes(linkInit.length))
    ) {
      counters.unresolved++;
      return LayerError.Unreachable;
    }
    linkInit.destination.copy(link.mac);
    this.#origin = init.origin;
    if (isLong) {
      const long = this.#large(init, waitingOwn, link, this.#state === State.In ? init.length : 0);
      if (typeof long !== "number") this.#waitingFor = waitingFor;
      return long;
    }
    const out = this.#state === State.In ? this.#in.reinit(linkInit) : this.#raw.prepare(linkInit);
    if (typeof out === "number") return this.#refused(out);
    this.#waitingFor = waitingFor;
    return this.#emit(out, init, waitingOwn);
  }

  #wait(): LayerError {
    const { frame, headerAt } = this;
    const out = this.#out;
    completeChecksum(frame);
    if (this.isV4) ipv4.fillChecksum(frame.bytes, headerAt);
    const isLost = this.#loss?.lost() === true;
    const error = isLost ? LayerError.None : this.#lineUp(out instanceof LargeLink ? out.part() : undefined);
    // A packet in line does not need its buffer. One that may be lost would have others lost in its place.
    if (this.#cameEmpty && this.#loss === undefined) {
      this.#left = out instanceof LargeLink ? this.#raw : out.intoIn().deinit();
    }
    return error;
  }

  #lineUp(large: LargeFrame | undefined): LayerError {
    const { bytes, end } = this.frame;
    const etherType = this.isV4 ? EtherType.Ipv4 : EtherType.Ipv6;
    const { counters, neighbours: { waiting } } = this.ip;
    const isTaken = large === undefined
      ? waiting.push(this.#waitingFor, bytes, this.headerAt, end, etherType, this.#origin)
      : waiting.hold(this.#waitingFor, large, etherType, this.#origin);
    if (isTaken) {
      counters.waited++;
      return LayerError.None;
    }
    if (large !== undefined) this.ip.large.give(large);
    counters.notSent++;
    return LayerError.Exhausted;
  }

  #refused(error: Failure): Failure {
    this.ip.counters.notSent++;
    return error;
  }

  /** Finds the way, and says what the link must know; the answer is the own address. */
  #way(init: IpInit, link: Link): Address | Failure {
    const linkInit = this.#linkInit;
    const { isV4 } = init.destination;
    linkInit.etherType = isV4 ? EtherType.Ipv4 : EtherType.Ipv6;
    const header = isV4 ? ipv4.HEADER_LENGTH : ipv6.HEADER_LENGTH;
    const segment = init.segmentLength ?? 0;
    linkInit.length = header + init.length;
    linkInit.segmentLength = segment === 0 ? 0 : header + segment;
    const { path } = this.ip;
    if (init.fromNobody === true) return path.findFromNobody(init.destination, linkInit.destination);
    return path.find(init.source, init.destination, link, linkInit.destination);
  }

  /** Whether the packet that was found a way for is longer than that takes. */
  #isTooLong(link: Link): boolean {
    const { length: whole, segmentLength } = this.#linkInit;
    const length = segmentLength === 0 ? whole : segmentLength;
    return (length > link.info.mtu || length > this.ip.path.mtu) && !(link instanceof LargeLink);
  }

  /** Goes on in a large frame, with the last `keep` bytes of this one. */
  #large(init: IpInit, source: Address, link: Link, keep: number): IpOut | Failure {
    if (init.dontFragment === true) return this.#refused(LayerError.BadSize);
    const large = this.ip.large.take();
    if (large === undefined) return this.#refused(LayerError.Exhausted);
    const through = this.#largeLink ??= new LargeLink(this.ip);
    through.enter(large, link, this.#linkInit.etherType, false);
    const out = through.prepare(this.#linkInit);
    if (typeof out === "number") return this.#refused(out);
    completeChecksum(this.frame);
    const { bytes, start, end } = this.frame;
    const kept = Math.min(keep, end - start);
    copyBytes(large.bytes, large.end - kept, bytes, end - kept, kept);
    this.frame = large;
    this.info = through.info;
    return this.#emit(out, init, source);
  }

  #emit(out: LinkOut, init: IpInit, source: Address): IpOut {
    // The init may be made of this packet's own fields, as in an answer, so the header is written before those.
    if (init.destination.isV4) this.#emitV4(out.payloadAt, init, source);
    else this.#emitV6(out.payloadAt, init, source);
    this.#out = out;
    this.isGroup = false;
    this.#state = State.Out;
    return this;
  }

  #emitV4(at: number, init: IpInit, source: Address): void {
    const from = source.d;
    const to = init.destination.d;
    // RFC 6864 4.1: a packet that is never fragmented needs no identification, so none is made up. Where the path is
    // narrower than a host should believe, routers may divide it.
    const isAtomic = this.ip.path.mtu > LEAST_MTU_V4 || init.dontFragment === true;
    ipv4.emit(
      this.frame.bytes,
      at,
      init.trafficClass ?? 0,
      ipv4.HEADER_LENGTH + init.length,
      isAtomic ? 0 : this.ip.fragments.nextId(source, init.destination),
      isAtomic ? ipv4.Flag.DontFragment : 0,
      init.hopLimit ?? DEFAULT_HOP_LIMIT,
      init.protocol,
      from,
      to,
    );
    this.isV4 = true;
    this.headerAt = at;
    this.protocolAt = at + PROTOCOL;
    this.payloadAt = at + ipv4.HEADER_LENGTH;
    this.protocol = init.protocol;
    this.source.setV4(from);
    this.destination.setV4(to);
  }

  #emitV6(at: number, init: IpInit, source: Address): void {
    ipv6.emit(
      this.frame.bytes,
      at,
      init.trafficClass ?? 0,
      0,
      init.length,
      init.protocol,
      init.hopLimit ?? this.ip.hopLimitV6,
      source,
      init.destination,
    );
    this.#readV6(at);
  }

  #enterIn(link: LinkIn): void {
    this.#in = link;
    this.frame = link.frame;
    this.info = link.info;
    this.#waitingFor = -1;
    this.#loss = undefined;
    this.#cameEmpty = false;
    this.#state = State.In;
  }

  #readV4(at: number): void {
    const { bytes } = this.frame;
    this.isV4 = true;
    this.headerAt = at;
    this.protocolAt = at + PROTOCOL;
    this.payloadAt = at + ipv4.headerLength(bytes, at);
    this.protocol = ipv4.protocol(bytes, at);
    this.source.readV4(bytes, at + ipv4.SOURCE);
    this.destination.readV4(bytes, at + ipv4.DESTINATION);
  }

  #readV6(at: number): void {
    const { bytes } = this.frame;
    this.isV4 = false;
    this.headerAt = at;
    this.protocolAt = at + NEXT_HEADER;
    this.payloadAt = at + ipv6.HEADER_LENGTH;
    this.protocol = ipv6.nextHeader(bytes, at);
    this.source.readV6(bytes, at + ipv6.SOURCE);
    this.destination.readV6(bytes, at + ipv6.DESTINATION);
  }
}
