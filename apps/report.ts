/** What passed an appliance and what did not, layer by layer, and what befell the frames before. */
import {
  type FaultyNic,
  type FilteredNic,
  isDropCounter,
  type PipeCounters,
  PointToPoint,
  Vlan,
} from "../mod.ts";
import type { Appliance } from "./appliance.ts";
import { byteCount, lengthOfTime, table, words } from "./cli/format.ts";

/** The counters of all layers, from the wire upwards. */
export function layers(appliance: Appliance): readonly (readonly [string, object])[] {
  const { nic, link, ip, icmp, udp, tcp, dhcp, autoconf, services } = appliance;
  return [
    ["nic", nic.counters],
    [linkName(appliance), linkCounters(appliance)],
    ...(link instanceof Vlan ? [["vlan", link.counters] as const] : []),
    ["arp", ip.arp.counters],
    ["acd", ip.arp.conflicts.counters],
    ["neighbours", ip.neighbours.counters],
    ["waiting", ip.neighbours.waiting.counters],
    ["ip", ip.counters],
    ...(appliance.tunnelled?.layers ?? []),
    ...(autoconf.ndp === undefined ? [] : [["ndp", autoconf.ndp.counters] as const]),
    ["membership", autoconf.membership.counters],
    ["icmp", icmp.counters],
    ["udp", udp.counters],
    ["tcp", tcp.counters],
    ...(dhcp === undefined ? [] : [["dhcp-client", dhcp.counters] as const]),
    ...(appliance.information === undefined ? [] : [["dhcpv6", appliance.information.counters] as const]),
    ...(appliance.mdns === undefined ? [] : [["mdns", appliance.mdns.counters] as const]),
    ...services.map(({ label, counters }) => [label, counters] as const),
  ];
}

/** The counters that tell why a received frame was dropped, by layer; where several do, the first tells it best. */
export function dropLayers(appliance: Appliance): Readonly<Record<string, object>> {
  const { link, ip, icmp, udp, tcp, dhcp, autoconf, services } = appliance;
  return {
    [linkName(appliance)]: linkCounters(appliance),
    ...(link instanceof Vlan ? { vlan: link.counters } : {}),
    arp: ip.arp.counters,
    ip: ip.counters,
    ...Object.fromEntries(appliance.tunnelled?.layers ?? []),
    ...(autoconf.ndp === undefined ? {} : { ndp: autoconf.ndp.counters }),
    ...Object.fromEntries(services.map(({ label, counters }) => [label, counters])),
    ...(dhcp === undefined ? {} : { "dhcp-client": dhcp.counters }),
    ...(appliance.information === undefined ? {} : { dhcpv6: appliance.information.counters }),
    ...(appliance.mdns === undefined ? {} : { mdns: appliance.mdns.counters }),
    udp: udp.counters,
    tcp: tcp.counters,
    // Behind the others, since it also counts the errors about what they dropped.
    icmp: icmp.counters,
  };
}

/** What the link's counters are called: "eth", or "ptp" where the NIC's frames are IP packets. */
function linkName({ link }: Appliance): string {
  return link instanceof PointToPoint ? "ptp" : "eth";
}

/** The counters of what the NIC's frames are: of a VLAN's station, where there is one. */
function linkCounters({ link, eth }: Appliance): object {
  return link instanceof PointToPoint ? link.counters : eth.counters;
}

/** The counters of what was done, or those of drops that are not zero. */
function numbers(counters: object, drops: boolean): Record<string, number> {
  const entries: [string, number][] = Object.entries(counters);
  return Object.fromEntries(
    entries.filter(([name, value]) => isDropCounter(name) === drops && (!drops || value !== 0)),
  );
}

/** Packets of all layers and the reasons of all drops, as one object. */
export function summary(all: readonly (readonly [string, object])[]): {
  packets: Record<string, Record<string, number>>;
  drops: Record<string, Record<string, number>>;
} {
  const packets: Record<string, Record<string, number>> = {};
  const drops: Record<string, Record<string, number>> = {};
  for (const [layer, counters] of all) {
    packets[layer] = numbers(counters, false);
    const dropped = numbers(counters, true);
    if (Object.keys(dropped).length > 0) drops[layer] = dropped;
  }
  return { packets, drops };
}

/** The same as lines for people, without layers that nothing reached. */
export function summaryLines(all: readonly (readonly [string, object])[], microseconds: number): string[] {
  const { packets, drops } = summary(all);
  const { received = 0, sent = 0, receivedBytes = 0, sentBytes = 0 } = packets["nic"] ?? {};
  const rows = Object.entries(packets).filter(([layer]) => layer !== "nic").map(([layer, counted]) => {
    const cells = Object.entries(counted).filter(([, value]) => value > 0).map(([name, value]) => {
      return `${words(name)} ${value}`;
    });
    return [`  ${layer}`, ...cells];
  }).filter(({ length }) => length > 1);
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

/** What befell the frames on their way between NIC and host: "out" is what the host sent. */
export type FaultSummary = {
  readonly in: Readonly<Record<string, number>>;
  readonly out: Readonly<Record<string, number>>;
};

/** What faults have done. Undefined: there were to be none. */
export function faultSummary(nic: FaultyNic | undefined): { faults?: FaultSummary } {
  return nic === undefined ? {} : { faults: { in: fates(nic.ingress), out: fates(nic.egress) } };
}

/** The same as lines for people. */
export function faultLines(nic: FaultyNic | undefined): string[] {
  const { faults } = faultSummary(nic);
  if (faults === undefined) return [];
  const rows = Object.entries(faults).map(([direction, counted]) => {
    return [`  ${direction}`, ...Object.entries(counted).map(([name, value]) => `${words(name)} ${value}`)];
  });
  return ["faults on the wire:", ...table(rows)];
}

/** What a filter has kept from the host. Undefined: there was to be none. */
export function filterSummary(
  nic: FilteredNic | undefined,
): { filter?: { passed: number; filtered: number } } {
  return nic === undefined ? {} : { filter: { ...nic.filterCounters } };
}

/** The same as lines for people. */
export function filterLines(nic: FilteredNic | undefined): string[] {
  if (nic === undefined) return [];
  const { passed, filtered } = nic.filterCounters;
  return [`the filter let ${passed} of ${passed + filtered} frames pass`];
}

/** How many frames came through, and what else happened to any. */
function fates(counters: PipeCounters): Record<string, number> {
  const entries: [string, number][] = Object.entries(counters);
  return Object.fromEntries(entries.filter(([name, value]) => name === "passed" || value > 0));
}
