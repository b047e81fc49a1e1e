import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { LayerError } from "../../../stack/error.ts";
import {
  Neighbours,
  type NeighboursOptions,
  NeighbourState,
  neighbourStateName,
  newRequest,
} from "../../../stack/host/neighbours.ts";
import { NEVER, seconds } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { check, fc } from "../../support/property.ts";

/** The neighbour 10.0.x.y with the number n = 256 x + y, and its link address. */
const host = (n: number) => new Address().setV4(0x0a000000 + n);
const station = (n: number) => new Mac().set(0x0200, n);

/** What is due now, as "number" for everybody or "number!" for the neighbour itself. */
function requests(cache: Neighbours, now: number): string[] {
  const request = newRequest();
  const due: string[] = [];
  while (cache.nextRequest(now, request)) {
    equal(request.isGroup, request.mac.isBroadcast);
    due.push(`${request.address.d & 0xffff}${request.isGroup ? "" : "!"}`);
  }
  return due;
}

/** The link address's number, or the error's as a negative one. */
function lookup(cache: Neighbours, n: number, now: number): number {
  const mac = new Mac();
  const error = cache.lookup(host(n), now, mac);
  return error === LayerError.None ? mac.lo : -error;
}

function learn(cache: Neighbours, n: number, now: number, create: boolean = true): boolean {
  return cache.learn(host(n), station(n), now, create);
}

const hear = (cache: Neighbours, n: number, create = true, mac = n) =>
  cache.hear(host(n), station(mac), create);

function state(cache: Neighbours, n: number, now: number): string | undefined {
  const found = cache.state(host(n), now);
  return found === undefined ? undefined : neighbourStateName(found);
}

/** A cache whose answers prove their senders reachable for 20 to 60 s; this seed makes it some 41 s. */
const cacheOf = (options: NeighboursOptions = {}) =>
  new Neighbours({ reachableTime: seconds(40), ...options });

/** When what was learnt at 0 is stale. */
function reachableTime(cache: Neighbours): number {
  learn(cache, 200, 0);
  const until = cache.trustedUntil(host(200), 0);
  cache.remove(host(200));
  return until;
}

Deno.test("neighbours: an unknown one is Unreachable, is asked for once, and reachable by its answer", () => {
  const cache = new Neighbours();
  equal(lookup(cache, 2, 0), -LayerError.Unreachable);
  equal(lookup(cache, 2, 0), -LayerError.Unreachable);
  equal(state(cache, 2, 0), "incomplete");
  equal(cache.deadline(), 0);
  deepEqual(requests(cache, 0), ["2"]);
  equal(cache.deadline(), seconds(1));
  equal(learn(cache, 2, 10, false), true, "the answer needs no leave to make an entry");
  equal(lookup(cache, 2, 10), 2);
  equal(state(cache, 2, 10), "reachable");
  equal(cache.deadline(), NEVER);
});

Deno.test("neighbours: requests go out once a second, three times, then the look-up is given up (RFC 4861 7.2.2)", () => {
  const cache = new Neighbours();
  lookup(cache, 2, 0);
  const sent: number[] = [];
  for (let now = 0; now < seconds(10); now += 250_000) {
    if (requests(cache, now).length > 0) sent.push(now);
  }
  deepEqual(sent, [0, seconds(1), seconds(2)]);
  equal(cache.size, 0);
  equal(cache.counters.failed, 1);
  equal(cache.deadline(), NEVER);
  lookup(cache, 2, seconds(10));
  deepEqual(requests(cache, seconds(10)), ["2"], "the next look-up starts over");
});

Deno.test("neighbours: one lost request does not block: each look-up has its own pace", () => {
  const cache = new Neighbours();
  lookup(cache, 2, 0);
  deepEqual(requests(cache, 0), ["2"]);
  lookup(cache, 3, 400_000);
  deepEqual(requests(cache, 400_000), ["3"]);
  deepEqual(requests(cache, seconds(1)), ["2"]);
  deepEqual(requests(cache, 1_400_000), ["3"]);
});

Deno.test("neighbours: who was looked up first is asked for first", () => {
  const cache = new Neighbours();
  for (const n of [2, 3, 4]) lookup(cache, n, 0);
  deepEqual(requests(cache, 0), ["2", "3", "4"]);
});

