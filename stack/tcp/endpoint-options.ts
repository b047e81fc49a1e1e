/**
 * What setting up a TCP endpoint takes.
 *
 * @module
 */
import type { SipKey } from "../store/siphash.ts";
import { type Instant, seconds } from "../store/time.ts";
import type { CongestionName } from "./congestion/choice.ts";
import type { CongestionControl } from "./congestion/control.ts";

/** How a {@linkcode Tcp} endpoint is set up. */
export interface TcpOptions {
  /** 128 secret random bits: initial sequence numbers, cookies and hash tables depend on them (RFC 6528). */
  readonly secret: SipKey;
  /** How many connections there may be at once. Default 1,024. */
  readonly connections?: number;
  /** How many ended ones may wait for stray segments. Default 16,384. */
  readonly timeWaits?: number;
  /** The largest receive window that is ever offered, in bytes. Default 16 MiB. */
  readonly receiveWindow?: number;
  /** What the buffers of all connections may have grown by, together, in bytes. Default 256 MiB. */
  readonly bufferGrowth?: number;
  /** The congestion control of connections, by its name or by what makes one for each. Default "cubic" (RFC 9438). */
  readonly congestion?: CongestionName | (() => CongestionControl);
  /** Whether ECN is asked for and accepted (RFC 3168). Default true. */
  readonly ecn?: boolean;
  /** Whether selective acknowledgments are offered and accepted (RFC 2018). Default true. */
  readonly sack?: boolean;
  /** Whether timestamps are offered and accepted (RFC 7323 3). Default true. */
  readonly timestamps?: boolean;
  /** Whether window scaling is offered and accepted (RFC 7323 2). Default true. */
  readonly windowScale?: boolean;
  /** How long unanswered data may wait before the connection is given up (RFC 5482). Default 15 minutes. */
  readonly userTimeout?: Instant;
  /** Hops that segments may make. Default: 64, or what a router advises for IPv6 (RFC 4861 6.3.4). */
  readonly hopLimit?: number;
  /** The MTU of the link, from which the own MSS follows. Default 1500. */
  readonly mtu?: number;
}

/** The same with everything filled in. */
export type TcpSettings = Readonly<Required<Omit<TcpOptions, "hopLimit">>>;

/** Fills in what was left out. */
export function withDefaults(options: TcpOptions): TcpSettings {
  return {
    connections: 1_024,
    timeWaits: 16_384,
    receiveWindow: 1 << 24,
    bufferGrowth: 1 << 28,
    congestion: "cubic",
    ecn: true,
    sack: true,
    timestamps: true,
    windowScale: true,
    userTimeout: seconds(900),
    mtu: 1_500,
    ...options,
  };
}
