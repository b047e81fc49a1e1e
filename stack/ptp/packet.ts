/**
 * Packets of a point-to-point link: one object seen as `LinkIn`, `LinkRaw` and `LinkOut`. The link has no header, so
 * the frame is the payload.
 *
 * @module
 */
import { type Failure, LayerError } from "../error.ts";
import type { Frame } from "../frame.ts";
import { fitsLink, type LinkIn, type LinkInit, type LinkOut, type LinkRaw, type Passed } from "../link.ts";
import type { LossModel } from "../loss/models.ts";
import type { NicInfo, Slot } from "../slot.ts";
import { misuse, State } from "../state.ts";
import { EtherType } from "../wire/ethernet.ts";
import type { Mac } from "../wire/mac.ts";
import type { PointToPoint } from "./endpoint.ts";

/** The object behind the three interfaces: one a place in a tree. */
export class PointToPointPacket implements LinkIn, LinkRaw, LinkOut {
  readonly resolves = false;
  readonly isGroup = false;
  readonly isOther = false;
  readonly passed: readonly Passed[];
  frame!: Frame;
  info!: NicInfo;
  etherType = 0;
  readonly #link: PointToPoint;
  #slot!: Slot;
  #state: State = State.Gone;

  /** A packet for one place in a tree. */
  constructor(link: PointToPoint) {
    this.#link = link;
    this.passed = [link.counters];
  }

  get mac(): Mac {
    return this.#link.mac;
  }

  get payloadAt(): number {
    return this.frame.start;
  }

  /** Starts over with a slot whose packet was received. */
  enterIn(slot: Slot, etherType: number): LinkIn {
    this.#enter(slot, State.In);
    this.etherType = etherType;
    return this;
  }

  /** Starts over with an empty slot. */
  enterRaw(slot: Slot): LinkRaw {
    this.#enter(slot, State.Raw);
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
    return this.frame.resize(init.length) ? this.#prepared(init) : LayerError.BadSize;
  }

  reinit(init: LinkInit): LinkOut | Failure {
    if (this.#state !== State.In) misuse("reinit", this.#state);
    const failure = this.#refusal(init);
    if (failure !== LayerError.None) return failure;
    return this.frame.reframe(init.length) ? this.#prepared(init) : LayerError.BadSize;
  }

  deinit(): LinkRaw {
    if (this.#state !== State.In) misuse("deinit", this.#state);
    this.#state = State.Raw;
    return this;
  }

  loseIf(loss: LossModel): void {
    this.#slot.loseIf(loss);
  }

  intoIn(): LinkIn {
    if (this.#state !== State.Out) misuse("intoIn", this.#state);
    this.#state = State.In;
    return this;
  }

  send(): LayerError {
    if (this.#state !== State.Out) misuse("send", this.#state);
    this.#state = State.Gone;
    const error = this.#slot.queue();
    if (error === LayerError.None) this.#link.counters.sent++;
    else this.#link.counters.notQueued++;
    return error;
  }

  #enter(slot: Slot, state: State): void {
    this.#slot = slot;
    this.frame = slot.frame;
    this.info = slot.info;
    this.#state = state;
  }

  /** The version field says what a packet is, so only what has one can be told from others. */
  #refusal(init: LinkInit): LayerError {
    const { etherType } = init;
    if (etherType !== EtherType.Ipv4 && etherType !== EtherType.Ipv6) {
      this.#link.counters.notIp++;
      return LayerError.Illegal;
    }
    return fitsLink(init, this.info) ? LayerError.None : LayerError.BadSize;
  }

  #prepared({ etherType }: LinkInit): LinkOut {
    this.etherType = etherType;
    this.#state = State.Out;
    return this;
  }
}
