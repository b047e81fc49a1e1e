/** Tells, packet by packet, what goes over a NIC and which layers had to do with it. */
import { describe, EtherType, Icmpv6Type, isDropCounter, Protocol, type Slot } from "../../mod.ts";
import type { Appliance, Tree } from "../appliance.ts";
import { words } from "../cli/format.ts";
import type { Output } from "../cli/output.ts";
import { layers } from "../report.ts";

/** What one packet did on its way through the layers. */
interface Passage {
  /** The layers that took it, from the wire upwards. */
  readonly through: readonly string[];
  /** The layer that dropped it and why, in words. */
  readonly dropped: string | undefined;
}

const TIME_WIDTH = 10, WHAT_WIDTH = 59;

/** The teller. */
export class Story {
  readonly #appliance: Appliance;
  readonly #output: Output;
  readonly #peer: string;
  readonly #start: number = performance.now();
  /** Packets of IPv6's own keeping house, which no probe has to do with. */
  #untold = 0;

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
      if (isHousekeeping(slot)) {
        this.#untold++;
        return tree.receive.receive(slot);
      }
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
      if (slot.queued && isHousekeeping(slot)) this.#untold++;
      else if (slot.queued) {
        this.#packet(this.#clock(), "out", this.#describe(slot), [], "in its turn");
      }
    };
    return { receive: { receive }, send: { send, deadline: () => tree.send.deadline() } };
  }

  /** What was left out. */
  end(): void {
    if (this.#untold === 0) return;
    this.#output.event("untold", { packets: this.#untold });
    this.#output.line();
    this.#output.line(
      this.#output.paint(
        "dim",
        `${this.#untold} packets in which IPv6 keeps house (group reports, looking for doubles) were not shown`,
      ),
    );
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
    const brief = what.replace(/^[\d.a-f:]+ > [\d.a-f:]+: /, "");
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
        if (isDropCounter(name)) dropped = `${layer}: ${words(name)}`;
        else if (name === "received") through.push(layer);
      });
    });
    return { through, dropped };
  }
}

// Where an Ethernet frame of IPv6 has its type, and the packet its next header, source, and what may be ICMPv6.
const ETHER_TYPE = 12, NEXT_HEADER = 20, SOURCE = 22, DESTINATION = 38, MESSAGE = 54;

/**
 * Whether it is what hosts say by themselves over IPv6: reports of their groups, which carry a hop-by-hop header, who
 * asks from no address whether another host has it, and who looks for routers.
 */
function isHousekeeping({ frame: { bytes, start, end } }: Slot): boolean {
  const isIpv6 = end - start >= MESSAGE &&
    bytes[start + ETHER_TYPE]! * 256 + bytes[start + ETHER_TYPE + 1]! ===
      EtherType.Ipv6;
  if (!isIpv6) return false;
  const header = bytes[start + NEXT_HEADER];
  if (header === Protocol.HopByHop) return bytes[start + DESTINATION] === 0xff;
  return header === Protocol.Icmpv6 && end - start > MESSAGE &&
    (bytes[start + MESSAGE] === Icmpv6Type.RouterSolicitation ||
      bytes.subarray(start + SOURCE, start + DESTINATION).every((byte) => byte === 0));
}
