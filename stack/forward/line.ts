/**
 * The line of a next hop whose link address is not known, as a way out (RFC 1812 3.3.2).
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { Frame } from "../frame.ts";
import type { NeighbourQueue, Origin } from "../host/neighbours.ts";
import type { LinkInit, LinkOutlet } from "../link.ts";
import type { NicInfo } from "../slot.ts";
import { Mac } from "../wire/mac.ts";

/** Takes packets, or their fragments, where a link would send them. One reused object a port. */
export class WaitingLine implements LinkOutlet {
  readonly mac: Mac = new Mac();
  readonly resolves = false;
  info!: NicInfo;
  #queue!: NeighbourQueue;
  #neighbour = -1;
  #origin: Origin | undefined;

  /** Starts over with a neighbour's line, for packets of `origin`; undefined: there is no such line. */
  enter(
    queue: NeighbourQueue,
    neighbour: number,
    link: LinkOutlet,
    origin: Origin,
  ): WaitingLine | undefined {
    if (neighbour < 0) return undefined;
    this.#queue = queue;
    this.#neighbour = neighbour;
    this.#origin = origin;
    this.info = link.info;
    this.mac.copy(link.mac);
    return this;
  }

  transmit(frame: Frame, { etherType }: LinkInit): LayerError {
    const { bytes, start, end } = frame;
    const isTaken = this.#queue.push(this.#neighbour, bytes, start, end, etherType, this.#origin);
    return isTaken ? LayerError.None : LayerError.Exhausted;
  }
}
