/** Tells, packet by packet, what goes over a NIC and which layers had to do with it. */
import { describe, type Slot } from "../../mod.ts";
import type { Appliance, Tree } from "../appliance.ts";
import { words } from "../cli/format.ts";
import type { Output } from "../cli/output.ts";
import { isDone, layers } from "../report.ts";

/** What one packet did on its way through the layers. */
interface Passage {
  /** The layers that took it, from the wire upwards. */
  readonly through: readonly string[];
  /** The layer that dropped it and why, in words. */
  readonly dropped: string | undefined;
}

const TIME_WIDTH = 10, WHAT_WIDTH = 47;

/** The teller. */
export class Story {
  readonly #appliance: Appliance;
  readonly #output: Output;
  readonly #peer: string;
  readonly #start: number = performance.now();

  /** `peer` is the name of whoever is on the other side. */
  constructor(appliance: Appliance, output: Output, peer: string) {
    this.#appliance = appliance;
    this.#output = output;
    this.#peer = peer;
  }

  /** The head of the columns. */
  head(): void {
    const time = "time".padStart(TIME_WIDTH);
    const way = "from → to".padEnd(this.#way("", "").length + "ethox".length + this.#peer.length);
    this.#output.line(
      this.#output.paint("dim", `${time}  ${way}  ${"what".padEnd(WHAT_WIDTH)}  layers, outcome`),
    );
  }

  /** The same tree, with everything that passes it told. */
  tell(tree: Tree): Tree {
    const receive = (slot: Slot) => {
      const what = this.#describe(slot);
      const before = this.#counters();
      const began = this.#clock();
      tree.receive.receive(slot);
      const ended = this.#clock();
      const { through, dropped } = this.#passage(before);
      const outcome = dropped === undefined ? "" : `dropped by ${dropped}`;
      this.#packet(began, "in", what, through, outcome);
      if (!slot.queued) return;
      const took = Math.round((ended - began) * 1_000);
      this.#packet(ended, "out", this.#describe(slot), [], `answered in place, ${took} us`);
    };
    const send = (slot: Slot) => {
      tree.send.send(slot);
      if (slot.queued) {
        this.#packet(slot.info.timestamp, "out", this.#describe(slot), [], "of its own accord");
      }
    };
    return { receive: { receive }, send: { send, deadline: () => tree.send.deadline() } };
  }

  /** Milliseconds since the beginning: not the bursts' clock, which stands still while packets are dealt with. */
  #clock(): number {
    return performance.now() - this.#start;
  }

  #describe({ frame }: Slot): string {
    return describe(frame.bytes, frame.start, frame.end);
  }

  #way(from: string, to: string): string {
    return `${from} → ${to}`;
  }

  #packet(
    milliseconds: number,
    direction: "in" | "out",
    what: string,
    through: readonly string[],
    outcome: string,
  ): void {
    const output = this.#output;
    const [from, to] = direction === "in" ? [this.#peer, "ethox"] : ["ethox", this.#peer];
    output.event("packet", {
      timeMs: Number(milliseconds.toFixed(3)),
      from,
      to,
      summary: what,
      layers: through,
      outcome,
    });
    // Who talks to whom stands in the column before.
    const brief = what.replace(/^[\d.]+ > [\d.]+: /, "");
    const time = output.paint("dim", `${milliseconds.toFixed(1)} ms`.padStart(TIME_WIDTH));
    const way = output.paint(direction === "in" ? "cyan" : "green", this.#way(from, to));
    const last = [through.join(" › "), outcome].filter((text) => text !== "").join(": ");
    const end = outcome.startsWith("dropped") ? output.paint("yellow", last) : last;
    output.line(`${time}  ${way}  ${brief.padEnd(WHAT_WIDTH)}  ${end}`.trimEnd());
  }

  #counters(): number[][] {
    return layers(this.#appliance).map(([, counters]) => Object.values(counters));
  }

  #passage(before: readonly (readonly number[])[]): Passage {
    const through: string[] = [];
    let dropped: string | undefined;
    layers(this.#appliance).forEach(([layer, counters], index) => {
      if (layer === "nic") return;
      const entries: [string, number][] = Object.entries(counters);
      entries.forEach(([name, value], place) => {
        if (value === before[index]![place]) return;
        if (!isDone(name)) dropped = `${layer}: ${words(name)}`;
        else if (name === "received") through.push(layer);
      });
    });
    return { through, dropped };
  }
}
