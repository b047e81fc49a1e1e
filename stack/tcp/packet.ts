/**
 * TCP segments: one object seen as {@linkcode TcpIn}, {@linkcode TcpRaw} and {@linkcode TcpOut}.
 *
 * @module
 */
import { type Failure, LayerError } from "../error.ts";
import { type Frame, Segmentation } from "../frame.ts";
import type { Origin } from "../host/neighbours.ts";
import type { IpIn, IpInit, IpOut, IpRaw } from "../ip/packet.ts";
import type { LossModel } from "../loss/models.ts";
import type { NicInfo } from "../slot.ts";
import { misuse, State } from "../state.ts";
import { Address } from "../wire/address.ts";
import { Protocol } from "../wire/protocol.ts";
import * as tcp from "../wire/tcp.ts";
import type { Tcp } from "./endpoint.ts";
import { UndeliveredSegments } from "./errors.ts";

/** What {@linkcode TcpRaw.prepare} and {@linkcode TcpIn.reinit} need. */
export interface TcpInit {
  /** The own address it comes from; unspecified: chosen by the next hop. */
  readonly source: Address;
  /** Where it goes. */
  readonly destination: Address;
  /** The own port. */
  readonly sourcePort: number;
  /** The other's port. */
  readonly destinationPort: number;
  /** The first sequence number, signed. */
  readonly sequence: number;
  /** The acknowledgment number, signed; 0 without the ACK flag. */
  readonly acknowledgment: number;
  /** Bits of the wire's `Flag`. */
  readonly flags: number;
  /** The window field, as it stands in the header. */
  readonly window: number;
  /** Room for options in bytes, a multiple of 4; the caller fills it at `optionsAt`. */
  readonly optionsLength: number;
  /** The payload's length in bytes. */
  readonly length: number;
  /** How much of it each segment carries that the NIC makes of this one; absent or 0: it is a single one. */
  readonly segmentSize?: number;
  /** The DSCP and ECN bits. */
  readonly trafficClass?: number;
}

/** What every state of a TCP segment tells. */
export interface TcpBase {
  /** The endpoint. */
  readonly tcp: Tcp;
  /** The buffer. */
  readonly frame: Frame;
  /** The NIC's state. */
  readonly info: NicInfo;
}

/** What is known once there is a header. */
export interface TcpHeader extends TcpBase {
  /** The header's first byte in `frame.bytes`. */
  readonly headerAt: number;
  /** The first option's byte. */
  readonly optionsAt: number;
  /** The first byte behind the header; the payload ends at `frame.end`. */
  readonly payloadAt: number;
  /** The sender's port. */
  readonly sourcePort: number;
  /** The port it goes to. */
  readonly destinationPort: number;
  /** SEG.SEQ, signed. */
  readonly sequence: number;
  /** SEG.ACK, signed. */
  readonly acknowledgment: number;
  /** Bits of the wire's `Flag`. */
  readonly flags: number;
  /** SEG.WND, not scaled. */
  readonly window: number;
  /** The payload's length in bytes. */
  readonly length: number;
  /** How much of it the longest of the segments carries that the NIC has put together, or will cut it into. */
  readonly segmentSize: number;
}

/** A received segment whose checksum is right. */
export interface TcpIn extends TcpHeader {
  /** The IP packet that carries it. */
  readonly ip: IpIn;
  /** Turns it into a segment to send that keeps the last `init.length` bytes as payload. Refused: still In. */
  readonly reinit: (init: TcpInit) => TcpOut | Failure;
  /** Gives the buffer back; what it held is lost. */
  readonly deinit: () => TcpRaw;
  /** Has the packet, or the answer in its buffer, dropped instead of sent, if `loss` says so then. */
  readonly loseIf: (loss: LossModel) => void;
}

/** An empty buffer. */
export interface TcpRaw extends TcpBase {
  /** Writes the headers. Refused: still Raw. */
  readonly prepare: (init: TcpInit) => TcpOut | Failure;
  /** Has the packet dropped instead of sent, if `loss` says so then. */
  readonly loseIf: (loss: LossModel) => void;
}

/** A segment whose headers are written; options and payload are to be filled in. */
export interface TcpOut extends TcpHeader {
  /** Computes the checksum and queues the packet. It is gone, whatever the answer. */
  readonly send: () => LayerError;
  /** Takes what was prepared as if it had been received. */
  readonly intoIn: () => TcpIn;
}

class ReusedIpInit implements IpInit {
  source = new Address();
  destination = new Address();
  readonly protocol = Protocol.Tcp;
  length = 0;
  hopLimit: number | undefined = undefined;
  trafficClass = 0;
  segmentLength = 0;
  readonly dontFragment = true;
  readonly origin: Origin;

  constructor(origin: Origin) {
    this.origin = origin;
  }
}

