/**
 * IP packets: one object seen as {@linkcode IpIn}, {@linkcode IpRaw} and {@linkcode IpOut}, for both families.
 *
 * @module
 */
import { type Failure, LayerError } from "../error.ts";
import type { Frame } from "../frame.ts";
import type { LinkIn, LinkInit, LinkOut, LinkRaw } from "../link.ts";
import type { LossModel } from "../loss/models.ts";
import type { NicInfo } from "../slot.ts";
import { misuse, State } from "../state.ts";
import { Address } from "../wire/address.ts";
import { EtherType } from "../wire/ethernet.ts";
import * as ipv4 from "../wire/ipv4.ts";
import { Mac } from "../wire/mac.ts";
import type { Ip } from "./endpoint.ts";

/** Hops a packet may make unless its sender says otherwise (RFC 1700). */
export const DEFAULT_HOP_LIMIT = 64;

const LENGTH_MAX = 65_535 - ipv4.HEADER_LENGTH;

/** What {@linkcode IpRaw.prepare} and {@linkcode IpIn.reinit} need. */
export interface IpInit {
  /** The own address it comes from; unspecified (`::` or 0.0.0.0): chosen by the next hop. */
  readonly source: Address;
  /** Where it goes. */
  readonly destination: Address;
  /** What the payload is: a {@linkcode Protocol}. */
  readonly protocol: number;
  /** The payload's length in bytes. */
  readonly length: number;
  /** Hops it may make; absent: {@linkcode DEFAULT_HOP_LIMIT}. */
  readonly hopLimit?: number;
  /** The DSCP and ECN bits; absent: 0. */
  readonly trafficClass?: number;
  /**
   * True: an unspecified source is sent as it is, by a host that has no address yet (RFC 1122 3.2.1.3 a), to a
   * broadcast address or a group; nothing can be answered so.
   */
  readonly fromNobody?: boolean;
}

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
  /** Finds the route and the neighbour and writes the headers. Refused: still Raw, and the look-up is noted. */
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
}

/** The object behind the three interfaces: one a place in a tree. */
export class IpPacket implements IpIn, IpRaw, IpOut {
  readonly ip: Ip;
  readonly source: Address = new Address();
  readonly destination: Address = new Address();
  frame!: Frame;
  info!: NicInfo;
  headerAt = 0;
  payloadAt = 0;
  protocol = 0;
  isGroup = false;
  #in!: LinkIn;
  #raw!: LinkRaw;
  #out!: LinkOut;
  #state: State = State.Gone;
  readonly #linkInit = new ReusedLinkInit();

  /** A packet for one place in a tree. */
  constructor(ip: Ip) {
    this.ip = ip;
  }

  get link(): LinkIn {
    if (this.#state !== State.In) misuse("link", this.#state);
    return this.#in;
  }

  get hopLimit(): number {
    return ipv4.hopLimit(this.frame.bytes, this.headerAt);
  }

  get trafficClass(): number {
    return ipv4.trafficClass(this.frame.bytes, this.headerAt);
  }

  /** Starts over with a link packet whose IPv4 header was checked; `isGroup` is decided by the receiver. */
  enterIn(link: LinkIn): IpPacket {
    this.#in = link;
    this.frame = link.frame;
    this.info = link.info;
    this.#read(link.payloadAt);
    this.#state = State.In;
    return this;
  }

  /** Starts over with an empty buffer. */
  enterRaw(link: LinkRaw): IpRaw {
    this.#raw = link;
    this.frame = link.frame;
    this.info = link.info;
    this.#state = State.Raw;
    return this;
  }

  /** Ends the packet's use: its handler has returned. */
  leave(): void {
    this.#state = State.Gone;
  }

  prepare(init: IpInit): IpOut | Failure {
    if (this.#state !== State.Raw) misuse("prepare", this.#state);
    const fault = check(init);
    if (fault !== LayerError.None) return fault;
    const linkInit = this.#linkInit;
    const source = init.fromNobody === true
      ? this.ip.path.findFromNobody(init.destination, linkInit.destination)
      : this.ip.path.find(init.source, init.destination, this.#raw, linkInit.destination);
    if (typeof source === "number") return source;
    linkInit.etherType = EtherType.Ipv4;
    linkInit.length = ipv4.HEADER_LENGTH + init.length;
    const out = this.#raw.prepare(linkInit);
    return typeof out === "number" ? this.#refused(out) : this.#emit(out, init, source);
  }

  reinit(init: IpInit): IpOut | Failure {
    if (this.#state !== State.In) misuse("reinit", this.#state);
    const fault = check(init);
    if (fault !== LayerError.None) return fault;
    const linkInit = this.#linkInit;
    const source = this.ip.path.find(init.source, init.destination, this.#in, linkInit.destination);
    if (typeof source === "number") return source;
    linkInit.etherType = EtherType.Ipv4;
    linkInit.length = ipv4.HEADER_LENGTH + init.length;
    const out = this.#in.reinit(linkInit);
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
    if (this.info.capabilities.ipv4.fill) ipv4.fillChecksum(this.frame.bytes, this.headerAt);
    const error = this.#out.send();
    if (error === LayerError.None) this.ip.counters.sent++;
    else this.ip.counters.notSent++;
    return error;
  }

  #refused(error: Failure): Failure {
    this.ip.counters.notSent++;
    return error;
  }

  #emit(out: LinkOut, init: IpInit, source: Address): IpOut {
    const { bytes } = this.frame;
    // The init may be made of this packet's own fields, as in an answer.
    const from = source.d;
    const to = init.destination.d;
    // RFC 6864 4.1: a packet that is never fragmented needs no identification, so none is made up.
    ipv4.emit(
      bytes,
      out.payloadAt,
      init.trafficClass ?? 0,
      ipv4.HEADER_LENGTH + init.length,
      0,
      ipv4.Flag.DontFragment,
      init.hopLimit ?? DEFAULT_HOP_LIMIT,
      init.protocol,
      from,
      to,
    );
    this.#out = out;
    this.headerAt = out.payloadAt;
    this.payloadAt = out.payloadAt + ipv4.HEADER_LENGTH;
    this.protocol = init.protocol;
    this.source.setV4(from);
    this.destination.setV4(to);
    this.isGroup = false;
    this.#state = State.Out;
    return this;
  }

  #read(at: number): void {
    const { bytes } = this.frame;
    this.headerAt = at;
    this.payloadAt = at + ipv4.headerLength(bytes, at);
    this.protocol = ipv4.protocol(bytes, at);
    this.source.readV4(bytes, at + ipv4.SOURCE);
    this.destination.readV4(bytes, at + ipv4.DESTINATION);
  }
}

/** What no link could send: a length that the header cannot hold, or a hop limit of 0 (RFC 1122 3.2.1.7). */
function check(init: IpInit): LayerError {
  if (init.length < 0 || init.length > LENGTH_MAX) return LayerError.BadSize;
  const hopLimit = init.hopLimit ?? DEFAULT_HOP_LIMIT;
  return hopLimit < 1 || hopLimit > 255 ? LayerError.Illegal : LayerError.None;
}
