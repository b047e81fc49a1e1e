/**
 * Packets in a tunnel: one object seen as `LinkIn`, `LinkRaw` and `LinkOut`, whose link header is an IP packet's.
 *
 * @module
 */
import { type Failure, LayerError } from "../error.ts";
import type { Frame } from "../frame.ts";
import type { IpIn, IpInit, IpOut, IpRaw } from "../ip/packet.ts";
import { fitsLink, type LinkIn, type LinkInit, type LinkOut, type LinkRaw, Passed } from "../link.ts";
import type { LossModel } from "../loss/models.ts";
import { misuse, State } from "../state.ts";
import { Address } from "../wire/address.ts";
import { EtherType } from "../wire/ethernet.ts";
import * as gre from "../wire/gre.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as ipv6 from "../wire/ipv6.ts";
import { Mac } from "../wire/mac.ts";
import { Protocol } from "../wire/protocol.ts";
import { innerTrafficClass } from "./ecn.ts";
import type { Tunnel } from "./endpoint.ts";
import type { TunnelInfo } from "./info.ts";

class ReusedIpInit implements IpInit {
  source!: Address;
  destination!: Address;
  protocol = 0;
  length = 0;
  hopLimit = 0;
}

/** The object behind the three interfaces: one a place in a tree. */
export class TunnelPacket implements LinkIn, LinkRaw, LinkOut {
  readonly mac: Mac = new Mac();
  readonly resolves = false;
  readonly isGroup = false;
  readonly isOther = false;
  readonly passed: readonly Passed[] = [];
  readonly info: TunnelInfo;
  frame!: Frame;
  etherType = 0;
  payloadAt = 0;
  readonly #tunnel: Tunnel;
  readonly #init = new ReusedIpInit();
  readonly #address = new Address();
  #in!: IpIn;
  #raw!: IpRaw;
  #out!: IpOut;
  #state: State = State.Gone;

  /** A packet for one place in a tree. */
  constructor(tunnel: Tunnel) {
    this.#tunnel = tunnel;
    this.info = tunnel.info;
    this.#init.source = tunnel.local;
    this.#init.destination = tunnel.remote;
  }

  /** Starts over with a packet that holds another one at `at`, which was checked. */
  enterIn(ip: IpIn, etherType: number, at: number): LinkIn {
    this.#in = ip;
    this.frame = ip.frame;
    this.info.enter(ip.info);
    this.etherType = etherType;
    this.payloadAt = at;
    this.#state = State.In;
    return this;
  }

  /** Starts over with an empty buffer. */
  enterRaw(ip: IpRaw): LinkRaw {
    this.#raw = ip;
    this.frame = ip.frame;
    this.info.enter(ip.info);
    this.#state = State.Raw;
    return this;
  }

  /** Ends the packet's use: its handler has returned. */
  leave(): void {
    this.#state = State.Gone;
  }

  prepare(init: LinkInit): LinkOut | Failure {
    if (this.#state !== State.Raw) misuse("prepare", this.#state);
    const failure = this.#refusal(init);
    if (failure !== LayerError.None) return failure;
    const out = this.#raw.prepare(this.#init);
    return typeof out === "number" ? this.#refused(out) : this.#emit(out, init);
  }

  reinit(init: LinkInit): LinkOut | Failure {
    if (this.#state !== State.In) misuse("reinit", this.#state);
    const failure = this.#refusal(init);
    if (failure !== LayerError.None) return failure;
    const out = this.#in.reinit(this.#init);
    return typeof out === "number" ? this.#refused(out) : this.#emit(out, init);
  }

  deinit(): LinkRaw {
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

  intoIn(): LinkIn {
    if (this.#state !== State.Out) misuse("intoIn", this.#state);
    this.#in = this.#out.intoIn();
    this.#state = State.In;
    return this;
  }

  send(): LayerError {
    if (this.#state !== State.Out) misuse("send", this.#state);
    this.#state = State.Gone;
    const { counters } = this.#tunnel;
    if (this.#isRecursive()) {
      counters.recursive++;
      return LayerError.Illegal;
    }
    this.#copyTrafficClass();
    const error = this.#out.send();
    if (error === LayerError.None) counters.sent++;
    else counters.notSent++;
    return error;
  }

  /** What the tunnel does not take; if it does, what the outer layer must know. */
  #refusal(init: LinkInit): LayerError {
    const { etherType, length } = init;
    if (etherType !== EtherType.Ipv4 && etherType !== EtherType.Ipv6) return LayerError.Illegal;
    if (!fitsLink(init, this.info)) return LayerError.BadSize;
    const tunnel = this.#tunnel;
    this.#init.protocol = tunnel.gre
      ? Protocol.Gre
      : etherType === EtherType.Ipv4
      ? Protocol.Ipv4
      : Protocol.Ipv6;
    this.#init.length = tunnel.headerLength + length;
    this.#init.hopLimit = tunnel.hopLimit;
    return LayerError.None;
  }

  #refused(failure: Failure): Failure {
    this.#tunnel.counters.notSent++;
    return failure;
  }

  #emit(out: IpOut, { etherType }: LinkInit): LinkOut {
    const tunnel = this.#tunnel;
    if (tunnel.gre) gre.emit(out.frame.bytes, out.payloadAt, etherType);
    this.#out = out;
    this.frame = out.frame;
    this.etherType = etherType;
    this.payloadAt = out.payloadAt + tunnel.headerLength;
    this.#state = State.Out;
    return this;
  }

  /** RFC 6040 4.1, RFC 2983 3: the outer header has the inner one's mark and class. */
  #copyTrafficClass(): void {
    const { bytes } = this.frame;
    const { payloadAt, isV4 } = this.#out;
    const traffic = innerTrafficClass(bytes, this.payloadAt, this.etherType === EtherType.Ipv4);
    if (isV4) ipv4.setTrafficClass(bytes, payloadAt - ipv4.HEADER_LENGTH, traffic);
    else ipv6.setTrafficClass(bytes, payloadAt - ipv6.HEADER_LENGTH, traffic);
  }

  /** RFC 2003 3.1: what goes from one end of the tunnel to the other is never wrapped. */
  #isRecursive(): boolean {
    const { local, remote } = this.#tunnel;
    const isV4 = this.etherType === EtherType.Ipv4;
    if (isV4 !== local.isV4) return false;
    const { bytes } = this.frame;
    const address = this.#address;
    if (isV4) {
      return address.readV4(bytes, this.payloadAt + ipv4.DESTINATION).equals(remote) &&
        address.readV4(bytes, this.payloadAt + ipv4.SOURCE).equals(local);
    }
    return address.readV6(bytes, this.payloadAt + ipv6.DESTINATION).equals(remote) &&
      address.readV6(bytes, this.payloadAt + ipv6.SOURCE).equals(local);
  }
}
