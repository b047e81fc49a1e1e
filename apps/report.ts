/** What passed an appliance and what did not, layer by layer. */
import type { Appliance } from "./appliance.ts";
import { byteCount, lengthOfTime, table, words } from "./cli/format.ts";

/** Counters that tell of something done; all others tell why something was not. */
const DONE: ReadonlySet<string> = new Set([
  "received",
  "sent",
  "receivedBytes",
  "sentBytes",
  "requests",
  "postponed",
  "answered",
]);

/** Whether a counter tells of something done, rather than why something was not. */
export function isDone(counter: string): boolean {
  return DONE.has(counter);
}

/** The counters of all layers, from the wire upwards. */
export function layers(appliance: Appliance): readonly (readonly [string, object])[] {
  const { nic, eth, ip, icmp } = appliance;
  return [
    ["nic", nic.counters],
    ["eth", eth.counters],
    ["arp", ip.arp.counters],
    ["ip", ip.counters],
    ["icmp", icmp.counters],
  ];
}

function numbers(counters: object, done: boolean): Record<string, number> {
  const entries: [string, number][] = Object.entries(counters);
  return Object.fromEntries(
    entries.filter(([name, value]) => isDone(name) === done && (done || value !== 0)),
  );
}

/** Packets of all layers and the reasons of all drops, as one object. */
export function summary(appliance: Appliance): {
  packets: Record<string, Record<string, number>>;
  drops: Record<string, Record<string, number>>;
} {
  const packets: Record<string, Record<string, number>> = {};
  const drops: Record<string, Record<string, number>> = {};
  for (const [layer, counters] of layers(appliance)) {
    packets[layer] = numbers(counters, true);
    const dropped = numbers(counters, false);
    if (Object.keys(dropped).length > 0) drops[layer] = dropped;
  }
  return { packets, drops };
}

/** The same as lines for people. */
export function summaryLines(appliance: Appliance, microseconds: number): string[] {
  const { received, sent, receivedBytes, sentBytes } = appliance.nic.counters;
  const { packets, drops } = summary(appliance);
  const rows = Object.entries(packets).filter(([layer]) => layer !== "nic").map(([layer, counted]) => {
    const cells = Object.entries(counted).filter(([, value]) => value > 0).map(([name, value]) => {
      return `${words(name)} ${value}`;
    });
    return [`  ${layer}`, ...cells];
  });
  const dropped = Object.entries(drops).flatMap(([layer, counted]) => {
    return Object.entries(counted).map(([name, value]) => `  ${layer}: ${words(name)} ${value}`);
  });
  return [
    `${received} frames in (${byteCount(receivedBytes)}), ${sent} out (${byteCount(sentBytes)}) ` +
    `in ${lengthOfTime(microseconds)}`,
    ...table(rows),
    dropped.length === 0 ? "nothing was dropped" : "dropped or not sent, by reason:",
    ...dropped,
  ];
}
