/**
 * Packets of a VLAN: one object seen as the link's In, Raw and Out states, over a packet of Ethernet.
 *
 * @module
 */
import { type Failure, LayerError } from "../error.ts";
import type { Frame } from "../frame.ts";
import type { LinkIn, LinkInit, LinkOut, LinkRaw, Passed } from "../link.ts";
import type { LossModel } from "../loss/models.ts";
import { ALL_MANUAL, type Capabilities, type Medium, type NicInfo } from "../slot.ts";
import { misuse, State } from "../state.ts";
import type { Instant } from "../store/time.ts";
import { EtherType } from "../wire/ethernet.ts";
import { Mac } from "../wire/mac.ts";
import * as wire from "../wire/vlan.ts";
import type { EthIn, EthOut, EthRaw } from "./packet.ts";
import type { Vlan } from "./vlan.ts";

/** What a NIC does for plain frames it need not do for tagged ones: the stack computes checksums and cuts segments. */
export class VlanInfo implements NicInfo {
  readonly #nic: NicInfo;

  /** The information of a NIC under a VLAN. */
  constructor(nic: NicInfo) {
    this.#nic = nic;
  }

  get timestamp(): Instant {
    return this.#nic.timestamp;
  }

  get capabilities(): Capabilities {
    const { capabilities } = this.#nic;
    return capabilities.segmentation === undefined ? capabilities : ALL_MANUAL;
  }

  get mtu(): number {
    return this.#nic.mtu;
  }

  get medium(): Medium {
    return this.#nic.medium;
  }

  get isLoopback(): boolean {
    return this.#nic.isLoopback;
  }
}

class ReusedEthInit implements LinkInit {
  readonly destination = new Mac();
  readonly etherType = EtherType.Vlan;
  length = 0;
}

/** The object behind the three interfaces: one a place in a tree. */
export class VlanPacket implements LinkIn, LinkRaw, LinkOut {
  readonly resolves = true;
  frame!: Frame;
  info!: NicInfo;
  payloadAt = 0;
  etherType = 0;
  readonly #vlan: Vlan;
  readonly #init = new ReusedEthInit();
  #nic: NicInfo | undefined;
  #in!: EthIn;
  #raw!: EthRaw;
  #out!: EthOut;
  #state: State = State.Gone;
  /** The station below is always the same. */
  #passed: readonly Passed[] | undefined;

  /** A packet for one place in a tree. */
  constructor(vlan: Vlan) {
    this.#vlan = vlan;
  }

  get mac(): Mac {
    return this.#vlan.mac;
  }

  get passed(): readonly Passed[] {
    return this.#passed ??= [...this.#in.passed, this.#vlan.counters];
  }

  get source(): Mac {
    return this.#in.source;
  }

  get isGroup(): boolean {
    return this.#in.isGroup;
  }

  get isOther(): boolean {
    return this.#in.isOther;
  }

  /** Starts over with a frame of the VLAN whose tag was checked. */
  enterIn(eth: EthIn): LinkIn {
    this.#in = eth;
    this.#enter(eth.frame, eth.info, State.In);
    this.#read();
    return this;
  }

  /** Starts over with an empty buffer. */
  enterRaw(eth: EthRaw): LinkRaw {
    this.#raw = eth;
    this.#enter(eth.frame, eth.info, State.Raw);
    return this;
  }

  /** Ends the packet's use: its handler has returned. */
  leave(): void {
    this.#state = State.Gone;
  }

  prepare(init: LinkInit): LinkOut | Failure {
    if (this.#state !== State.Raw) misuse("prepare", this.#state);
    const out = this.#raw.prepare(this.#below(init));
    return typeof out === "number" ? out : this.#emit(out, init);
  }

  reinit(init: LinkInit): LinkOut | Failure {
    if (this.#state !== State.In) misuse("reinit", this.#state);
    const out = this.#in.reinit(this.#below(init));
    return typeof out === "number" ? out : this.#emit(out, init);
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
    this.#read();
    return this;
  }

  send(): LayerError {
    if (this.#state !== State.Out) misuse("send", this.#state);
    this.#state = State.Gone;
    const error = this.#out.send();
    if (error === LayerError.None) this.#vlan.counters.sent++;
    else this.#vlan.counters.notQueued++;
    return error;
  }

  #enter(frame: Frame, nic: NicInfo, state: State): void {
    this.frame = frame;
    // A place is driven by one NIC: its information is made once.
    if (nic !== this.#nic) {
      this.#nic = nic;
      this.info = new VlanInfo(nic);
    }
    this.#state = state;
  }

  /** What is behind the tag. */
  #read(): void {
    const at = this.#in.payloadAt;
    this.etherType = wire.etherType(this.frame.bytes, at);
    this.payloadAt = at + wire.TAG_LENGTH;
  }

  #below(init: LinkInit): LinkInit {
    this.#init.destination.copy(init.destination);
    this.#init.length = init.length + wire.TAG_LENGTH;
    return this.#init;
  }

  #emit(out: EthOut, init: LinkInit): LinkOut {
    const at = out.payloadAt;
    wire.emit(this.frame.bytes, at, this.#vlan.priority, this.#vlan.id, init.etherType);
    this.#out = out;
    this.etherType = init.etherType;
    this.payloadAt = at + wire.TAG_LENGTH;
    this.#state = State.Out;
    return this;
  }
}
