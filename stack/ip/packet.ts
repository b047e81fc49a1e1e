/**
 * IP packets: one object seen as {@linkcode IpIn}, {@linkcode IpRaw} and {@linkcode IpOut}, for both families.
 *
 * @module
 */
import { type Failure, LayerError } from "../error.ts";
import type { Frame } from "../frame.ts";
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
import { LargeFrame } from "./large.ts";
import { LargeLink } from "./large-link.ts";
import { LEAST_MTU_V4 } from "./path-mtu.ts";

export { DEFAULT_HOP_LIMIT, type IpInit } from "./init.ts";

/** Where the headers say what follows them. */
const NEXT_HEADER = 6, PROTOCOL = 9;

/** What every state of an IP packet tells. */
export interface IpBase {
  /** The endpoint. */
  readonly ip: Ip;
  /** The buffer. */
  readonly frame: Frame;
  /** The NIC's state. */
  readonly info: NicInfo;
}

/** What is known once there is a header. */
export interface IpHeader extends IpBase {
  /** Whether it is an IPv4 packet; an IPv6 packet otherwise. */
  readonly isV4: boolean;
  /** Where it comes from. Overwritten by the next packet: copy what must last. */
  readonly source: Address;
  /** Where it goes. Overwritten by the next packet: copy what must last. */
  readonly destination: Address;
  /** What the payload is: a {@linkcode Protocol}. */
  readonly protocol: number;
  /** The payload's first byte in `frame.bytes`; it ends at `frame.end`. */
  readonly payloadAt: number;
}

/** A received IP packet that is for us: its header is valid, its payload whole. */
export interface IpIn extends IpHeader {
  /** The link's packet below, for what is the link's own. */
  readonly link: LinkIn;
  /** The header's first byte in `frame.bytes`. */
  readonly headerAt: number;
  /** Where in `frame.bytes` the byte lies that says what the payload is. */
  readonly protocolAt: number;
  /** Hops it might still have made. */
  readonly hopLimit: number;
  /** The DSCP and ECN bits. */
  readonly trafficClass: number;
  /** Whether it was sent to more than one host, by the link or by IP: no error may answer it (RFC 1122 3.2.2). */
  readonly isGroup: boolean;
  /** Turns it into a packet to send that keeps the last `init.length` bytes as payload. Refused: still In. */
  readonly reinit: (init: IpInit) => IpOut | Failure;
  /** Gives the buffer back; what it held is lost. */
  readonly deinit: () => IpRaw;
  /** Has the packet, or the answer in its buffer, dropped instead of sent, if `loss` says so then. */
  readonly loseIf: (loss: LossModel) => void;
}

/** An empty buffer. */
export interface IpRaw extends IpBase {
  /**
   * Finds the route and the neighbour and writes the headers. A packet that is longer than its path's MTU gets a longer
   * buffer, the Out packet's `frame`, and is sent in fragments. Refused: still Raw, and the look-up is noted.
   */
  readonly prepare: (init: IpInit) => IpOut | Failure;
  /** Has the packet, or the answer in its buffer, dropped instead of sent, if `loss` says so then. */
  readonly loseIf: (loss: LossModel) => void;
}

/** A packet whose headers are written; the payload is to be filled in. */
export interface IpOut extends IpHeader {
  /** Completes the header and queues the packet. It is gone, whatever the answer. */
  readonly send: () => LayerError;
  /** Takes what was prepared as if it had been received. */
  readonly intoIn: () => IpIn;
}

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
    this.#state = State.Raw;
    return this;
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
    if (typeof source === "number") return source;
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
    if (error !== LayerError.None) this.ip.counters.notSent++;
    else if (!(this.frame instanceof LargeFrame)) this.ip.counters.sent++; // its fragments count themselves
    return error;
  }

  /**
   * RFC 4861 7.2.2, RFC 1122 2.3.2.2: an answer can wait for its neighbour's link address. Who prepares packets of its
   * own still has them, and tries again.
   */
  #await(init: IpInit): IpOut | Failure {
    const { path, neighbours } = this.ip;
    const { waitingFor, waitingOwn } = path;
    const { length } = this.#linkInit;
    if (waitingFor < 0 || length > path.mtu || !neighbours.waiting.takes(waitingFor, length)) {
      return LayerError.Unreachable;
    }
    this.#linkInit.destination.copy(this.#in.mac);
    const out = this.#in.reinit(this.#linkInit);
    if (typeof out === "number") return this.#refused(out);
    this.#waitingFor = waitingFor;
    return this.#emit(out, init, waitingOwn);
  }

  #wait(): LayerError {
    const { frame, headerAt } = this;
    completeChecksum(frame);
    if (this.isV4) ipv4.fillChecksum(frame.bytes, headerAt);
    const etherType = this.isV4 ? EtherType.Ipv4 : EtherType.Ipv6;
    const { waiting } = this.ip.neighbours;
    const isTaken = waiting.push(this.#waitingFor, frame.bytes, headerAt, frame.end, etherType);
    return isTaken ? LayerError.None : LayerError.Unreachable;
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
      init.hopLimit ?? DEFAULT_HOP_LIMIT,
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
