/** RACK's step 5 goes through what is in flight in order of time; here beside a walk over all of it. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { elapsed, LONGEST } from "../../../stack/tcp/clock.ts";
import { NewReno } from "../../../stack/tcp/congestion/newreno.ts";
import { Recovery } from "../../../stack/tcp/connection.ts";
import type { Losses } from "../../../stack/tcp/loss.ts";
import {
  rackDetect,
  rackForget,
  rackMarkOnTimeout,
  rackUpdate,
  reorderingWindow,
} from "../../../stack/tcp/rack.ts";
import { isNewer } from "../../../stack/tcp/send-order.ts";
import { before, distance } from "../../../stack/tcp/sequence.ts";
import { testSeed } from "../../support/property.ts";
import { lossesOf, MSS } from "./transfer.ts";

/** RFC 8985 6.2, step 5, word by word: what is lost, by where it ends, and how long to wait for the rest. */
function everySegment(c: Losses, now: number): [lost: number[], wait: number] {
  const { flight } = c;
  const lost: number[] = [];
  let wait = 0;
  if (!c.hasRack) return [lost, wait];
  for (let index = 0; index < flight.count; index++) {
    const [at, end] = [flight.sentAt(index), flight.endOf(index)];
    if (!flight.isPending(index) || !isNewer(c.rackSentAt, c.rackEnd, at, end)) continue;
    const left = c.rackRtt + reorderingWindow(c) - elapsed(at, now);
    if (left <= 0) lost.push(end);
    else wait = Math.max(wait, left);
  }
  return [lost, wait];
}

function pending({ flight }: Losses): number[] {
  const ends: number[] = [];
  for (let index = 0; index < flight.count; index++) {
    if (flight.isPending(index)) ends.push(flight.endOf(index));
  }
  return ends;
}

/** Lets something happen to a flight, chosen by `below`. */
function happen(c: Losses, now: number, below: (most: number) => number): void {
  const { flight } = c;
  const somewhere = () => (flight.una + below(Math.max(1, distance(flight.una, flight.end)))) | 0;
  switch (below(16)) {
    case 0:
    case 1:
    case 2:
      flight.pushAll((1 + below(8)) * MSS, false, MSS, now);
      break;
    case 3:
      // What the user writes: short segments, and of one instant.
      flight.push((flight.end + 1 + below(MSS)) | 0, now);
      break;
    case 4:
    case 5:
    case 6:
    case 7:
      for (let left = below(4); left >= 0; left--) {
        const lost = flight.firstLost();
        if (lost >= 0) flight.resend(lost, below(8) === 0 ? 300 : MSS, now);
      }
      break;
    case 8: {
      const last = flight.lastUnreceived();
      if (last >= 0) flight.resend(last, MSS, now);
      break;
    }
    case 9:
      if (flight.count > 0) {
        flight.ackTo(below(3) === 0 ? somewhere() : flight.endOf(below(Math.min(4, flight.count))));
      }
      break;
    case 10:
      if (below(20) === 0) {
        flight.clearLost();
        c.hasRack = false;
      }
      break;
    case 11:
      if (below(20) === 0) {
        if (below(2) === 0) flight.clearSacked();
        rackMarkOnTimeout(c, now);
        if (below(2) === 0) c.rackSentAt = (now - LONGEST - 1) | 0;
        rackForget(c, now);
      }
      break;
    case 12:
      if (below(4) === 0) c.reorderSeen = !c.reorderSeen;
      c.reorderWindows = 1 + below(4);
      c.recovery = below(2) === 0 ? Recovery.None : Recovery.Fast;
      break;
    default: {
      const left = somewhere();
      flight.sack(left, (left + (1 + below(6)) * MSS) | 0);
    }
  }
}

/** Numerical Recipes' generator. */
function numbers(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) % below;
  };
}

Deno.test("rack: in order of time the same is lost, and waited for, as by a look at every segment (RFC 8985 6.2)", () => {
  let found = 0, waited = 0;
  for (let run = 0; run < 300; run++) {
    const seed = testSeed() + run;
    const below = numbers(seed);
    // Sequence numbers and the clock wrap on the way.
    const c = lossesOf(new NewReno(), 0x7fff_ffff - below(100_000));
    let now = 0x7fff_ffff - below(20_000);
    c.rtt.measure(20_000, now);
    for (let step = 0; step < 400; step++) {
      if (below(3) > 0) now = (now + below(5_000)) | 0;
      c.flight.begin();
      for (let left = below(3); left >= 0; left--) happen(c, now, below);
      rackUpdate(c, now, -1);
      const [lost, wait] = everySegment(c, now);
      const left = pending(c).filter((end) => !lost.includes(end));
      equal(rackDetect(c, now), wait, `the wait: seed ${seed}, step ${step}`);
      deepEqual(pending(c), left, `what is lost: seed ${seed}, step ${step}`);
      found += lost.length;
      waited += wait > 0 ? 1 : 0;
      ok(before(c.flight.una, c.flight.end) || c.flight.count === 0);
    }
  }
  ok(found > 1_000 && waited > 1_000, `${found} lost, ${waited} waits: not enough of either`);
});

Deno.test("rack: an acknowledgment takes time in what it changes, not in what is in flight (RFC 8985 6.2)", () => {
  const count = 11_000, last = 3_000;
  for (const reorders of [false, true]) {
    const c = lossesOf(new NewReno());
    c.rtt.measure(50_000, 0);
    c.reorderSeen = reorders;
    for (let index = 1; index <= count; index++) c.flight.push(index * MSS, index * 4);
    const begun = performance.now();
    for (let index = count - last; index < count; index++) {
      const now = 50_000 + index * 4;
      c.flight.begin();
      c.flight.sack(index * MSS, (index + 1) * MSS);
      rackUpdate(c, now, -1);
      rackDetect(c, now);
    }
    // 3,000 acknowledgments: a walk for each took 300 ms and more.
    const took = performance.now() - begun;
    ok(took < 100, `${took} ms`);
    ok(c.flight.lost > (count - last - 3_000) * MSS, `${c.flight.lost} bytes lost`);
  }
});
