import { deepStrictEqual, equal, notDeepStrictEqual, ok, throws } from "node:assert/strict";
import {
  AnyLoss,
  GilbertElliottLoss,
  type LossModel,
  PulseLoss,
  UniformLoss,
} from "../../../stack/loss/models.ts";
import { check, fc } from "../../support/property.ts";

const fates = (model: LossModel, count: number) => Array.from({ length: count }, () => model.lost());
const lostShare = (fates: readonly boolean[]) => fates.filter((lost) => lost).length / fates.length;

function near(actual: number, expected: number, tolerance: number): void {
  ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected} +- ${tolerance}`);
}

/** The lengths of the runs of lost packets. */
function bursts(fates: readonly boolean[]): number[] {
  return fates.map((lost) => lost ? "x" : " ").join("").split(/ +/).filter((run) => run !== "")
    .map((run) => run.length);
}

Deno.test("loss: the rate is held at any seed, 0 and the greatest included", () => {
  for (const seed of [0, 1, 2, 0x7fffffff, 0xffffffff, -1]) {
    for (const rate of [0.01, 0.5, 0.9]) {
      near(
        lostShare(fates(new UniformLoss(rate, seed), 20_000)),
        rate,
        4 * Math.sqrt(rate * (1 - rate) / 20_000),
      );
    }
  }
});

Deno.test("loss: seed 0 starts a sequence like any other, of which both ends are reached", () => {
  // A generator whose state is its seed would never leave 0.
  const zero = fates(new UniformLoss(0.5, 0), 200);
  ok(zero.includes(true) && zero.includes(false));
  notDeepStrictEqual(zero, fates(new UniformLoss(0.5, 1), 200));
});

Deno.test("loss: rate 0 loses nothing, rate 1 everything", () => {
  ok(!fates(new UniformLoss(0, 0), 1_000).includes(true));
  ok(!fates(new UniformLoss(1, 0), 1_000).includes(false));
});

Deno.test("loss: the same seed loses the same packets", () => {
  check(fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, rate) => {
    deepStrictEqual(fates(new UniformLoss(rate, seed), 50), fates(new UniformLoss(rate, seed), 50));
  }));
});

Deno.test("loss: what is no probability is refused", () => {
  for (const rate of [-0.1, 1.1, NaN, Infinity]) {
    throws(() => new UniformLoss(rate, 0), { name: "RangeError", message: /from 0 to 1/ });
    throws(() => new GilbertElliottLoss({ toBad: rate, toGood: 1 }, 0), RangeError);
    throws(() => new GilbertElliottLoss({ toBad: 0, toGood: rate }, 0), RangeError);
    throws(() => new PulseLoss({ threshold: 1, reset: 2, rate }, 0), RangeError);
  }
});

Deno.test("loss: a pulse passes up to its threshold and loses up to its reset, in every period", () => {
  check(fc.property(fc.integer({ min: 1, max: 30 }), fc.nat(30), fc.nat(29), (reset, threshold, count) => {
    fc.pre(threshold <= reset && count < reset);
    const expected = Array.from({ length: 100 }, (_, index) => (index + count) % reset >= threshold);
    deepStrictEqual(fates(new PulseLoss({ threshold, count, reset }, 0), 100), expected);
  }));
});

Deno.test("loss: a pulse's rate is that behind the threshold only", () => {
  const lost = fates(new PulseLoss({ threshold: 50, reset: 100, rate: 0.3 }, 0), 40_000);
  near(lostShare(lost.filter((_, index) => index % 100 >= 50)), 0.3, 0.02);
  ok(!lost.some((lost, index) => lost && index % 100 < 50));
});

Deno.test("loss: a pulse that is no period is refused with the number that is wrong", () => {
  throws(
    () => new PulseLoss({ threshold: 0, reset: 0 }, 0),
    /reset must be a whole number of packets from 1, not 0/,
  );
  throws(
    () => new PulseLoss({ threshold: 3, reset: 2 }, 0),
    /threshold must be from 0 to its reset 2, not 3/,
  );
  throws(
    () => new PulseLoss({ threshold: 1, count: 2, reset: 2 }, 0),
    /count must be from 0 to below .* not 2/,
  );
  throws(() => new PulseLoss({ threshold: 1, reset: 1.5 }, 0), RangeError);
});

Deno.test("loss: bursts have the mean length 1/toGood and the share toBad/(toBad+toGood) (Gilbert 1960)", () => {
  for (const toGood of [0.1, 0.25, 0.5]) {
    const lost = fates(new GilbertElliottLoss({ toBad: 0.02, toGood }, 0), 200_000);
    const lengths = bursts(lost);
    near(lengths.reduce((sum, length) => sum + length) / lengths.length, 1 / toGood, 0.06 / toGood);
    near(lostShare(lost), 0.02 / (0.02 + toGood), 0.01);
  }
});

Deno.test("loss: both states may lose some of their packets (Elliott 1963)", () => {
  const states = { toBad: 0.1, toGood: 0.1, badRate: 0.5, goodRate: 0.01 };
  near(lostShare(fates(new GilbertElliottLoss(states, 3), 100_000)), (0.5 + 0.01) / 2, 0.01);
});

Deno.test("loss: a channel that never turns bad loses nothing, one that never turns good all but the start", () => {
  ok(!fates(new GilbertElliottLoss({ toBad: 0, toGood: 1 }, 0), 1_000).includes(true));
  ok(!fates(new GilbertElliottLoss({ toBad: 1, toGood: 0 }, 0), 1_000).includes(false));
});

Deno.test("loss: of several models each sees every packet, and any of them may lose it", () => {
  const pulse = () => new PulseLoss({ threshold: 9, reset: 10 }, 0);
  const uniform = () => new UniformLoss(0.1, 7);
  const alone = [fates(pulse(), 500), fates(uniform(), 500)];
  deepStrictEqual(
    fates(new AnyLoss([pulse(), uniform()]), 500),
    alone[0]!.map((lost, index) => lost || alone[1]![index]!),
  );
  equal(new AnyLoss([]).lost(), false);
});
