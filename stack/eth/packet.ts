/**
 * Ethernet packets: one object seen as {@linkcode EthIn}, {@linkcode EthRaw} and {@linkcode EthOut}.
 *
 * @module
 */
import { type Failure, LayerError } from "../error.ts";
import type { Frame } from "../frame.ts";
import { fitsLink, type LinkIn, type LinkInit, type LinkOut, type LinkRaw, type Passed } from "../link.ts";
import type { LossModel } from "../loss/models.ts";
import type { NicInfo, Slot } from "../slot.ts";
import { misuse, State } from "../state.ts";
import * as ethernet from "../wire/ethernet.ts";
import { WireError } from "../wire/error.ts";
import { Mac } from "../wire/mac.ts";
import * as vlan from "../wire/vlan.ts";
import type { Eth } from "./endpoint.ts";

/** What {@linkcode EthRaw.prepare} needs; the source is the endpoint's own address. */
export type EthInit = LinkInit;

/** A received Ethernet frame that is for us, of any EtherType. */
export interface EthIn extends LinkIn {
  /** The endpoint it came through. */
  readonly eth: Eth;
  /** The sender's address. Overwritten by the next packet: copy what must last. */
  readonly source: Mac;
  /** The address it was sent to. */
  readonly destination: Mac;
  /** Turns it into an answer that keeps the last `init.length` bytes as payload. Refused: still In. */
  readonly reinit: (init: EthInit) => EthOut | Failure;
  /** Gives the buffer back; what it held is lost. */
  readonly deinit: () => EthRaw;
}

/** An empty buffer. */
export interface EthRaw extends LinkRaw {
  /** The endpoint it leaves through. */
  readonly eth: Eth;
  /** Writes the header. `BadSize`: the payload is over the MTU or the slot. Refused: still Raw. */
  readonly prepare: (init: EthInit) => EthOut | Failure;
}

/** A frame whose header is written. */
export interface EthOut extends LinkOut {
  /** The endpoint it leaves through. */
  readonly eth: Eth;
  /** Takes what was prepared as if it had been received. */
  readonly intoIn: () => EthIn;
}

/** The object behind the three interfaces: one a place in a tree. */
export class EthPacket implements EthIn, EthRaw, EthOut {
  readonly eth: Eth;
  readonly destination: Mac = new Mac();
  readonly resolves = true;
  readonly passed: readonly Passed[];
  frame!: Frame;
  info!: NicInfo;
  payloadAt = 0;
  etherType = 0;
  isOther = false;
  readonly #source = new Mac();
  #slot!: Slot;
  #state: State = State.Gone;

  /** A packet for one place in a tree. */
  constructor(eth: Eth) {
    this.eth = eth;
    this.passed = [eth.counters];
  }

  get mac(): Mac {
    return this.eth.mac;
  }

  /** Read when asked for, since few handlers ask. */
  get source(): Mac {
    return this.#source.read(this.frame.bytes, this.frame.start + ethernet.SOURCE);
  }

  get isGroup(): boolean {
    return this.destination.isMulticast;
  }

  /** Starts over with a slot whose frame was received and checked. */
  enterIn(slot: Slot): EthIn {
    this.#enter(slot, State.In);
    this.#read();
    return this;
  }

  /** Starts over with an empty slot. */
  enterRaw(slot: Slot): EthRaw {
    this.#enter(slot, State.Raw);
    return this;
  }

  /** Takes a tag that tells a priority and no VLAN out of a received frame, the addresses of which move over it. */
  dropPriorityTag(): void {
    const { frame, payloadAt: at } = this;
    const { bytes, start } = frame;
    if (vlan.check(bytes, at, frame.end) !== WireError.None || vlan.id(bytes, at) !== 0) return;
    bytes.copyWithin(start + vlan.TAG_LENGTH, start, start + ethernet.ETHER_TYPE);
    frame.start = start + vlan.TAG_LENGTH;
    this.#read();
  }

  /** Ends the packet's use: its handler has returned. */
  leave(): void {
    this.#state = State.Gone;
  }

  prepare(init: EthInit): EthOut | Failure {
    if (this.#state !== State.Raw) misuse("prepare", this.#state);
    if (!fitsLink(init, this.info)) return LayerError.BadSize;
    if (!this.frame.resize(ethernet.HEADER_LENGTH + init.length)) return LayerError.BadSize;
    return this.#emit(init);
  }

  reinit(init: EthInit): EthOut | Failure {
    if (this.#state !== State.In) misuse("reinit", this.#state);
    if (!fitsLink(init, this.info)) return LayerError.BadSize;
    if (!this.frame.reframe(ethernet.HEADER_LENGTH + init.length)) return LayerError.BadSize;
    return this.#emit(init);
  }

  deinit(): EthRaw {
    if (this.#state !== State.In) misuse("deinit", this.#state);
    this.#state = State.Raw;
    return this;
  }

  loseIf(loss: LossModel): void {
    this.#slot.loseIf(loss);
  }

  intoIn(): EthIn {
    if (this.#state !== State.Out) misuse("intoIn", this.#state);
    this.#state = State.In;
    this.#read();
    return this;
  }

  send(): LayerError {
    if (this.#state !== State.Out) misuse("send", this.#state);
    this.#state = State.Gone;
    const error = this.#slot.queue();
    if (error === LayerError.None) this.eth.counters.sent++;
    else this.eth.counters.notQueued++;
    return error;
  }

  #enter(slot: Slot, state: State): void {
    this.#slot = slot;
    this.frame = slot.frame;
    this.info = slot.info;
    this.#state = state;
  }

  #read(): void {
    const { bytes, start } = this.frame;
    this.destination.read(bytes, start + ethernet.DESTINATION);
    this.etherType = ethernet.etherType(bytes, start);
    this.payloadAt = start + ethernet.HEADER_LENGTH;
  }

  #emit(init: EthInit): EthOut {
    const { bytes, start } = this.frame;
    ethernet.emit(bytes, start, init.destination, this.eth.mac, init.etherType);
    this.payloadAt = start + ethernet.HEADER_LENGTH;
    this.#state = State.Out;
    return this;
  }
}
