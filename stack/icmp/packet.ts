/**
 * ICMP packets: one object seen as {@linkcode IcmpIn}, {@linkcode IcmpRaw} and {@linkcode IcmpOut}.
 *
 * @module
 */
import { type Failure, LayerError } from "../error.ts";
import type { Frame } from "../frame.ts";
import type { Origin } from "../host/neighbours.ts";
import type { IpIn, IpInit, IpOut, IpRaw } from "../ip/packet.ts";
import type { LossModel } from "../loss/models.ts";
import type { NicInfo } from "../slot.ts";
import { misuse, State } from "../state.ts";
import { Address } from "../wire/address.ts";
import { update16 } from "../wire/checksum.ts";
import * as icmpv4 from "../wire/icmpv4.ts";
import * as icmpv6 from "../wire/icmpv6.ts";
import { Protocol } from "../wire/protocol.ts";
import type { Icmp } from "./endpoint.ts";
import { LARGE } from "./large-echoes.ts";

/** What {@linkcode IcmpRaw.prepare} and {@linkcode IcmpIn.reinit} need. */
export interface IcmpInit {
  /** The own address it comes from; unspecified: chosen by the next hop. */
  readonly source: Address;
  /** Where it goes. */
  readonly destination: Address;
  /** The message's type. */
  readonly type: number;
  /** The message's code. */
  readonly code: number;
  /** The header's second word: identifier and sequence number of an echo, a pointer, an MTU. */
  readonly rest: number;
  /** The payload's length in bytes, behind the header of 8. */
  readonly length: number;
  /** Hops it may make. */
  readonly hopLimit?: number | undefined;
  /** The DSCP and ECN bits. */
  readonly trafficClass?: number;
  /** Who is told if it has waited for its neighbour's link address in vain; absent: nobody. */
  readonly origin?: Origin;
}

/** What every state of an ICMP packet tells. */
export interface IcmpBase {
  /** The endpoint. */
  readonly icmp: Icmp;
  /** The buffer. */
  readonly frame: Frame;
  /** The NIC's state. */
  readonly info: NicInfo;
}

/** What is known once there is a header. */
export interface IcmpHeader extends IcmpBase {
  /** Whether it is ICMP for IPv4; for IPv6 otherwise, whose types have other numbers. */
  readonly isV4: boolean;
  /** The message's type. */
  readonly type: number;
  /** The message's code. */
  readonly code: number;
  /** The header's second word. */
  readonly rest: number;
  /** The first byte behind the header in `frame.bytes`; the payload ends at `frame.end`. */
  readonly payloadAt: number;
}

/** A received ICMP message whose checksum is right. */
export interface IcmpIn extends IcmpHeader {
  /** The IP packet that carries it. */
  readonly ip: IpIn;
  /** Whether it asks for an echo, in its family's number. */
  readonly isEchoRequest: boolean;
  /** Whether it answers an echo request, in its family's number. */
  readonly isEchoReply: boolean;
  /** Whether it reports an error about a packet, which it then quotes (RFC 1122 3.2.2, RFC 4443 2.1). */
  readonly isError: boolean;
  /** Turns it into a message to send that keeps the last `init.length` bytes as payload. Refused: still In. */
  readonly reinit: (init: IcmpInit) => IcmpOut | Failure;
  /**
   * Answers an echo request in its own buffer; the packet is then gone. `Illegal`: it is no echo request, or it was
   * sent to a group of IPv4, which a host need not answer and a good one does not (RFC 1122 3.2.2.6); to one of IPv6
   * it is answered (RFC 4443 4.2).
   */
  readonly answer: () => LayerError;
  /** Gives the buffer back; what it held is lost. */
  readonly deinit: () => IcmpRaw;
  /** Has the packet, or the answer in its buffer, dropped instead of sent, if `loss` says so then. */
  readonly loseIf: (loss: LossModel) => void;
}

/** An empty buffer. */
export interface IcmpRaw extends IcmpBase {
  /** Writes the headers. Refused: still Raw. */
  readonly prepare: (init: IcmpInit) => IcmpOut | Failure;
  /** Has the packet, or the answer in its buffer, dropped instead of sent, if `loss` says so then. */
  readonly loseIf: (loss: LossModel) => void;
}

/** A message whose headers are written; the payload is to be filled in. */
export interface IcmpOut extends IcmpHeader {
  /** Computes the checksum and queues the packet. It is gone, whatever the answer. */
  readonly send: () => LayerError;
  /** Takes what was prepared as if it had been received. */
  readonly intoIn: () => IcmpIn;
}

const UNSPECIFIED = new Address();

const NOBODY: Origin = { undelivered: () => {} };

class ReusedIpInit implements IpInit {
  source = new Address();
  destination = new Address();
  protocol: number = Protocol.Icmp;
  length = 0;
  hopLimit: number | undefined = undefined;
  trafficClass = 0;
  origin: Origin = NOBODY;
}

/** The object behind the three interfaces: one a place in a tree. */
export class IcmpPacket implements IcmpIn, IcmpRaw, IcmpOut {
  readonly icmp: Icmp;
  frame!: Frame;
  info!: NicInfo;
  isV4 = true;
  type = 0;
  code = 0;
  rest = 0;
  #at = 0;
  #in!: IpIn;
  #raw!: IpRaw;
  #out!: IpOut;
  #state: State = State.Gone;
  readonly #ipInit = new ReusedIpInit();

  /** A packet for one place in a tree. */
  constructor(icmp: Icmp) {
    this.icmp = icmp;
  }

