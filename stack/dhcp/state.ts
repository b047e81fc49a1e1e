/**
 * The states of a DHCP client, what happens to its lease, and what it counts.
 *
 * @module
 */
import type { Address } from "../wire/address.ts";
import type { Lease } from "./lease.ts";

/** The states of RFC 2131 figure 5, and those in which something is to be found out or told before the next one. */
export const DhcpState = {
  /** Waits before it begins. */
  Init: "init",
  /** Has called for servers. */
  Selecting: "selecting",
  /** Has asked one of them for what it offered. */
  Requesting: "requesting",
  /** Has asked any server for an address that it had: INIT-REBOOT and REBOOTING. */
  Rebooting: "rebooting",
  /** Looks whether somebody has the address in spite of the server (RFC 2131 2.2). */
  Checking: "checking",
  /** Tells the server that somebody has. */
  Declining: "declining",
  /** Has a lease. */
  Bound: "bound",
  /** Asks the server to prolong it. */
  Renewing: "renewing",
  /** Asks any server to prolong it. */
  Rebinding: "rebinding",
  /** Gives it back. */
  Releasing: "releasing",
  /** Has none and wants none. */
  Stopped: "stopped",
} as const;

/** One of {@linkcode DhcpState}'s texts. */
export type DhcpState = (typeof DhcpState)[keyof typeof DhcpState];

/** Why there is no lease any more. */
export type DhcpLoss = "expired" | "refused" | "conflict" | "released";

/** What happens to the lease. */
export type DhcpEvent =
  /** A lease is held, or held on. */
  | { readonly kind: "bound" | "renewed"; readonly lease: Lease }
  /** It is no longer. */
  | { readonly kind: "lost"; readonly reason: DhcpLoss; readonly address: Address }
  /** An address is not taken, since somebody has it. */
  | { readonly kind: "declined"; readonly address: Address }
  /** So many calls for a server were not answered. */
  | { readonly kind: "silence"; readonly tries: number };

/** What came to the client's port, by what became of it. */
export class DhcpClientCounters {
  /** Replies that were used. */
  received = 0;
  /** Messages sent. */
  sent = 0;
  /** Not sent: no way to the server, or the NIC refused. */
  notSent = 0;
  /** Dropped: truncated, malformed, or no DHCP. */
  malformed = 0;
  /** Dropped: for another client, of another transaction, or from another port than a server's. */
  stray = 0;
  /** Dropped: a message that is not awaited in this state, or from another server. */
  unexpected = 0;
  /** Dropped: it lacks what it must have, or tells an address that no host can have, or another one than was asked for. */
  unusable = 0;
}
