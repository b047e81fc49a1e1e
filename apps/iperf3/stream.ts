/** A stream of a test: data in one direction, over TCP or UDP. */
import type { Address, Instant } from "../../mod.ts";

/** What has been counted of a stream since it began. */
export interface Count {
  /** Payload, sent or received. */
  readonly bytes: number;
  /** Segments sent again; undefined: it does not send over TCP. */
  readonly retransmits: number | undefined;
  /** The congestion window, in bytes; undefined: the same. */
  readonly cwnd: number | undefined;
  /** Datagrams sent, or those that the highest number received stands for; undefined: it is TCP. */
  readonly packets: number | undefined;
  /** Of these, those that did not arrive. */
  readonly lost: number;
  /** Datagrams that came late. */
  readonly outOfOrder: number;
  /** In seconds. */
  readonly jitter: number;
}

/** Where a stream comes from and goes to. */
export interface Ends {
  readonly local: Address;
  readonly localPort: number;
  readonly remote: Address;
  readonly remotePort: number;
}

/** A stream. */
export interface DataStream {
  /** Whether this side sends. */
  readonly sends: boolean;
  readonly ends: Ends;
  /** Payload sent or received since it began. */
  readonly bytes: number;
  /** Whether it may begin. */
  readonly isOpen: boolean;
  /** Whether the payload up to the limit has been sent, and acknowledged where it can be. */
  readonly isDone: boolean;
  /** Data may flow. */
  readonly begin: (now: Instant) => void;
  /** No more payload than this is sent in all; not less than was sent before. Default: no limit. */
  readonly limit: (total: number) => void;
  /** Sends no more; nothing that comes counts any more. */
  readonly stop: () => void;
  /** Does what is due. */
  readonly tick: (now: Instant) => void;
  /** When something will be; NEVER: nothing. */
  readonly deadline: () => Instant;
  readonly count: () => Count;
  /** Ends it as is due to the peer. */
  readonly close: () => void;
  /** Ends it at once. */
  readonly abort: () => void;
}
