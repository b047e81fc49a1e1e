/**
 * UDP packets: one object seen as {@linkcode UdpIn}, {@linkcode UdpRaw} and {@linkcode UdpOut}.
 *
 * @module
 */
import { type Failure, LayerError } from "../error.ts";
import { Checksum, type Frame } from "../frame.ts";
import type { Origin } from "../host/neighbours.ts";
import type { IpIn, IpInit, IpOut, IpRaw } from "../ip/packet.ts";
import type { LossModel } from "../loss/models.ts";
import type { NicInfo } from "../slot.ts";
import { misuse, State } from "../state.ts";
import { Address } from "../wire/address.ts";
import { Protocol } from "../wire/protocol.ts";
import * as udp from "../wire/udp.ts";
import type { Udp } from "./endpoint.ts";

/** What {@linkcode UdpRaw.prepare} and {@linkcode UdpIn.reinit} need. */
export interface UdpInit {
  /** The own address it comes from; unspecified: chosen by the next hop. */
  readonly source: Address;
  /** Where it goes. */
  readonly destination: Address;
  /** The own port. */
  readonly sourcePort: number;
  /** The other's port. */
  readonly destinationPort: number;
  /** The payload's length in bytes. */
  readonly length: number;
  /** Hops it may make. */
  readonly hopLimit?: number | undefined;
  /** The DSCP and ECN bits. */
  readonly trafficClass?: number;
  /** True: an unspecified source is sent as it is, by a host that has no address yet; see `IpInit`. */
  readonly fromNobody?: boolean;
  /** False: refused (`Unreachable`) where it would have to wait for its neighbour's link address, which is asked for. */
  readonly mayWait?: boolean;
}

/** What every state of a UDP packet tells. */
export interface UdpBase {
  /** The endpoint. */
  readonly udp: Udp;
  /** The buffer. */
  readonly frame: Frame;
  /** The NIC's state. */
  readonly info: NicInfo;
}

/** What is known once there is a header. */
export interface UdpHeader extends UdpBase {
  /** The sender's port. */
  readonly sourcePort: number;
  /** The port it goes to. */
  readonly destinationPort: number;
  /** The first byte behind the header in `frame.bytes`; the payload ends at `frame.end`. */
  readonly payloadAt: number;
  /** The payload's length in bytes. */
  readonly length: number;
}

/** A received datagram whose checksum is right. */
export interface UdpIn extends UdpHeader {
  /** The IP packet that carries it. */
  readonly ip: IpIn;
  /** Turns it into a datagram to send that keeps the last `init.length` bytes as payload. Refused: still In. */
  readonly reinit: (init: UdpInit) => UdpOut | Failure;
  /** Turns it around, to its sender, with its last `length` bytes as payload; absent: all. Refused: still In. */
  readonly answer: (length?: number) => UdpOut | Failure;
  /** Sends it back as it is. The packet is then gone; refused, it is as it was. */
  readonly echo: () => LayerError;
  /** Gives the buffer back; what it held is lost. */
  readonly deinit: () => UdpRaw;
  /** Has the packet, or the answer in its buffer, dropped instead of sent, if `loss` says so then. */
  readonly loseIf: (loss: LossModel) => void;
}

/** An empty buffer. */
export interface UdpRaw extends UdpBase {
  /** Writes the headers. `BadSize`: the length overflows UDP's field, or the link's MTU. Refused: still Raw. */
  readonly prepare: (init: UdpInit) => UdpOut | Failure;
  /** Has the packet, or the answer in its buffer, dropped instead of sent, if `loss` says so then. */
  readonly loseIf: (loss: LossModel) => void;
}

/** A datagram whose headers are written; the payload is to be filled in. */
export interface UdpOut extends UdpHeader {
  /** Computes the checksum and queues the packet. It is gone, whatever the answer. */
  readonly send: () => LayerError;
  /** Takes what was prepared as if it had been received. */
  readonly intoIn: () => UdpIn;
}

class ReusedIpInit implements IpInit {
  source = new Address();
  destination = new Address();
  readonly protocol = Protocol.Udp;
  length = 0;
  hopLimit: number | undefined = undefined;
  trafficClass = 0;
  fromNobody = false;
  mayWait = true;
  readonly origin: Origin;

  constructor(origin: Origin) {
    this.origin = origin;
  }
}

/** The object behind the three interfaces: one a place in a tree. */
export class UdpPacket implements UdpIn, UdpRaw, UdpOut {
  readonly udp: Udp;
  frame!: Frame;
  info!: NicInfo;
  sourcePort = 0;
  destinationPort = 0;
  #at = 0;
  #in!: IpIn;
  #raw!: IpRaw;
  #out!: IpOut;
  #state: State = State.Gone;
  readonly #ipInit: ReusedIpInit;

  /** A packet for one place in a tree. */
  constructor(endpoint: Udp) {
    this.udp = endpoint;
    this.#ipInit = new ReusedIpInit(endpoint.origin);
  }

