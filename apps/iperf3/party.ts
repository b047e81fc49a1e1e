/** What a server and a client stand on, and whom they tell what happens. */
import process from "node:process";
import type { Address, Instant, Tcp, Udp } from "../../mod.ts";
import type { Appliance } from "../appliance.ts";
import type { Row } from "./measure.ts";
import type { Parameters } from "./parameters.ts";
import type { Results, StreamResult } from "./results.ts";
import type { DataStream, Ends } from "./stream.ts";

/** The host that they are on. */
export interface Party {
  readonly tcp: Tcp;
  readonly udp: Udp;
  /** The NIC's clock. */
  readonly now: () => Instant;
  /** Processor time so far, the program's part and the kernel's, in microseconds. */
  readonly cpu: () => readonly [user: number, system: number];
}

/** An appliance as such a host. */
export function partyOf({ tcp, udp, nic }: Appliance): Party {
  return {
    tcp,
    udp,
    now: () => nic.now(),
    cpu: () => {
      const { user, system } = process.cpuUsage();
      return [user, system];
    },
  };
}

/** What both sides have counted of a stream in the end. */
export interface FinalRow {
  readonly stream: number;
  /** Whether this side has sent. */
  readonly sends: boolean;
  readonly sender: StreamResult;
  readonly receiver: StreamResult;
  /** Datagrams that came late, where this side has received. */
  readonly outOfOrder: number | undefined;
}

/** How a test went. */
export interface Outcome {
  readonly parameters: Parameters;
  readonly rows: readonly FinalRow[];
  readonly own: Results;
  readonly theirs: Results;
}

/** Is told of a test. */
export interface Watcher {
  /** A peer is there for a test; the client's is the server. */
  readonly met: (address: Address, port: number) => void;
  /** All streams are there: the test begins. */
  readonly began: (parameters: Parameters, streams: readonly { sends: boolean; ends: Ends }[]) => void;
  /** An interval is over. */
  readonly interim: (parameters: Parameters, rows: readonly Row[], isOmitted: boolean) => void;
  /** The test is over. */
  readonly finished: (outcome: Outcome) => void;
  /** The test came to nothing, and why. */
  readonly failed: (why: string) => void;
}

/** Tells nobody. */
export const SILENT: Watcher = {
  met: () => {},
  began: () => {},
  interim: () => {},
  finished: () => {},
  failed: () => {},
};

/** Both sides of what was counted. */
export function finalRows(own: readonly Row[], mine: Results, theirs: Results): FinalRow[] {
  return own.map(({ stream, sends, outOfOrder, packets }, index) => {
    const here = mine.streams[index]!, there = theirs.streams[index]!;
    return {
      stream,
      sends,
      sender: sends ? here : there,
      receiver: sends ? there : here,
      outOfOrder: sends || packets === undefined ? undefined : outOfOrder,
    };
  });
}

/** How busy the processor was from one time to another, in percent. */
export class Load {
  readonly #party: Party;
  readonly #since: Instant;
  readonly #before: readonly [user: number, system: number];

  /** From now on. */
  constructor(party: Party) {
    this.#party = party;
    this.#since = party.now();
    this.#before = party.cpu();
  }

  /** Until now. */
  percent(): readonly [total: number, user: number, system: number] {
    const [user, system] = this.#party.cpu();
    const time = Math.max(1, this.#party.now() - this.#since);
    const used = [user - this.#before[0], system - this.#before[1]] as const;
    const [ours, kernels] = [used[0] * 100 / time, used[1] * 100 / time];
    return [ours + kernels, ours, kernels];
  }
}

/** The congestion control of those that send over TCP. */
export function congestionOf(streams: readonly DataStream[], name: string | undefined): string | undefined {
  return streams.some(({ sends }) => sends) ? name : undefined;
}