Deno.test("neighbours: the reachable time is a random one, of half to one and a half times its base (RFC 4861 6.3.2)", () => {
  const times = Array.from({ length: 200 }, (_, seed) => reachableTime(cacheOf({ seed: [seed, 7] })));
  ok(Math.min(...times) >= seconds(20) && Math.min(...times) < seconds(22), `${Math.min(...times)}`);
  ok(Math.max(...times) <= seconds(60) && Math.max(...times) > seconds(58), `${Math.max(...times)}`);
  const cache = cacheOf();
  equal(reachableTime(cache), reachableTime(cache), "and the same for a while");
  cache.setTimes(true, seconds(10), seconds(1));
  ok(reachableTime(cache) <= seconds(15), "until a router advertises another base");
});

Deno.test("neighbours: without news a reachable one is stale, and nobody is asked while nobody uses it (RFC 4861 7.3.3)", () => {
  const cache = cacheOf();
  const until = reachableTime(cache);
  learn(cache, 2, 0);
  equal(state(cache, 2, until - 1), "reachable");
  equal(state(cache, 2, until), "stale");
  equal(cache.deadline(), NEVER);
  deepEqual(requests(cache, seconds(3_600)), []);
});

Deno.test("neighbours: used when stale it gets 5 s for the layers above, then unicast probes, then it goes (RFC 4861 7.3.3)", () => {
  const cache = cacheOf();
  learn(cache, 2, 0);
  const start = seconds(100);
  equal(lookup(cache, 2, start), 2, "it goes on to be used meanwhile");
  equal(state(cache, 2, start), "delay");
  equal(cache.deadline(), start + seconds(5));
  const sent: [number, string][] = [];
  for (let now = start; now < start + seconds(20); now += 250_000) {
    for (const request of requests(cache, now)) sent.push([now - start, request]);
    if (now === start + seconds(6)) equal(state(cache, 2, now), "probe");
    if (now < start + seconds(8)) equal(lookup(cache, 2, now), 2);
  }
  deepEqual(sent, [[seconds(5), "2!"], [seconds(6), "2!"], [seconds(7), "2!"]]);
  equal(cache.size, 0);
  equal(cache.counters.lost, 1);
  equal(lookup(cache, 2, start + seconds(20)), -LayerError.Unreachable);
});

Deno.test("neighbours: an answer to a probe makes it reachable again", () => {
  const cache = cacheOf();
  learn(cache, 2, 0);
  lookup(cache, 2, seconds(100));
  deepEqual(requests(cache, seconds(105)), ["2!"]);
  learn(cache, 2, seconds(105), false);
  equal(state(cache, 2, seconds(105)), "reachable");
  equal(cache.deadline(), NEVER);
});

Deno.test("neighbours: a layer above that makes progress confirms it, so that no probe is sent (RFC 4861 7.3.1)", () => {
  const cache = cacheOf();
  learn(cache, 2, 0);
  for (let now = seconds(100); now < seconds(1_000); now += seconds(3)) {
    equal(lookup(cache, 2, now), 2);
    cache.confirm(host(2), now);
    deepEqual(requests(cache, now), []);
  }
  equal(state(cache, 2, seconds(999)), "reachable");
});

Deno.test("neighbours: confirmation makes and resolves nothing, and does not touch what was set by hand", () => {
  const cache = new Neighbours();
  cache.confirm(host(2), 0);
  equal(cache.size, 0);
  lookup(cache, 2, 0);
  cache.confirm(host(2), 0);
  equal(state(cache, 2, 0), "incomplete");
  cache.setStatic(host(3), station(3));
  cache.confirm(host(3), 0);
  equal(state(cache, 3, seconds(1e6)), "static");
});

Deno.test("neighbours: who names itself is known but stale, since that proves nothing (RFC 4861 7.2.3)", () => {
  const cache = new Neighbours();
  equal(hear(cache, 2), true);
  equal(state(cache, 2, 0), "stale");
  equal(lookup(cache, 2, 0), 2);
  equal(state(cache, 2, 0), "delay", "so its first use has it confirmed");
});

