/**
 * The stack that speaks for a host whose flows others have: it has the host's own conversations, and tells the others
 * what comes of them.
 */
import { Address, type Frame, type HubNic, type Instant, LayerError, Mac } from "../../mod.ts";
import type { Appliance } from "../appliance.ts";
import { FactsWriter } from "./facts.ts";
import { NeighbourWriter } from "./neighbour-board.ts";
import { DOUBTS, QUESTION_LENGTH, type SharedMemory } from "./shard.ts";

/** What such a stack does besides. */
export class Speaker {
  readonly #appliance: Appliance;
  readonly #facts: FactsWriter;
  readonly #neighbours: NeighbourWriter;
  readonly #told: () => void;
  readonly #address = new Address();
  readonly #mac = new Mac();

  /** `told` is called when there is something new for the others. */
  constructor(appliance: Appliance, nic: HubNic, shared: SharedMemory, told: () => void) {
    this.#appliance = appliance;
    this.#facts = new FactsWriter(shared.facts, appliance.ip);
    this.#neighbours = new NeighbourWriter(shared.neighbours, appliance.ip.neighbours);
    this.#told = told;
    nic.onQuestion = (question) => this.#answer(question);
    nic.beforeAnswers = () => this.follow();
    this.follow();
  }

  /** The version of the facts that were told last. */
  get version(): number {
    return this.#facts.version;
  }

  /** Tells the others what is new: after each cycle, and when something was changed by hand. */
  follow(): void {
    const now = this.#appliance.nic.now();
    const isNew = this.#facts.follow(now);
    if (this.#neighbours.follow(now) || isNew) this.#told();
  }

  /** Asks for a neighbour that another stack looks up, or does not hear from any more. */
  #answer({ bytes, start, length }: Frame): void {
    if (length !== QUESTION_LENGTH) return;
    const { neighbours, addresses } = this.#appliance.ip;
    const now: Instant = this.#appliance.nic.info.timestamp;
    const address = this.#address.readV6(bytes, start);
    if (addresses.isForged(address)) return;
    const isDoubted = bytes[start + DOUBTS] === 1;
    if (isDoubted && neighbours.probe(address, now)) return;
    // Whoever asks has forgotten what it was told.
    if (neighbours.lookup(address, now, this.#mac) === LayerError.None) this.#neighbours.renew(address);
  }
}
