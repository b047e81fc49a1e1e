import assert from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { type Challenged, ChallengeLimiter, mayChallenge } from "../../../stack/tcp/challenge.ts";

function connection(challenges: ChallengeLimiter): Challenged {
  const counters = { challenges: 0, limitedChallenges: 0 };
  return { challengeAcks: 0, challengeSecond: -1, tcp: { challenges, counters } };
}

Deno.test("challenge: a connection sends two a second (RFC 5961 7)", () => {
  const c = connection(new ChallengeLimiter());
  assert.deepEqual([0, 1, 2, 3].map((ms) => mayChallenge(c, milliseconds(ms))), [true, true, false, false]);
  assert.ok(mayChallenge(c, seconds(1)));
  assert.ok(mayChallenge(c, seconds(1.9)));
  assert.ok(!mayChallenge(c, seconds(1.95)));
  assert.deepEqual(c.tcp.counters, { challenges: 4, limitedChallenges: 3 });
});

Deno.test("challenge: all connections together have a limit, which differs from second to second (RFC 5961 10)", () => {
  const limiter = new ChallengeLimiter(100, [1, 2, 3, 4]);
  const sums: number[] = [];
  for (let second = 0; second < 200; second++) {
    let sent = 0;
    for (let i = 0; i < 300; i++) if (mayChallenge(connection(limiter), seconds(second))) sent++;
    assert.ok(sent >= 50 && sent < 150, `${sent}`);
    sums.push(sent);
  }
  assert.ok(new Set(sums).size > 30);
  const mean = sums.reduce((sum, each) => sum + each) / sums.length;
  assert.ok(Math.abs(mean - 100) < 10, `${mean}`);
});

Deno.test("challenge: what one connection is refused does not count against the others", () => {
  const limiter = new ChallengeLimiter(10, [1, 2, 3, 4]);
  const loud = connection(limiter);
  for (let i = 0; i < 1_000; i++) mayChallenge(loud, 0);
  assert.ok(mayChallenge(connection(limiter), 0));
});

Deno.test("challenge: a rate below one is refused", () => {
  assert.throws(() => new ChallengeLimiter(0), /whole number from 1/);
  assert.throws(() => new ChallengeLimiter(1.5), /whole number from 1/);
});
