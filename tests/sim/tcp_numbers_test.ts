/** How well TCP uses a link, on virtual time: the same figures on every machine. */
import { ok } from "node:assert/strict";
import { milliseconds, seconds } from "../../mod.ts";
import { Bbr } from "../../stack/tcp/congestion/bbr.ts";
import { Cubic } from "../../stack/tcp/congestion/cubic.ts";
import { NewReno } from "../../stack/tcp/congestion/newreno.ts";
import { shareLink } from "../bench/sim_tcp.ts";

const GIGABIT = { rate: 1e9, roundTrip: milliseconds(50), queue: 2_000 };

/** Segments that such a link and its round trip hold. */
const CAPACITY = 1e9 / 8 * 0.05 / 1_514;

for (const congestion of [() => new Cubic(), () => new NewReno(), () => new Bbr()]) {
  const { name } = congestion();

  Deno.test(`tcp: two ${name} flows share a link fairly, though one came 5 s later`, () => {
    const link = { rate: 1e8, roundTrip: milliseconds(20), queue: 170, time: seconds(60), congestion };
    const { shares, fairness } = shareLink(link, 2, seconds(5), seconds(40));
    ok(fairness > 0.9, `${shares}`);
    ok(shares[0]! + shares[1]! > 0.9, `${shares}`);
  });
}

for (const congestion of [() => new Cubic(), () => new NewReno()]) {
  const { name } = congestion();

  // RFC 9438 5.2, tables 1 and 2: the average window of standard congestion control, 1.22 / sqrt(p) segments, which
  // CUBIC equals where losses are that frequent. No control that takes a loss for congestion gets more.
  for (const [loss, time] of [[1e-4, 300], [1e-3, 100]] as const) {
    Deno.test(`tcp: ${name} keeps the window that RFC 9438 5.2 has for a loss of ${loss * 100} %`, () => {
      const expected = 1.22 / Math.sqrt(loss);
      const link = { ...GIGABIT, time: seconds(time), loss, congestion };
      const { shares: [share], timeouts } = shareLink(link, 1, 0, seconds(time - 20));
      const window = share! * CAPACITY;
      ok(window > expected * 0.8 && window < expected * 1.5, `${window} segments, expected ${expected}`);
      ok(timeouts <= 2, `${timeouts} timeouts`);
    });
  }
}

for (const congestion of [() => new Cubic(), () => new NewReno()]) {
  Deno.test(`tcp: ${congestion().name} ends slow start before it has filled a long queue (RFC 9406)`, () => {
    // The link holds 413 segments. Without HyStart++ 7 % (NewReno) and 13 % (CUBIC) are sent again.
    const link = { rate: 1e8, roundTrip: milliseconds(50), queue: 900, time: seconds(4), congestion };
    const { shares: [share], retransmitted } = shareLink(link);
    ok(retransmitted < 0.05, `${retransmitted}`);
    ok(share! > 0.85, `${share}`);
  });
}

Deno.test("tcp: cubic fills 80 % of a link of 1 Gbit/s and 50 ms, from its start on", () => {
  const { shares: [share], timeouts } = shareLink({
    ...GIGABIT,
    time: seconds(8),
    congestion: () => new Cubic(),
  });
  ok(share! > 0.8, `${share}`);
  ok(timeouts === 0, `${timeouts} timeouts`);
});

Deno.test("tcp: cubic fills 80 % of 1 Gbit/s and 50 ms where one segment of a million is lost", () => {
  const link = { ...GIGABIT, time: seconds(12), loss: 1e-6, congestion: () => new Cubic() };
  const { shares: [share] } = shareLink(link);
  ok(share! > 0.8, `${share}`);
});

// A hole in the flight lasts a round trip: with 16 MiB, 2.7 times what the link holds, it is the window that limits.
for (
  const [loss, window, least] of [[1e-4, 64, 0.8], [1e-4, 16, 0.7], [1e-3, 16, 0.8], [1e-2, 16, 0.7]] as const
) {
  Deno.test(`tcp: bbr fills ${least} of 1 Gbit/s and 50 ms, with ${window} MiB and a loss of ${loss * 100} %`, () => {
    const link = { ...GIGABIT, time: seconds(12), loss, window: window << 20, congestion: () => new Bbr() };
    const { shares: [share], timeouts } = shareLink(link, 1, 0, seconds(8));
    ok(share! > least, `${share}`);
    ok(timeouts === 0, `${timeouts} timeouts`);
  });
}

for (const queue of [40, 170, 700]) {
  Deno.test(`tcp: bbr and cubic both live on a link with a queue of ${queue} segments, whoever came first`, () => {
    const link = { rate: 1e8, roundTrip: milliseconds(20), queue, time: seconds(40) };
    for (const first of [0, 1]) {
      const congestion = (flow: number) => flow === first ? new Bbr() : new Cubic();
      const { shares } = shareLink({ ...link, congestion }, 2, seconds(5), seconds(25));
      ok(Math.min(...shares) > 0.25, `${shares}`);
      ok(shares[0]! + shares[1]! > 0.9, `${shares}`);
    }
  });
}
