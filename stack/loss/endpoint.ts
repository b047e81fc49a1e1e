/**
 * Loss at any place of a tree: packets that vanish between two layers, or at a NIC.
 *
 * @module
 */
import { type Receive, type Receiver, receiver, type Send, sender, type TimedSender } from "../handler.ts";
import { AnyLoss, type LossModel, type Pulse, PulseLoss, UniformLoss } from "./models.ts";

/** What {@linkcode Loss} needs of a packet, which every layer's In and Raw and every slot have. */
export interface Losable {
  /** Makes the packet, or the answer in its buffer, subject to loss when it is sent: the sender is not told. */
  readonly loseIf: (loss: LossModel) => void;
}

/** What passed a {@linkcode Loss}, and what was lost. */
export class LossCounters {
  /** Received packets that were let through. */
  passed = 0;
  /** Received packets that were lost. */
  ingress = 0;
  /** Sent packets that were lost. */
  egress = 0;
}

/** How a {@linkcode Loss} is set up. */
export interface LossOptions {
  /** The share of packets lost at random. */
  readonly rate?: number;
  /** Bursts of loss. */
  readonly pulse?: Pulse;
  /** Any other model, beside the two above. */
  readonly model?: LossModel;
  /** Where the randomness starts; any number. Default 0. */
  readonly seed?: number;
  /** Which way packets are lost. Default both. */
  readonly direction?: "ingress" | "egress" | "both";
}

/**
 * Loses packets: `loss.recv(upper)` and `loss.send(upper)` fit between any two layers, and between a NIC and a tree:
 * `nic.rx(64, loss.recv(eth.recv(...)))`. All its places share one sequence.
 */
export class Loss {
  /** What passed and what was lost. */
  readonly counters: LossCounters = new LossCounters();
  readonly #ingress: LossModel | undefined;
  readonly #egress: LossModel | undefined;

  /** Throws a RangeError for a rate that is no share, or a pulse that is no period. */
  constructor(options: LossOptions) {
    const seed = options.seed ?? 0;
    const models: LossModel[] = [];
    if (options.rate !== undefined) models.push(new UniformLoss(options.rate, seed));
    if (options.pulse !== undefined) models.push(new PulseLoss(options.pulse, seed + 1));
    if (options.model !== undefined) models.push(options.model);
    const model = new AnyLoss(models);
    const direction = options.direction ?? "both";
    const { counters } = this;
    this.#ingress = direction === "egress" ? undefined : model;
    this.#egress = direction === "ingress" ? undefined : {
      lost: () => {
        const lost = model.lost();
        if (lost) counters.egress++;
        return lost;
      },
    };
  }

  /** Lets received packets through to `upper`, but for those that are lost; what it answers may be lost as well. */
  recv<P extends Losable>(upper: Receive<P>): Receiver<P> {
    const next = receiver(upper);
    return {
      receive: (packet) => {
        if (this.#ingress?.lost()) {
          this.counters.ingress++;
          return;
        }
        this.counters.passed++;
        if (this.#egress !== undefined) packet.loseIf(this.#egress);
        next.receive(packet);
      },
    };
  }

  /** Lets `upper` fill packets that may be lost when they are sent; it is not told which. */
  send<P extends Losable>(upper: Send<P>): TimedSender<P> {
    const next = sender(upper);
    return {
      send: (packet) => {
        if (this.#egress !== undefined) packet.loseIf(this.#egress);
        next.send(packet);
      },
      deadline: () => next.deadline(),
    };
  }
}