Deno.test("neighbours: hearing the same again changes no state; another link address makes it stale (RFC 4861 7.2.3)", () => {
  const cache = new Neighbours();
  learn(cache, 2, 0);
  hear(cache, 2);
  equal(state(cache, 2, 1), "reachable");
  hear(cache, 2, false, 77);
  equal(state(cache, 2, 1), "stale");
  equal(lookup(cache, 2, 1), 77);
});

Deno.test("neighbours: hearing from who is looked up ends the look-up (RFC 4861 7.2.3)", () => {
  const cache = new Neighbours();
  lookup(cache, 2, 0);
  hear(cache, 2, false);
  equal(lookup(cache, 2, 0), 2);
  deepEqual(requests(cache, 0), []);
});

Deno.test("neighbours: news of somebody unknown makes no entry unless the caller says so (RFC 826)", () => {
  const cache = new Neighbours();
  equal(learn(cache, 2, 0, false), false);
  equal(hear(cache, 2, false), false);
  equal(cache.size, 0);
});

Deno.test("neighbours: what is contradicted is stale, and only if it was reachable (RFC 4861 7.2.5)", () => {
  const cache = new Neighbours();
  learn(cache, 2, 0);
  cache.doubt(host(2));
  equal(state(cache, 2, 1), "stale");
  lookup(cache, 3, 0);
  cache.doubt(host(3));
  cache.doubt(host(4));
  equal(state(cache, 3, 0), "incomplete");
});

Deno.test("neighbours: a full cache forgets whoever has not answered for the longest time", () => {
  const cache = new Neighbours({ capacity: 3 });
  for (const n of [1, 2, 3, 1]) learn(cache, n, n);
  equal(learn(cache, 4, 4), true);
  equal(cache.size, 3);
  equal(cache.counters.evicted, 1);
  deepEqual([1, 3, 4].map((n) => lookup(cache, n, 5)), [1, 3, 4]);
});

Deno.test("neighbours: strangers that name themselves push out strangers only, never who has answered us", () => {
  const cache = new Neighbours({ capacity: 4 });
  for (const n of [1, 2]) learn(cache, n, 0);
  for (let n = 100; n < 200; n++) hear(cache, n);
  equal(cache.size, 4);
  deepEqual([1, 2, 198, 199].map((n) => lookup(cache, n, 1)), [1, 2, 198, 199]);
  for (const n of [3, 4]) equal(learn(cache, n, 2), true, "but who answers pushes strangers out");
  equal(hear(cache, 300), false);
  equal(cache.counters.ignored, 1);
  deepEqual([1, 2, 3, 4].map((n) => lookup(cache, n, 3)), [1, 2, 3, 4]);
});

Deno.test("neighbours: static entries outlive everything but removal", () => {
  const cache = new Neighbours({ capacity: 2 });
  cache.setStatic(host(1), station(1));
  for (let n = 10; n < 20; n++) learn(cache, n, n);
  equal(cache.learn(host(1), station(66), 30, true), false, "news does not change it");
  equal(hear(cache, 1, true, 66), false);
  equal(lookup(cache, 1, seconds(1_000_000)), 1);
  equal(cache.deadline(), NEVER);
  equal(cache.remove(host(1)), true);
  equal(cache.remove(host(1)), false);
  equal(lookup(cache, 1, 0), -LayerError.Unreachable);
});

Deno.test("neighbours: a cache full of static entries takes no other", () => {
  const cache = new Neighbours({ capacity: 2 });
  ok(cache.setStatic(host(1), station(1)) && cache.setStatic(host(2), station(2)));
  equal(lookup(cache, 3, 0), -LayerError.Unreachable);
  equal(learn(cache, 3, 0), false);
  equal(cache.size, 2, "the look-up has gone, too");
  equal(cache.setStatic(host(3), station(3)), false);
  equal(cache.setStatic(host(2), station(9)), true, "one that is there can be changed");
  equal(lookup(cache, 2, 0), 9);
  equal(cache.deadline(), NEVER);
});

Deno.test("neighbours: look-ups have a quarter of the room besides; one more waits until a request has had its second", () => {
  const cache = new Neighbours({ capacity: 16 });
  for (let n = 1; n <= 16; n++) learn(cache, n, 0);
  for (let n = 100; n < 104; n++) equal(lookup(cache, n, 1), -LayerError.Unreachable);
  for (let n = 104; n < 110; n++) equal(lookup(cache, n, 1), -LayerError.Exhausted);
  equal(cache.counters.refused, 6);
  deepEqual(requests(cache, 1), ["100", "101", "102", "103"]);
  equal(lookup(cache, 104, seconds(1)), -LayerError.Exhausted);
  equal(lookup(cache, 104, seconds(1) + 1), -LayerError.Unreachable, "100 has had its second");
  for (let n = 1; n <= 16; n++) equal(lookup(cache, n, 2), n, "a known neighbour stays");
});

