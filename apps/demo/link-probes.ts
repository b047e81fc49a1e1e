/** The same probes by a second host of ours, on the other end of a wire in memory. */
import { type Address, milliseconds, Ping, seconds } from "../../mod.ts";
import type { Appliance, Tree } from "../appliance.ts";
import { ArpClient } from "../arp-client.ts";
import { RoundTrips } from "../round-trips.ts";
import { fillingSize, type Probe } from "./probe.ts";

const INTERVAL = milliseconds(200);

/** Three ARP requests; five pings, and three that fill the MTU, to each of the targets. */
export function linkProbes(peer: Appliance, targets: readonly Address[]): Probe[] {
  return [
    ...targets.slice(0, 1).map((target) => arping(peer, target, 3)),
    ...targets.flatMap((target) => [ping(peer, target, 5, 56), ping(peer, target, 3, fillingSize(target))]),
  ];
}

function arping(peer: Appliance, target: Address, count: number): Probe {
  const title = `our own arp ${target} --count ${count}`;
  return {
    title,
    run: async (signal) => {
      const trips = new RoundTrips();
      const client = new ArpClient(peer, {
        target,
        count,
        interval: INTERVAL,
        timeout: seconds(1),
        onAnswer: ({ rtt }) => trips.add(rtt),
      });
      await runUntil(peer, client.asking(), signal, () => client.isDone(peer.nic.now()));
      return { title, sent: count, answered: client.answers, trips };
    },
  };
}

function ping(peer: Appliance, destination: Address, count: number, length: number): Probe {
  const title = `our own ping ${destination} --count ${count} --size ${length}`;
  return {
    title,
    run: async (signal) => {
      const trips = new RoundTrips();
      const client = new Ping({
        destination,
        identifier: length,
        count,
        length,
        interval: INTERVAL,
        onResult: ({ rtt }) => {
          if (rtt !== undefined) trips.add(rtt);
        },
      });
      await runUntil(peer, peer.pinging(client), signal, () => client.done);
      return { title, sent: count, answered: client.received, trips };
    },
  };
}

async function runUntil(
  host: Appliance,
  tree: Tree,
  signal: AbortSignal,
  done: () => boolean,
): Promise<void> {
  const stop = new AbortController();
  await host.run(AbortSignal.any([signal, stop.signal]), tree, () => {
    if (done()) stop.abort();
  });
}