/** The object behind the three interfaces: one a place in a tree. */
export class TcpPacket implements TcpIn, TcpRaw, TcpOut {
  readonly tcp: Tcp;
  frame!: Frame;
  info!: NicInfo;
  headerAt = 0;
  payloadAt = 0;
  sequence = 0;
  acknowledgment = 0;
  flags = 0;
  #in!: IpIn;
  #raw!: IpRaw;
  #out!: IpOut;
  #state: State = State.Gone;
  readonly #ipInit: ReusedIpInit;

  /** A packet for one place in a tree. */
  constructor(endpoint: Tcp) {
    this.tcp = endpoint;
    this.#ipInit = new ReusedIpInit(new UndeliveredSegments(endpoint));
  }

  get ip(): IpIn {
    if (this.#state !== State.In) misuse("ip", this.#state);
    return this.#in;
  }

  get optionsAt(): number {
    return this.headerAt + tcp.HEADER_LENGTH;
  }

  get sourcePort(): number {
    return tcp.sourcePort(this.frame.bytes, this.headerAt);
  }

  get destinationPort(): number {
    return tcp.destinationPort(this.frame.bytes, this.headerAt);
  }

  get window(): number {
    return tcp.window(this.frame.bytes, this.headerAt);
  }

  get length(): number {
    return this.frame.end - this.payloadAt;
  }

  get segmentSize(): number {
    const { segmentation, segmentSize } = this.frame;
    return segmentation === Segmentation.None ? this.length : Math.min(segmentSize, this.length);
  }

  /** Starts over with an IP packet whose payload was checked. */
  enterIn(ip: IpIn): TcpPacket {
    this.#in = ip;
    this.frame = ip.frame;
    this.info = ip.info;
    this.#read(ip.payloadAt);
    this.#state = State.In;
    return this;
  }

  /** Starts over with an empty buffer. */
  enterRaw(ip: IpRaw): TcpRaw {
    this.#raw = ip;
    this.frame = ip.frame;
    this.info = ip.info;
    this.#state = State.Raw;
    return this;
  }

  /** Ends the packet's use: its handler has returned. */
  leave(): void {
    this.#state = State.Gone;
  }

  prepare(init: TcpInit): TcpOut | Failure {
    if (this.#state !== State.Raw) misuse("prepare", this.#state);
    const out = this.#raw.prepare(this.#below(init));
    return typeof out === "number" ? out : this.#emit(out, init);
  }

  reinit(init: TcpInit): TcpOut | Failure {
    if (this.#state !== State.In) misuse("reinit", this.#state);
    const out = this.#in.reinit(this.#below(init));
    return typeof out === "number" ? out : this.#emit(out, init);
  }

  deinit(): TcpRaw {
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

  intoIn(): TcpIn {
    if (this.#state !== State.Out) misuse("intoIn", this.#state);
    return this.enterIn(this.#out.intoIn());
  }

  send(): LayerError {
    if (this.#state !== State.Out) misuse("send", this.#state);
    this.#state = State.Gone;
    const { source, destination } = this.#out;
    const { bytes, end } = this.frame;
    const { fill, partial } = this.info.capabilities.tcp;
    if (fill) tcp.fillChecksum(bytes, this.headerAt, end, source, destination);
    else if (partial === true) {
      tcp.fillPartialChecksum(bytes, this.headerAt, end, source, destination);
      this.frame.leaveChecksum(this.headerAt, tcp.CHECKSUM);
    }
    const error = this.#out.send();
    if (error === LayerError.None) this.tcp.counters.sent++;
    else this.tcp.counters.notSent++;
    return error;
  }

  #below(init: TcpInit): IpInit {
    const below = this.#ipInit;
    below.source = init.source;
    below.destination = init.destination;
    const header = tcp.HEADER_LENGTH + init.optionsLength;
    const size = init.segmentSize ?? 0;
    below.length = header + init.length;
    below.segmentLength = size === 0 ? 0 : header + size;
    below.hopLimit = this.tcp.hopLimit;
    below.trafficClass = init.trafficClass ?? 0;
    return below;
  }

  #emit(out: IpOut, init: TcpInit): TcpOut {
    const header = tcp.HEADER_LENGTH + init.optionsLength;
    tcp.emit(
      out.frame.bytes,
      out.payloadAt,
      init.sourcePort,
      init.destinationPort,
      init.sequence,
      init.acknowledgment,
      header,
      init.flags,
      init.window,
    );
    const size = init.segmentSize ?? 0;
    if (size > 0) {
      out.frame.segmentation = out.source.isV4 ? Segmentation.TcpV4 : Segmentation.TcpV6;
      out.frame.segmentSize = size;
    }
    this.#out = out;
    this.headerAt = out.payloadAt;
    this.payloadAt = out.payloadAt + header;
    this.sequence = init.sequence;
    this.acknowledgment = init.acknowledgment;
    this.flags = init.flags;
    this.#state = State.Out;
    return this;
  }

  #read(at: number): void {
    const { bytes } = this.frame;
    this.headerAt = at;
    this.payloadAt = at + tcp.headerLength(bytes, at);
    this.sequence = tcp.sequence(bytes, at);
    this.acknowledgment = tcp.acknowledgment(bytes, at);
    this.flags = tcp.flags(bytes, at);
  }
}
