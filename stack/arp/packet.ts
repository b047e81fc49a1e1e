/**
 * ARP packets (RFC 826): one object seen as {@linkcode ArpIn}, {@linkcode ArpRaw} and {@linkcode ArpOut}.
 *
 * @module
 */
import { type Failure, LayerError } from "../error.ts";
import type { LinkIn, LinkInit, LinkOut, LinkRaw } from "../link.ts";
import type { NicInfo } from "../slot.ts";
import { misuse, State } from "../state.ts";
import { Address } from "../wire/address.ts";
import * as arp from "../wire/arp.ts";
import { EtherType } from "../wire/ethernet.ts";
import { Mac } from "../wire/mac.ts";
import type { Arp } from "./endpoint.ts";

/** What {@linkcode ArpRaw.prepare} and {@linkcode ArpIn.reinit} need. The sender's link address is the link's own. */
export interface ArpInit {
  /** Request or reply: an {@linkcode Operation}. */
  readonly operation: number;
  /** The IPv4 address that the sender has, or 0.0.0.0 in a probe (RFC 5227 2.1.1). */
  readonly sender: Address;
  /** The target's link address; zero in a request. */
  readonly targetMac: Mac;
  /** The IPv4 address asked for, or the asker's. */
  readonly target: Address;
  /** The station it goes to. */
  readonly destination: Mac;
}

/** What every state of an ARP packet tells. */
export interface ArpBase {
  /** The endpoint. */
  readonly arp: Arp;
  /** The NIC's state. */
  readonly info: NicInfo;
}

/** A received, well-formed ARP packet. */
export interface ArpIn extends ArpBase {
  /** The link's packet below. */
  readonly link: LinkIn;
  /** Request or reply: an {@linkcode Operation}. */
  readonly operation: number;
  /** The sender's link address. Overwritten by the next packet. */
  readonly senderMac: Mac;
  /** The sender's IPv4 address. Overwritten by the next packet. */
  readonly sender: Address;
  /** The target's IPv4 address. Overwritten by the next packet. */
  readonly target: Address;
  /** Turns it into a packet to send. Refused: still In. */
  readonly reinit: (init: ArpInit) => ArpOut | Failure;
  /** Answers a request in its own buffer. `Illegal`: it is no request, or the NIC cannot send this buffer. */
  readonly answer: () => LayerError;
  /** Gives the buffer back; what it held is lost. */
  readonly deinit: () => ArpRaw;
}

/** An empty buffer. */
export interface ArpRaw extends ArpBase {
  /** Writes the packet. Refused: still Raw. */
  readonly prepare: (init: ArpInit) => ArpOut | Failure;
}

/** A packet that is ready. */
export interface ArpOut extends ArpBase {
  /** Queues it. The packet is gone, whatever the answer. */
  readonly send: () => LayerError;
  /** Takes what was prepared as if it had been received. */
  readonly intoIn: () => ArpIn;
}

class ReusedLinkInit implements LinkInit {
  readonly destination = new Mac();
  readonly etherType = EtherType.Arp;
  readonly length = arp.LENGTH;
}

/** The object behind the three interfaces: one a place in a tree. */
export class ArpPacket implements ArpIn, ArpRaw, ArpOut {
  readonly arp: Arp;
  readonly senderMac: Mac = new Mac();
  readonly sender: Address = new Address();
  readonly target: Address = new Address();
  info!: NicInfo;
  operation = 0;
  #in!: LinkIn;
  #raw!: LinkRaw;
  #out!: LinkOut;
  #state: State = State.Gone;
  readonly #linkInit = new ReusedLinkInit();
  readonly #reply: ArpInit = {
    operation: arp.Operation.Reply,
    sender: this.target,
    targetMac: this.senderMac,
    target: this.sender,
    destination: this.senderMac,
  };
  // RFC 3927 2.5: so that others hear of a conflict, whatever tells of a link-local address goes to everybody.
  readonly #loudReply: ArpInit = { ...this.#reply, destination: Mac.broadcast() };

  /** A packet for one place in a tree. */
  constructor(endpoint: Arp) {
    this.arp = endpoint;
  }

  get link(): LinkIn {
    if (this.#state !== State.In) misuse("link", this.#state);
    return this.#in;
  }

  /** Starts over with a link packet whose payload was checked. */
  enterIn(link: LinkIn): ArpPacket {
    this.#in = link;
    this.info = link.info;
    this.#read(link);
    this.#state = State.In;
    return this;
  }

  /** Starts over with an empty buffer. */
  enterRaw(link: LinkRaw): ArpRaw {
    this.#raw = link;
    this.info = link.info;
    this.#state = State.Raw;
    return this;
  }

  /** Ends the packet's use: its handler has returned. */
  leave(): void {
    this.#state = State.Gone;
  }

  prepare(init: ArpInit): ArpOut | Failure {
    if (this.#state !== State.Raw) misuse("prepare", this.#state);
    this.#linkInit.destination.copy(init.destination);
    const out = this.#raw.prepare(this.#linkInit);
    return typeof out === "number" ? out : this.#emit(out, init);
  }

  reinit(init: ArpInit): ArpOut | Failure {
    if (this.#state !== State.In) misuse("reinit", this.#state);
    this.#linkInit.destination.copy(init.destination);
    const out = this.#in.reinit(this.#linkInit);
    return typeof out === "number" ? out : this.#emit(out, init);
  }

  answer(): LayerError {
    if (this.#state !== State.In) misuse("answer", this.#state);
    if (this.operation !== arp.Operation.Request) return LayerError.Illegal;
    const out = this.reinit(this.target.isLinkLocal ? this.#loudReply : this.#reply);
    return typeof out === "number" ? out : out.send();
  }

  deinit(): ArpRaw {
    if (this.#state !== State.In) misuse("deinit", this.#state);
    this.#raw = this.#in.deinit();
    this.#state = State.Raw;
    return this;
  }

  intoIn(): ArpIn {
    if (this.#state !== State.Out) misuse("intoIn", this.#state);
    return this.enterIn(this.#out.intoIn());
  }

  send(): LayerError {
    if (this.#state !== State.Out) misuse("send", this.#state);
    this.#state = State.Gone;
    const error = this.#out.send();
    if (error === LayerError.None) this.arp.counters.sent++;
    return error;
  }

  #emit(out: LinkOut, init: ArpInit): ArpOut {
    const { bytes } = out.frame;
    arp.emit(bytes, out.payloadAt, init.operation, out.mac, init.sender.d, init.targetMac, init.target.d);
    this.#out = out;
    this.#state = State.Out;
    return this;
  }

  #read(link: LinkIn): void {
    const { bytes } = link.frame;
    const at = link.payloadAt;
    this.operation = arp.operation(bytes, at);
    this.senderMac.read(bytes, at + arp.SENDER_MAC);
    this.sender.readV4(bytes, at + arp.SENDER_ADDRESS);
    this.target.readV4(bytes, at + arp.TARGET_ADDRESS);
  }
}