Deno.test("neighbours: a scan at 100,000 packets a second asks for nobody twice in a second, and harms nobody known", () => {
  const cache = new Neighbours({ capacity: 64 });
  for (let n = 1; n <= 64; n++) learn(cache, n, 0);
  const last = new Map<string, number>();
  let sent = 0;
  for (let now = 0, n = 0; now < seconds(5); now += 10, n = (n + 1) % 200) {
    lookup(cache, 1_000 + n, now);
    for (const request of requests(cache, now)) {
      ok(now - (last.get(request) ?? -seconds(1)) >= seconds(1), `${request} again within a second`);
      last.set(request, now);
      sent++;
    }
    ok(cache.size <= 64 + 16);
  }
  ok(sent <= 16 * 6, `${sent} requests in five seconds`);
  for (let n = 1; n <= 64; n++) equal(lookup(cache, n, seconds(5)), n);
});

Deno.test("neighbours: trustedUntil is when a look-up first has something to do; unresolved and stale ones are not trusted", () => {
  const cache = cacheOf({ capacity: 1 });
  equal(cache.trustedUntil(host(1), 0), 0);
  lookup(cache, 1, 0);
  equal(cache.trustedUntil(host(1), 0), 0);
  learn(cache, 1, 0);
  const until = cache.trustedUntil(host(1), 0);
  ok(until >= seconds(20) && until <= seconds(60));
  equal(cache.trustedUntil(host(1), until), 0);
  const version = cache.version;
  lookup(cache, 1, until);
  equal(
    cache.trustedUntil(host(1), until),
    NEVER,
    "while it is in doubt, until the version tells of a change",
  );
  cache.confirm(host(1), until);
  ok(cache.version > version);
  cache.setStatic(host(1), station(1));
  equal(cache.trustedUntil(host(1), 0), NEVER);
});

Deno.test("neighbours: every change of what a look-up answers grows the version", () => {
  const cache = new Neighbours({ capacity: 2 });
  const versions = [cache.version];
  const note = () => versions.push(cache.version);
  learn(cache, 1, 0);
  note();
  cache.learn(host(1), station(5), 0, false);
  note();
  cache.setStatic(host(2), station(2));
  note();
  cache.remove(host(1));
  note();
  cache.setStatic(host(2), station(3));
  note();
  deepEqual(versions, [...new Set(versions)].sort((a, b) => a - b));
});

Deno.test("neighbours: each family has requests of its own", () => {
  const cache = new Neighbours();
  const six = Address.parse("2001:db8::2");
  cache.lookup(six, 0, new Mac());
  lookup(cache, 2, 0);
  deepEqual(requests(cache, 0), ["2"]);
  equal(cache.deadline(), 0);
  const request = newRequest();
  equal(cache.nextRequest(0, request, false), true);
  equal(request.address.toString(), "2001:db8::2");
  equal(cache.nextRequest(0, request, false), false);
});

Deno.test("neighbours: entries are copies for tools", () => {
  const cache = new Neighbours();
  learn(cache, 2, 0);
  cache.setRouter(host(2), true);
  lookup(cache, 3, 0);
  cache.setStatic(host(4), station(4));
  const shown = [...cache.entries(0)].map(({ address, mac, state, isRouter }) =>
    `${address} ${mac} ${neighbourStateName(state)} ${isRouter}`
  );
  deepEqual(shown.sort(), [
    "10.0.0.2 02:00:00:00:00:02 reachable true",
    "10.0.0.3 undefined incomplete false",
    "10.0.0.4 02:00:00:00:00:04 static false",
  ]);
  equal([...cache.entries(seconds(60))].length, 3);
  equal([...cache.entries(seconds(60))].find(({ isRouter }) => isRouter)?.state, NeighbourState.Stale);
  throws(() => new Neighbours({ capacity: 0 }), RangeError);
});

