/**
 * The books of a fuzzed host: every frame that comes in ends in one counter of each layer that it reaches, and every one
 * that leaves was counted as sent by each layer that it went through.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import type { Arp } from "../../../stack/arp/endpoint.ts";
import type { Eth } from "../../../stack/eth/endpoint.ts";
import type { Icmp } from "../../../stack/icmp/endpoint.ts";
import type { Ip } from "../../../stack/ip/endpoint.ts";
import type { Udp } from "../../../stack/udp/endpoint.ts";

/** What the books are about. */
export interface Audited {
  readonly eth: Eth;
  readonly ip: Ip;
  readonly icmp: Icmp;
  readonly udp: Udp;
  /** Packets that no protocol's handler took. */
  readonly others: number;
}

/** The sums that must agree. */
export interface Account {
  readonly ethEnds: number;
  readonly ethUp: number;
  readonly arpEnds: number;
  readonly arpUp: number;
  readonly ipEnds: number;
  readonly ipUp: number;
  readonly icmpEnds: number;
  readonly icmpUp: number;
  readonly icmpDone: number;
  readonly udpEnds: number;
  readonly udpUp: number;
  readonly closed: number;
  readonly others: number;
  readonly ethSent: number;
  readonly ipSent: number;
  readonly arpSent: number;
}

/** What a layer counts besides the ends of received packets; all its other counters are such ends. */
const NOT_ENDS = {
  eth: new Set(["sent", "notQueued"]),
  ip: new Set([
    "sent",
    "noRoute",
    "waited",
    "divided",
    "unresolved",
    "notSent",
    "reassembled",
    "reassemblyTimeout",
    "reassemblyGivenUp",
    "fragmentsSent",
    "errorsSent",
    "unsentErrors",
  ]),
  arp: new Set(["sent", "requests", "badSender", "postponed", "unanswered"]),
  udp: new Set(["sent", "notSent", "closedPort", "errors", "strayErrors"]),
} as const;

const ICMP_ENDS = ["received", "otherProtocol", "truncated", "wrongChecksum"] as const;
const ICMP_DONE = ["answered", "groupEcho", "silenced", "unanswered", "unhandled"] as const;

function ends(counters: object, others: ReadonlySet<string>): number {
  let sum = 0;
  for (const [name, value] of Object.entries(counters)) {
    if (typeof value === "number" && !others.has(name)) sum += value;
  }
  return sum;
}

function add<K extends string>(counters: Record<K, number>, names: readonly K[]): number {
  return names.reduce((sum, name) => sum + counters[name], 0);
}

/** The books as they stand. */
export function account({ eth, ip, icmp, udp, others }: Audited): Account {
  const arp: Arp = ip.arp;
  return {
    ethEnds: ends(eth.counters, NOT_ENDS.eth),
    ethUp: eth.counters.received,
    arpEnds: ends(arp.counters, NOT_ENDS.arp),
    arpUp: arp.counters.received,
    ipEnds: ends(ip.counters, NOT_ENDS.ip),
    ipUp: ip.counters.received,
    icmpEnds: add(icmp.counters, ICMP_ENDS),
    icmpUp: icmp.counters.received,
    icmpDone: add(icmp.counters, ICMP_DONE),
    udpEnds: ends(udp.counters, NOT_ENDS.udp),
    udpUp: udp.counters.received,
    closed: udp.counters.closedPort,
    others,
    ethSent: eth.counters.sent,
    ipSent: ip.counters.sent,
    arpSent: arp.counters.sent,
  };
}

/** The books of a received frame; `left`: its buffer was sent; `handed`: so many handlers of the program got it. */
export function auditReceived(before: Account, after: Account, left: boolean, handed: number): void {
  const change = (name: keyof Account) => after[name] - before[name];
  equal(change("ethEnds"), 1, "Ethernet counts a frame once");
  equal(
    change("arpEnds") + change("ipEnds"),
    change("ethUp"),
    "ARP or IP counts what Ethernet hands up, once",
  );
  equal(
    change("icmpEnds") + change("udpEnds") + change("others"),
    change("ipUp"),
    "a protocol counts what IP hands up, once",
  );
  const { icmpUp, udpUp } = { icmpUp: change("icmpUp"), udpUp: change("udpUp") };
  equal(icmpUp + udpUp <= 1, true, "a frame is one message or one datagram");
  if (udpUp === 1) {
    equal(change("closed") === 1, handed === 0, "a datagram is handed over or counted as refused");
  }
  if (icmpUp === 1) equal(handed <= 1, true, "a message is handed over once");
  equal(change("ethSent"), left ? 1 : 0, "Ethernet counts what leaves");
  equal(change("ipSent") + change("arpSent"), change("ethSent"), "IP or ARP counts what leaves");
}

/** The books of a buffer that was offered for sending. */
export function auditSent(before: Account, after: Account, left: boolean): void {
  for (const name of ["ethEnds", "arpEnds", "ipEnds", "icmpEnds", "udpEnds"] as const) {
    equal(after[name], before[name], `nothing was received, but ${name} has grown`);
  }
  equal(after.ethSent - before.ethSent, left ? 1 : 0, "Ethernet counts what leaves");
  equal(
    after.ipSent - before.ipSent + after.arpSent - before.arpSent,
    left ? 1 : 0,
    "IP or ARP counts what leaves",
  );
}
