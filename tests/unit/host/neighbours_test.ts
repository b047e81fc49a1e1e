import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { LayerError } from "../../../stack/error.ts";
import { Neighbours, NeighbourState, newRequest } from "../../../stack/host/neighbours.ts";
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
    due.push(`${request.address.d & 0xffff}${request.mac.isBroadcast ? "" : "!"}`);
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

Deno.test("neighbours: an unknown one is Unreachable, is asked for once, and known by its answer", () => {
  const cache = new Neighbours();
  equal(lookup(cache, 2, 0), -LayerError.Unreachable);
  equal(lookup(cache, 2, 0), -LayerError.Unreachable);
  equal(cache.deadline(), 0);
  deepEqual(requests(cache, 0), ["2"]);
  equal(cache.deadline(), seconds(1));
  equal(learn(cache, 2, 10, false), true, "the answer needs no leave to make an entry");
  equal(lookup(cache, 2, 10), 2);
  equal(cache.deadline(), NEVER);
});

Deno.test("neighbours: requests go out once a second, three times, then the look-up is forgotten (RFC 1122 2.3.2.1)", () => {
  const cache = new Neighbours();
  lookup(cache, 2, 0);
  const sent: number[] = [];
  for (let now = 0; now < seconds(10); now += 250_000) {
    if (requests(cache, now).length > 0) sent.push(now);
  }
  deepEqual(sent, [0, seconds(1), seconds(2)]);
  equal(cache.size, 0);
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

Deno.test("neighbours: a learnt address is trusted for its lifetime and no longer", () => {
  const cache = new Neighbours({ lifetime: seconds(60) });
  learn(cache, 2, 0);
  equal(lookup(cache, 2, seconds(60) - 1), 2);
  equal(lookup(cache, 2, seconds(60)), -LayerError.Unreachable);
  deepEqual(requests(cache, seconds(60)), ["2"], "and is then asked for anew, by everybody");
});

Deno.test("neighbours: news refreshes an entry and may change its address", () => {
  const cache = new Neighbours();
  learn(cache, 2, 0);
  cache.learn(host(2), station(77), seconds(50), false);
  equal(lookup(cache, 2, seconds(100)), 77);
});

Deno.test("neighbours: news of somebody unknown makes no entry unless the caller says so (RFC 826)", () => {
  const cache = new Neighbours();
  equal(learn(cache, 2, 0, false), false);
  equal(cache.size, 0);
});

Deno.test("neighbours: used in the last quarter of its life, an entry is confirmed by a request to itself", () => {
  const cache = new Neighbours({ lifetime: seconds(60) });
  learn(cache, 2, 0);
  equal(lookup(cache, 2, seconds(45) - 1), 2);
  equal(cache.deadline(), NEVER, "no earlier");
  equal(lookup(cache, 2, seconds(45)), 2, "it goes on to be used meanwhile");
  equal(lookup(cache, 2, seconds(45)), 2);
  equal(cache.deadline(), seconds(45));
  deepEqual(requests(cache, seconds(45)), ["2!"]);
  equal(cache.deadline(), seconds(46));
  learn(cache, 2, seconds(46), false);
  equal(cache.deadline(), NEVER);
  equal(lookup(cache, 2, seconds(46) + seconds(60) - 1), 2, "so it never lapses in use");
});

Deno.test("neighbours: one that does not confirm is asked for by everybody, and forgotten at the end of its life", () => {
  const cache = new Neighbours({ lifetime: seconds(60) });
  learn(cache, 2, 0);
  lookup(cache, 2, seconds(50));
  const sent: string[] = [];
  for (let now = seconds(50); now < seconds(70); now += 500_000) sent.push(...requests(cache, now));
  deepEqual(sent, ["2!", "2!", "2!", "2", "2", "2", "2", "2", "2", "2"]);
  equal(cache.size, 0);
});

Deno.test("neighbours: an entry that nobody uses is not confirmed", () => {
  const cache = new Neighbours();
  learn(cache, 2, 0);
  deepEqual(requests(cache, seconds(59)), []);
  equal(cache.deadline(), NEVER);
});

Deno.test("neighbours: two that lapse unconfirmed at once leave no deadline behind", () => {
  const cache = new Neighbours({ lifetime: seconds(60) });
  for (const n of [2, 3, 4]) learn(cache, n, 0);
  for (const n of [2, 3, 4]) lookup(cache, n, seconds(59));
  equal(cache.nextRequest(seconds(61), newRequest()), false);
  equal(cache.deadline(), NEVER);
  equal(cache.size, 0);
});

Deno.test("neighbours: a full cache forgets who would expire soonest", () => {
  const cache = new Neighbours({ capacity: 3 });
  learn(cache, 1, 0);
  learn(cache, 2, 1);
  learn(cache, 3, 2);
  learn(cache, 1, 3);
  equal(learn(cache, 4, 4), true);
  equal(cache.size, 3);
  deepEqual([1, 3, 4].map((n) => lookup(cache, n, 5)), [1, 3, 4]);
});

Deno.test("neighbours: static entries outlive everything but removal", () => {
  const cache = new Neighbours({ capacity: 2 });
  cache.setStatic(host(1), station(1));
  for (let n = 10; n < 20; n++) learn(cache, n, n);
  equal(cache.learn(host(1), station(66), 30, true), false, "news does not change it");
  equal(lookup(cache, 1, seconds(1_000_000)), 1);
  equal(cache.deadline(), NEVER);
  equal(cache.remove(host(1)), true);
  equal(cache.remove(host(1)), false);
  equal(lookup(cache, 1, 0), -LayerError.Unreachable);
});

Deno.test("neighbours: a cache full of static entries is Exhausted, and takes no other", () => {
  const cache = new Neighbours({ capacity: 2 });
  ok(cache.setStatic(host(1), station(1)) && cache.setStatic(host(2), station(2)));
  equal(lookup(cache, 3, 0), -LayerError.Exhausted);
  equal(learn(cache, 3, 0), false);
  equal(cache.setStatic(host(3), station(3)), false);
  equal(cache.setStatic(host(2), station(9)), true, "one that is there can be changed");
  equal(lookup(cache, 2, 0), 9);
  equal(cache.deadline(), NEVER);
});

Deno.test("neighbours: a scan of unknown ones takes a quarter of the cache; the longest wait is given up", () => {
  const cache = new Neighbours({ capacity: 16 });
  for (let n = 1; n <= 12; n++) learn(cache, n, 0);
  for (let n = 100; n < 110; n++) lookup(cache, n, 1);
  equal(cache.size, 16);
  deepEqual(requests(cache, 1), ["106", "107", "108", "109"]);
  for (let n = 1; n <= 12; n++) equal(lookup(cache, n, 2), n, "a known neighbour stays");
});

Deno.test("neighbours: the wait is counted from the look-up, not from the last request", () => {
  const cache = new Neighbours({ capacity: 8 });
  lookup(cache, 1, 0);
  requests(cache, 0);
  lookup(cache, 2, 500_000);
  requests(cache, 500_000);
  requests(cache, seconds(1));
  lookup(cache, 3, 1_200_000);
  deepEqual([...cache.entries(1_200_000)].map((entry) => entry.address.d & 0xff).sort(), [2, 3]);
});

Deno.test("neighbours: trustedUntil is when a look-up first has something to do; unresolved ones are not trusted", () => {
  const cache = new Neighbours({ capacity: 1, lifetime: seconds(60) });
  equal(cache.trustedUntil(host(1), 0), 0);
  lookup(cache, 1, 0);
  equal(cache.trustedUntil(host(1), 0), 0);
  learn(cache, 1, 0);
  equal(cache.trustedUntil(host(1), 0), seconds(45));
  equal(cache.trustedUntil(host(1), seconds(45)), 0);
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

Deno.test("neighbours: entries are copies for tools; what has expired is not shown", () => {
  const cache = new Neighbours();
  learn(cache, 2, 0);
  lookup(cache, 3, 0);
  cache.setStatic(host(4), station(4));
  const shown = [...cache.entries(0)].map((entry) => `${entry.address} ${entry.mac} ${entry.state}`);
  deepEqual(shown.sort(), [
    `10.0.0.2 02:00:00:00:00:02 ${NeighbourState.Known}`,
    `10.0.0.3 undefined ${NeighbourState.Looking}`,
    `10.0.0.4 02:00:00:00:00:04 ${NeighbourState.Static}`,
  ]);
  equal([...cache.entries(seconds(60))].length, 2);
  throws(() => new Neighbours({ capacity: 0 }), RangeError);
});

Deno.test("neighbours: whatever happens, nothing due is left behind a deadline, and no limit is passed", () => {
  const step = fc.record({
    act: fc.constantFrom("lookup", "learn", "create", "static", "remove", "poll", "poll"),
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
        else if (act === "static") cache.setStatic(host(n), station(n));
        else if (act === "remove") cache.remove(host(n));
        else {
          let asked = 0;
          while (cache.nextRequest(now, request)) ok(++asked <= 8, "one request a neighbour and instant");
          ok(cache.deadline() > now, "after everything due was done the deadline lies in the future");
        }
        const states = [...cache.entries(now)].map((entry) => entry.state);
        ok(cache.size <= 8);
        ok(
          states.filter((state) => state < NeighbourState.Known).length <= 2,
          "a quarter is looked up at most",
        );
      }
    }),
    { runs: 500 },
  );
});