Deno.test("neighbours: whatever happens, nothing due is left behind a deadline, and no limit is passed", () => {
  const step = fc.record({
    act: fc.constantFrom(
      "lookup",
      "learn",
      "create",
      "hear",
      "confirm",
      "doubt",
      "static",
      "remove",
      "poll",
      "poll",
    ),
    n: fc.integer({ min: 1, max: 12 }),
    wait: fc.constantFrom(0, 1, 400_000, seconds(1), seconds(20), seconds(61)),
  });
  check(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = new Neighbours({ capacity: 8 });
      const request = newRequest();
      let now = 0;
      for (const { act, n, wait } of steps) {
        now += wait;
        if (act === "lookup") {
          const answer = lookup(cache, n, now);
          ok(answer === n || answer < 0, "a look-up answers with the right station or none");
          if (answer === -LayerError.Unreachable) {
            ok(cache.deadline() < NEVER, "a noted look-up has a deadline");
          }
        } else if (act === "learn") learn(cache, n, now, false);
        else if (act === "create") learn(cache, n, now, true);
        else if (act === "hear") hear(cache, n);
        else if (act === "confirm") cache.confirm(host(n), now);
        else if (act === "doubt") cache.doubt(host(n));
        else if (act === "static") cache.setStatic(host(n), station(n));
        else if (act === "remove") cache.remove(host(n));
        else {
          let asked = 0;
          while (cache.nextRequest(now, request)) ok(++asked <= 10, "one request a neighbour and instant");
          ok(cache.deadline() > now, "after everything due was done the deadline lies in the future");
        }
        const doubted = [...cache.entries(now)].filter(({ state }) => {
          return state === NeighbourState.Delay || state === NeighbourState.Probe;
        });
        equal(cache.doubted, doubted.length);
        const states = [...cache.entries(now)].map((entry) => entry.state);
        equal(states.length, cache.size);
        const unresolved = states.filter((state) => state === NeighbourState.Incomplete).length;
        ok(unresolved <= 2, "a quarter is looked up at most");
        ok(states.length - unresolved <= 8, "and so many are known");
      }
    }),
    { runs: 500 },
  );
});

Deno.test("neighbours: one that somebody doubts is asked itself at once, and its answer proves it (RFC 4861 7.3.3)", () => {
  const cache = new Neighbours();
  equal(cache.probe(host(1), 0), false, "not known");
  cache.lookup(host(1), 0, new Mac());
  equal(cache.probe(host(1), 0), false, "being looked up");
  deepEqual(requests(cache, 0), ["1"]);
  ok(cache.learn(host(1), station(1), 1_000));
  ok(cache.probe(host(1), 2_000));
  ok(cache.probe(host(1), 2_000), "it is under way");
  equal(cache.doubted, 1);
  deepEqual(requests(cache, 2_000), ["1!"]);
  ok(cache.learn(host(1), station(1), 3_000));
  equal(cache.state(host(1), 3_000), NeighbourState.Reachable);
  equal(cache.doubted, 0);
  ok(cache.setStatic(host(2), station(2)));
  equal(cache.probe(host(2), 4_000), false, "given by hand");
});

Deno.test("neighbours: one that was doubted and does not answer is forgotten after three requests", () => {
  const cache = new Neighbours();
  ok(cache.learn(host(1), station(1), 0, true));
  ok(cache.probe(host(1), 0));
  for (const second of [0, 1, 2]) deepEqual(requests(cache, seconds(second)), ["1!"]);
  deepEqual(requests(cache, seconds(3)), []);
  equal(cache.state(host(1), seconds(3)), undefined);
  equal(cache.counters.lost, 1);
  equal(cache.doubted, 0);
});

Deno.test("neighbours: answers that nobody has asked for put no stranger before others (RFC 4861 7.2.5)", () => {
  const cache = new Neighbours({ capacity: 2 });
  learn(cache, 1, 0);
  cache.hear(host(2), station(2), true);
  equal(learn(cache, 2, 0, false), true);
  equal(cache.state(host(2), 0), NeighbourState.Reachable, "they are believed all the same");
  equal(cache.hear(host(3), station(3), true), true);
  deepEqual([cache.state(host(1), 0), cache.state(host(2), 0)], [NeighbourState.Reachable, undefined]);
});
