/**
 * `store`: the containers and checksums under the layers.
 *
 * @module
 */
import { Neighbours } from "../../stack/host/neighbours.ts";
import { Routes } from "../../stack/host/routes.ts";
import { Random } from "../../stack/loss/random.ts";
import { HashMap } from "../../stack/store/hash-map.ts";
import { TimerWheel } from "../../stack/store/timer-wheel.ts";
import { Address } from "../../stack/wire/address.ts";
import { makeArena } from "../../stack/wire/arena.ts";
import { sum } from "../../stack/wire/checksum.ts";
import { Cidr } from "../../stack/wire/cidr.ts";
import { Mac } from "../../stack/wire/mac.ts";
import type { Benchmark } from "./report.ts";

const ENTRIES = 1_000, CAPACITY = 1_024;
const BYTES = new Uint8Array(1 << 16).map((_, index) => index * 37);
const ARENA = makeArena(1 << 16);
ARENA.set(BYTES);

/** What is called `count` times in a loop of its own; the result keeps the loop from being optimized away. */
type Work = (count: number) => number;

function lookUps(): Work {
  const map = new HashMap(CAPACITY, 4, [1, 2]);
  for (let entry = 0; entry < ENTRIES; entry++) map.insert4(0, 0, 0xffff, 0x0a000000 + entry, entry);
  return (count) => {
    let found = 0;
    for (let turn = 0; turn < count; turn++) {
      found += map.lookup4(0, 0, 0xffff, 0x0a000000 + (turn * 7) % ENTRIES);
    }
    return found;
  };
}

/** As a connection's timer is used: moved with every packet, hardly ever ringing. */
function timers(): Work {
  const wheel = new TimerWheel(ENTRIES);
  let now = 0, rung = 0;
  const ring = () => {
    rung++;
  };
  return (count) => {
    for (let turn = 0; turn < count; turn++) {
      now += 10;
      wheel.arm(turn % ENTRIES, now + 200_000);
      rung += wheel.advance(now, ring);
    }
    return rung;
  };
}

/** Prefixes as the Internet has them, and destinations of which most are covered by the default route only. */
function routes(count: number, isV4: boolean): Work {
  const table = new Routes(count + 1), random = new Random(1);
  const gateway = Address.parse(isV4 ? "10.0.0.254" : "fe80::1");
  const any = () => {
    const address = new Address();
    if (isV4) return address.setV4(random.next() >>> 1);
    return address.set(0x2001_0000 | (random.next() >>> 16), random.next(), 0, random.next());
  };
  table.addDefault(gateway);
  while (table.size <= count) {
    table.add(new Cidr(any(), (isV4 ? 12 : 32) + random.below(isV4 ? 16 : 32)), gateway);
  }
  const destinations = Array.from({ length: 1 << 10 }, any);
  return (turns) => {
    let found = 0;
    for (let turn = 0; turn < turns; turn++) {
      found += table.lookup(destinations[turn & 0x3ff]!, 0)!.network.prefix;
    }
    return found;
  };
}

/** A full neighbour cache, whose entries are looked up in an order that no cache of the processor likes. */
function neighbours(count: number): Work {
  const cache = new Neighbours({ capacity: count, seed: [1, 2] });
  const addresses = Array.from({ length: count }, (_, n) => new Address().set(0x20010db8, 0, 0, n));
  const mac = new Mac();
  addresses.forEach((address, n) => cache.learn(address, mac.set(0x0200, n), 0, true));
  return (turns) => {
    let found = 0;
    for (let turn = 0; turn < turns; turn++) {
      cache.lookup(addresses[(turn * 7_919) % count]!, 0, mac);
      found += mac.lo;
    }
    return found;
  };
}

function sums(bytes: Uint8Array, length: number): Work {
  return (count) => {
    let total = 0;
    for (let turn = 0; turn < count; turn++) total += sum(bytes, 144, 144 + length, 0);
    return total;
  };
}

let keep = 0;

/** Nanoseconds a call in each round, after one that is not counted. */
function measure(work: Work, rounds: number): number[] {
  const count = 20_000, values: number[] = [];
  for (let round = -1; round < rounds; round++) {
    let best = Infinity;
    const until = performance.now() + 60;
    while (performance.now() < until) {
      const start = performance.now();
      keep += work(count);
      best = Math.min(best, (performance.now() - start) * 1e6 / count);
    }
    if (round >= 0) values.push(best);
  }
  return values;
}

/** The benchmark. */
export const store: Benchmark = {
  name: "store",
  about: "containers and checksums; the best of many short runs in each round",
  run(report, quick) {
    const rounds = quick ? 2 : 7;
    const call = { unit: "ns", digits: 1 };
    report.figure({ ...call, title: "hash map: look-up among 1,000", values: measure(lookUps(), rounds) });
    report.figure({
      ...call,
      title: "timer wheel: 1,000 timers, one moved, time advanced",
      values: measure(timers(), rounds),
    });
    for (const [family, isV4] of [["IPv4", true], ["IPv6", false]] as const) {
      const title = `routes: longest prefix among 1,000, ${family}`;
      report.figure({ ...call, title, values: measure(routes(1_000, isV4), rounds) });
    }
    for (const count of [1_000, 10_000]) {
      const title = `neighbours: look-up among ${count}`;
      report.figure({ ...call, title, values: measure(neighbours(count), rounds) });
    }
    for (const length of [64, 1_480]) {
      for (const [where, bytes] of [["in an arena", ARENA], ["elsewhere", BYTES]] as const) {
        const values = measure(sums(bytes, length), rounds).map((nanoseconds) => length / nanoseconds);
        report.figure({ title: `checksum of ${length} B, ${where}`, unit: "GB/s", digits: 1, values });
      }
    }
    if (Number.isNaN(keep)) report.note("a sum is not a number");
  },
};
