/** CUBIC that tells noise from congestion (cubic+), on virtual time: what it gains, and that nobody pays for it. */
import { ok } from "node:assert/strict";
import { milliseconds, seconds } from "../../mod.ts";
import { Cubic } from "../../stack/tcp/congestion/cubic.ts";
import { CubicPlus } from "../../stack/tcp/congestion/cubic-plus.ts";
import { NewReno } from "../../stack/tcp/congestion/newreno.ts";
import { shareLink } from "../bench/sim_tcp.ts";

const GIGABIT = { rate: 1e9, roundTrip: milliseconds(50), queue: 2_000 };
/** It holds 165 segments. */
const SHORTER = { rate: 1e8, roundTrip: milliseconds(20) };

const plus = () => new CubicPlus();

Deno.test("cubic+: fills 80 % of a link of 1 Gbit/s and 50 ms where 0.01 % is lost at random", () => {
  const link = { ...GIGABIT, time: seconds(20), loss: 1e-4, congestion: plus };
  const { shares: [share], timeouts } = shareLink(link, 1, 0, seconds(12));
  ok(share! > 0.8, `${share}`);
  ok(timeouts === 0, `${timeouts} timeouts`);
});

// With RFC 9438's own pace an epoch lasts 12 s there, and this has 0.885.
Deno.test("cubic+: two flows share that link fairly, though one came 5 s later (seed 3)", () => {
  const link = { ...GIGABIT, time: seconds(60), loss: 1e-4, seed: 3, congestion: plus };
  const { shares, fairness } = shareLink(link, 2, seconds(5), seconds(40));
  ok(fairness > 0.9, `${shares}`);
  ok(shares[0]! + shares[1]! > 0.8, `${shares}`);
});

Deno.test("cubic+: beside it CUBIC keeps what such a link leaves to it", () => {
  const link = { ...GIGABIT, rate: 1e8, queue: 200, time: seconds(60), loss: 1e-3 };
  const [beside, cubics] = [plus, () => new Cubic()].map((first) => {
    const congestion = (flow: number) => flow === 0 ? first() : new Cubic();
    return shareLink({ ...link, congestion }, 2, seconds(5), seconds(40)).shares[1]!;
  });
  ok(beside! > cubics! * 0.7, `${beside} and ${cubics}`);
});

for (const seed of [1, 3]) {
  // As many segments lost in a round trip as there, and epochs half as long.
  Deno.test(`cubic+: in the long run two flows share a link that loses at random equally (seed ${seed})`, () => {
    const link = { rate: 1e8, roundTrip: milliseconds(50), queue: 200, loss: 1e-3, seed, congestion: plus };
    const { shares, fairness } = shareLink({ ...link, time: seconds(120) }, 2, seconds(2), seconds(100));
    ok(fairness > 0.95, `${shares}`);
    ok(shares[0]! + shares[1]! > 0.8, `${shares}`);
  });
}

// A twentieth of what the link holds, ten segments, and all that it holds.
for (const queue of [8, 10, 165]) {
  Deno.test(`cubic+: does as CUBIC does on a link with a queue of ${queue} segments`, () => {
    const [own, cubic] = [plus, () => new Cubic()].map((congestion) =>
      shareLink({ ...SHORTER, queue, time: seconds(20), congestion }, 1, 0, seconds(15))
    );
    ok(own!.shares[0]! > cubic!.shares[0]! * 0.95, `${own!.shares} and ${cubic!.shares}`);
    ok(own!.retransmitted < cubic!.retransmitted * 1.5 + 1e-4, `${own!.retransmitted}`);
  });

  Deno.test(`cubic+: two flows share a link with a queue of ${queue} segments fairly`, () => {
    const link = { ...SHORTER, queue, time: seconds(40), congestion: plus };
    const { shares, fairness } = shareLink(link, 2, seconds(5), seconds(25));
    ok(fairness > 0.9, `${shares}`);
  });

  for (const other of [() => new Cubic(), () => new NewReno()]) {
    const { name } = other();

    Deno.test(`cubic+: starves no ${name} flow at a queue of ${queue} segments, whoever came first`, () => {
      for (const first of [0, 1]) {
        const congestion = (flow: number) => flow === first ? plus() : other();
        const link = { ...SHORTER, queue, time: seconds(40), congestion };
        const { shares } = shareLink(link, 2, seconds(5), seconds(25));
        // Half the link is its own.
        ok(shares[1 - first]! > 0.5 * 0.5, `${shares}`);
      }
    });
  }
}

for (const loss of [0.01, 0.03, 0.1]) {
  Deno.test(`cubic+: with ${loss * 100} % lost it sends no more than CUBIC would, and does not stall`, () => {
    const [own, cubic] = [plus, () => new Cubic()].map((congestion) =>
      shareLink({ ...SHORTER, queue: 165, time: seconds(20), loss, congestion })
    );
    ok(own!.shares[0]! >= cubic!.shares[0]! * 0.9, `${own!.shares} and ${cubic!.shares}`);
    ok(own!.retransmitted < loss * 1.5, `${own!.retransmitted}`);
    ok(own!.timeouts <= cubic!.timeouts + 2, `${own!.timeouts} timeouts`);
  });
}
