/**
 * The books of a host: what became of every frame, layer by layer.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import type { Host } from "../support/host.ts";

/** How often each outcome of a received frame was counted. */
export type Outcomes = Record<string, number>;

const ETH = ["received", "truncated", "notForUs", "badSource"] as const;
const ARP = ["received", "otherEtherType", "malformed"] as const;
const IP = [
  "received",
  "otherEtherType",
  "linkControl",
  "badLinkControl",
  "refusedExtension",
  "tooManyExtensions",
  "noNextHeader",
  "wrongVersion",
  "truncated",
  "malformed",
  "wrongChecksum",
  "badOptions",
  "sourceRoute",
  "fragmentsKept",
  "duplicateFragment",
  "overlappingFragment",
  "fragmentOverflow",
  "badFragment",
  "badSource",
  "notForUs",
  "unicastInGroup",
] as const;
const ICMP = ["received", "otherProtocol", "truncated", "wrongChecksum"] as const;
const ICMP_ENDS = ["answered", "groupEcho", "silenced", "unanswered", "unhandled"] as const;

function pick<K extends string>(counters: Record<K, number>, names: readonly K[], layer: string): Outcomes {
  return Object.fromEntries(names.map((name) => [`${layer}.${name}`, counters[name]]));
}

function outcomes({ eth, ip, icmp }: Host): Outcomes {
  return {
    ...pick(eth.counters, ETH, "eth"),
    ...pick(ip.arp.counters, ARP, "arp"),
    ...pick(ip.counters, IP, "ip"),
    ...pick(icmp.counters, ICMP, "icmp"),
    ...pick(icmp.counters, ICMP_ENDS, "icmp end"),
  };
}

function total(counts: Outcomes, layer: string): number {
  return Object.entries(counts).reduce(
    (sum, [name, count]) => name.startsWith(`${layer}.`) ? sum + count : sum,
    0,
  );
}

/**
 * Delivers a frame to a host whose ICMP only answers, and asserts that the books balance: each layer that got the
 * frame counted it once. Answers with the last layer's outcome ("ip.fragment") and what the host sent.
 */
export function deliver(
  host: Host,
  frame: Uint8Array,
): { readonly outcome: string; readonly sent: Uint8Array[] } {
  const before = outcomes(host);
  const sent = host.deliver(frame);
  const after = outcomes(host);
  const changes = Object.keys(after).filter((name) => after[name] !== before[name]);
  const delta = Object.fromEntries(changes.map((name) => [name, after[name]! - before[name]!]));
  const books = JSON.stringify(delta);
  equal(total(delta, "eth"), 1, `Ethernet counts every frame once: ${books}`);
  equal(
    total(delta, "arp") + total(delta, "ip"),
    delta["eth.received"] ?? 0,
    `so does what is above it: ${books}`,
  );
  equal(total(delta, "icmp"), delta["ip.received"] ?? 0, `so does ICMP: ${books}`);
  equal(total(delta, "icmp end"), delta["icmp.received"] ?? 0, `and every message has an end: ${books}`);
  return { outcome: changes.at(-1)!, sent };
}