  get ip(): IpIn {
    if (this.#state !== State.In) misuse("ip", this.#state);
    return this.#in;
  }

  /** Whether it can still be read and answered: no handler has turned it into something else. */
  get isIn(): boolean {
    return this.#state === State.In;
  }

  get payloadAt(): number {
    return this.#at + udp.HEADER_LENGTH;
  }

  get length(): number {
    return this.frame.end - this.payloadAt;
  }

  /** Starts over with an IP packet whose payload was checked. */
  enterIn(ip: IpIn): UdpPacket {
    this.#in = ip;
    this.frame = ip.frame;
    this.info = ip.info;
    this.#read(ip.payloadAt);
    this.#state = State.In;
    return this;
  }

  /** Starts over with an empty buffer. */
  enterRaw(ip: IpRaw): UdpRaw {
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

  prepare(init: UdpInit): UdpOut | Failure {
    if (this.#state !== State.Raw) misuse("prepare", this.#state);
    if (!fits(init.length)) return LayerError.BadSize;
    const out = this.#raw.prepare(this.#below(init));
    return typeof out === "number" ? out : this.#emit(out, init.sourcePort, init.destinationPort);
  }

  reinit(init: UdpInit): UdpOut | Failure {
    if (this.#state !== State.In) misuse("reinit", this.#state);
    if (!fits(init.length)) return LayerError.BadSize;
    const out = this.#in.reinit(this.#below(init));
    return typeof out === "number" ? out : this.#emit(out, init.sourcePort, init.destinationPort);
  }

  answer(length: number = this.length): UdpOut | Failure {
    if (this.#state !== State.In) misuse("answer", this.#state);
    if (!fits(length)) return LayerError.BadSize;
    const out = this.#turn(length);
    return typeof out === "number" ? out : this.#emit(out, this.destinationPort, this.sourcePort);
  }

  echo(): LayerError {
    if (this.#state !== State.In) misuse("echo", this.#state);
    const { isGroup } = this.#in;
    const isPartial = this.frame.checksum === Checksum.Partial && this.frame.checksumAt === this.#at;
    const out = this.#turn(this.length);
    if (typeof out === "number") return out;
    const { bytes } = out.frame;
    const at = out.payloadAt;
    udp.setSourcePort(bytes, at, this.destinationPort);
    udp.setDestinationPort(bytes, at, this.sourcePort);
    // Addresses and ports change places, so the sum that the checksum covers stays what it was; but what was sent to
    // a group is answered from an address that it did not cover.
    if (isPartial) {
      if (isGroup) this.#leavePartial(at, out.source, out.destination);
      else this.frame.leaveChecksum(at, udp.CHECKSUM);
    } else if (isGroup && udp.checksum(bytes, at) !== udp.NO_CHECKSUM) {
      const { fill, partial } = this.info.capabilities.udp;
      if (fill || partial === true) udp.fillChecksum(bytes, at, out.source, out.destination);
    }
    return this.#leaves(out);
  }

  deinit(): UdpRaw {
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

  intoIn(): UdpIn {
    if (this.#state !== State.Out) misuse("intoIn", this.#state);
    return this.enterIn(this.#out.intoIn());
  }

  send(): LayerError {
    if (this.#state !== State.Out) misuse("send", this.#state);
    const { source, destination } = this.#out;
    const { fill, partial } = this.info.capabilities.udp;
    if (fill) udp.fillChecksum(this.frame.bytes, this.#at, source, destination);
    else if (partial === true) this.#leavePartial(this.#at, source, destination);
    return this.#leaves(this.#out);
  }

  #leavePartial(at: number, source: Address, destination: Address): void {
    udp.fillPartialChecksum(this.frame.bytes, at, source, destination);
    this.frame.leaveChecksum(at, udp.CHECKSUM);
  }

  #leaves(out: IpOut): LayerError {
    this.#state = State.Gone;
    const error = out.send();
    if (error === LayerError.None) this.udp.counters.sent++;
    else this.udp.counters.notSent++;
    return error;
  }

  /** The IP packet, on its way back to where it came from. A group cannot be the source of an answer. */
  #turn(length: number): IpOut | Failure {
    const ip = this.#in;
    const below = this.#ipInit;
    below.source = ip.isGroup ? UNSPECIFIED : ip.destination;
    below.destination = ip.source;
    below.length = udp.HEADER_LENGTH + length;
    below.hopLimit = this.udp.hopLimit;
    below.trafficClass = 0;
    below.fromNobody = false;
    below.mayWait = true;
    return ip.reinit(below);
  }

  #below(init: UdpInit): IpInit {
    const below = this.#ipInit;
    below.source = init.source;
    below.destination = init.destination;
    below.length = udp.HEADER_LENGTH + init.length;
    below.hopLimit = init.hopLimit ?? this.udp.hopLimit;
    below.trafficClass = init.trafficClass ?? 0;
    below.fromNobody = init.fromNobody ?? false;
    below.mayWait = init.mayWait ?? true;
    return below;
  }

  #emit(out: IpOut, sourcePort: number, destinationPort: number): UdpOut {
    const { bytes, end } = out.frame;
    udp.emit(bytes, out.payloadAt, sourcePort, destinationPort, end - out.payloadAt);
    this.#out = out;
    this.frame = out.frame;
    this.info = out.info;
    this.#read(out.payloadAt);
    this.#state = State.Out;
    return this;
  }

  #read(at: number): void {
    const { bytes } = this.frame;
    this.#at = at;
    this.sourcePort = udp.sourcePort(bytes, at);
    this.destinationPort = udp.destinationPort(bytes, at);
  }
}

const UNSPECIFIED: Address = new Address();

/** Whether UDP's length field can tell a payload's length. */
function fits(length: number): boolean {
  return length >= 0 && length <= udp.LENGTH_MAX - udp.HEADER_LENGTH;
}
