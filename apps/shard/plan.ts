/** What the main thread and the Workers say to each other. */
import type { CongestionName, QueueHandout, SipKey } from "../../mod.ts";
import type { Reply } from "../control/request.ts";
import type { CounterNames } from "./counter-board.ts";
import type { SharedMemory } from "./shard.ts";

/** What a Worker is to be: plain data. */
export interface ShardPlan {
  /** Its number, from 0. */
  readonly index: number;
  /** How many Workers there are. */
  readonly workers: number;
  readonly queue: QueueHandout;
  readonly shared: SharedMemory;
  /** The eventfds by which members of the mesh are woken, by their number. */
  readonly events: readonly number[];
  /** The UDP ports at which the host's own conversations are. */
  readonly ports: readonly number[];
  readonly mac: string;
  readonly vlan: number | undefined;
  readonly congestion: CongestionName;
  readonly secret: SipKey;
  /** Services as the command line has them. */
  readonly services: readonly string[];
  /** What the clocks of all go by. */
  readonly timeOrigin: number;
  /** Whether it gives its capabilities up. */
  readonly dropsCapabilities: boolean;
}

/** What the main thread says to a Worker behind its plan. */
export type Order =
  | { readonly kind: "end" }
  /** Take over what is new and write the counters; answered by a reply. */
  | { readonly kind: "follow"; readonly id: number }
  | { readonly kind: "request"; readonly id: number; readonly line: string };

/** What a Worker says. */
export type Word =
  /** It answers from now on. */
  | { readonly kind: "ready"; readonly names: CounterNames }
  /** It has taken over what was told, and reset connections whose address is gone. */
  | { readonly kind: "applied"; readonly version: number; readonly connections: number }
  | { readonly kind: "reply"; readonly id: number; readonly reply: Reply }
  /** It has ended, as it was told. */
  | { readonly kind: "ended" }
  /** It has ended because of an error; if the NIC is no more, there is no use in another one. */
  | { readonly kind: "failed"; readonly reason: string; readonly isNicGone: boolean };