  get ip(): IpIn {
    if (this.#state !== State.In) misuse("ip", this.#state);
    return this.#in;
  }

  get payloadAt(): number {
    return this.#at + icmpv4.HEADER_LENGTH;
  }

  get isEchoRequest(): boolean {
    return this.type === (this.isV4 ? icmpv4.Type.EchoRequest : icmpv6.Type.EchoRequest);
  }

  get isEchoReply(): boolean {
    return this.type === (this.isV4 ? icmpv4.Type.EchoReply : icmpv6.Type.EchoReply);
  }

  get isError(): boolean {
    return this.isV4 ? icmpv4.isError(this.type) : icmpv6.isError(this.type);
  }

  /** Starts over with an IP packet whose payload was checked. */
  enterIn(ip: IpIn): IcmpPacket {
    this.#in = ip;
    this.frame = ip.frame;
    this.info = ip.info;
    this.isV4 = ip.isV4;
    this.#read(ip.payloadAt);
    this.#state = State.In;
    return this;
  }

  /** Starts over with an empty buffer. */
  enterRaw(ip: IpRaw): IcmpRaw {
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

  prepare(init: IcmpInit): IcmpOut | Failure {
    if (this.#state !== State.Raw) misuse("prepare", this.#state);
    if (init.length < 0) return LayerError.BadSize;
    const out = this.#raw.prepare(this.#below(init));
    return typeof out === "number" ? out : this.#emit(out, init);
  }

  reinit(init: IcmpInit): IcmpOut | Failure {
    if (this.#state !== State.In) misuse("reinit", this.#state);
    if (init.length < 0) return LayerError.BadSize;
    const out = this.#in.reinit(this.#below(init));
    return typeof out === "number" ? out : this.#emit(out, init);
  }

  answer(): LayerError {
    if (this.#state !== State.In) misuse("answer", this.#state);
    const ip = this.#in;
    const { isV4 } = this;
    const { isGroup } = ip;
    if (!this.isEchoRequest || (isGroup && isV4)) return LayerError.Illegal;
    const init = this.#ipInit;
    // RFC 4443 4.2: a group is not the source of an answer.
    init.source = isGroup ? UNSPECIFIED : ip.destination;
    init.destination = ip.source;
    init.protocol = isV4 ? Protocol.Icmp : Protocol.Icmpv6;
    init.length = this.frame.end - this.#at;
    init.hopLimit = this.icmp.hopLimit;
    init.trafficClass = ip.trafficClass;
    init.origin = NOBODY;
    const out = ip.reinit(init);
    if (typeof out === "number") return out;
    if (init.length > LARGE) this.icmp.largeEchoes.note(out.destination, this.rest);
    // The message itself stays where it is: one byte changes, and the checksum with it (RFC 1624). The addresses that
    // ICMPv6's covers change places.
    const { bytes } = out.frame;
    const at = out.payloadAt;
    const request = isV4 ? icmpv4.Type.EchoRequest : icmpv6.Type.EchoRequest;
    const reply = isV4 ? icmpv4.Type.EchoReply : icmpv6.Type.EchoReply;
    const check = isGroup ? 0 : update16(icmpv4.checksum(bytes, at), request << 8, reply << 8);
    icmpv4.setType(bytes, at, reply);
    // RFC 1624 3: 0 may stand for a sum of 0 or of 0xffff, that is for a reply that is zero throughout or not.
    if (check !== 0) icmpv4.setChecksum(bytes, at, check);
    else fillChecksum(out);
    this.#state = State.Gone;
    const error = out.send();
    if (error === LayerError.None) {
      this.icmp.counters.answered++;
      this.icmp.counters.sent++;
    }
    return error;
  }

  deinit(): IcmpRaw {
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

  intoIn(): IcmpIn {
    if (this.#state !== State.Out) misuse("intoIn", this.#state);
    return this.enterIn(this.#out.intoIn());
  }

  send(): LayerError {
    if (this.#state !== State.Out) misuse("send", this.#state);
    this.#state = State.Gone;
    const { icmpv4, icmpv6 } = this.info.capabilities;
    if (this.isV4 ? icmpv4.fill : icmpv6.fill) fillChecksum(this.#out);
    const error = this.#out.send();
    if (error === LayerError.None) this.icmp.counters.sent++;
    return error;
  }

  #below(init: IcmpInit): IpInit {
    const below = this.#ipInit;
    below.source = init.source;
    below.destination = init.destination;
    below.protocol = init.destination.isV4 ? Protocol.Icmp : Protocol.Icmpv6;
    below.length = icmpv4.HEADER_LENGTH + init.length;
    below.hopLimit = init.hopLimit ?? this.icmp.hopLimit;
    below.trafficClass = init.trafficClass ?? 0;
    below.origin = init.origin ?? NOBODY;
    return below;
  }

  #emit(out: IpOut, init: IcmpInit): IcmpOut {
    icmpv4.emitError(out.frame.bytes, out.payloadAt, init.type, init.code, init.rest);
    this.#out = out;
    this.frame = out.frame;
    this.info = out.info;
    this.isV4 = out.isV4;
    this.#read(out.payloadAt);
    this.#state = State.Out;
    return this;
  }

  #read(at: number): void {
    const { bytes } = this.frame;
    this.#at = at;
    this.type = icmpv4.type(bytes, at);
    this.code = icmpv4.code(bytes, at);
    this.rest = icmpv4.rest(bytes, at);
  }
}

/** Computes and sets the checksum of the message that is a packet's payload. */
function fillChecksum(out: IpOut): void {
  const { frame, payloadAt } = out;
  if (out.isV4) icmpv4.fillChecksum(frame.bytes, payloadAt, frame.end);
  else icmpv6.fillChecksum(frame.bytes, payloadAt, frame.end, out.source, out.destination);
}
