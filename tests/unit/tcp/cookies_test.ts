import assert from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { SynCookies } from "../../../stack/tcp/cookies.ts";
import type { FourTuple } from "../../../stack/tcp/tuple.ts";
import { Address } from "../../../stack/wire/address.ts";
import { check, fc } from "../../support/property.ts";

const V4: FourTuple = {
  local: new Address().setV4(0x0a000001),
  localPort: 80,
  remote: new Address().setV4(0x0a000002),
  remotePort: 40_000,
};
const V6: FourTuple = {
  local: new Address().set(0x20010db8, 0, 0, 1),
  localPort: 80,
  remote: new Address().set(0x20010db8, 0, 0, 2),
  remotePort: 40_000,
};
const NO_TIMES = { hasTimestamp: false, tsEcho: 0 };

function cookies(): SynCookies {
  return new SynCookies([9, 8, 7, 6]);
}

Deno.test("cookies: the MSS comes back, rounded down (RFC 4987 3.6)", () => {
  const each = cookies();
  const table: [FourTuple, number, number][] = [
    [V4, 1_460, 1_460],
    [V4, 1_459, 1_452],
    [V4, 536, 536],
    [V4, 535, 256],
    [V4, 9_999, 8_960],
    [V4, 1, 64],
    [V4, 0, 536],
    [V6, 1_440, 1_440],
    [V6, 1_439, 1_432],
    [V6, 0, 1_220],
    [V6, 65_535, 8_940],
  ];
  for (const [tuple, mss, expected] of table) {
    const cookie = each.make(tuple, 77, mss, 0);
    assert.equal(cookie, cookie | 0);
    assert.ok(each.check(tuple, 77, cookie, NO_TIMES, 0, 0));
    assert.equal(each.mss, expected);
    assert.deepEqual([each.windowScale, each.sackPermitted, each.hasEcn, each.hasTimestamps], [
      -1,
      false,
      false,
      false,
    ]);
  }
});

Deno.test("cookies: one is good in its period of 64 s and the next, no longer", () => {
  const each = cookies();
  const made = seconds(640) + seconds(63);
  const cookie = each.make(V4, 1, 1_460, made);
  assert.ok(each.check(V4, 1, cookie, NO_TIMES, 0, made));
  assert.ok(each.check(V4, 1, cookie, NO_TIMES, 0, seconds(640 + 127.9)));
  each.make(V4, 2, 1_460, seconds(640 + 127.9));
  assert.ok(!each.check(V4, 1, cookie, NO_TIMES, 0, seconds(640 + 128)));
});

Deno.test("cookies: none is good while none was made of late", () => {
  const each = cookies(), other = cookies();
  const cookie = other.make(V4, 1, 1_460, 0);
  assert.ok(!each.check(V4, 1, cookie, NO_TIMES, 0, 0));
  assert.ok(!other.check(V4, 1, cookie, NO_TIMES, 0, seconds(128)));
});

Deno.test("cookies: one belongs to one tuple, one SYN, one MSS and one secret", () => {
  const each = cookies();
  const cookie = each.make(V4, 1, 1_460, 0);
  assert.ok(!each.check(V4, 2, cookie, NO_TIMES, 0, 0));
  assert.ok(!each.check({ ...V4, remotePort: 40_001 }, 1, cookie, NO_TIMES, 0, 0));
  assert.ok(!each.check({ ...V4, localPort: 81 }, 1, cookie, NO_TIMES, 0, 0));
  assert.ok(!each.check({ ...V4, remote: V6.remote }, 1, cookie, NO_TIMES, 0, 0));
  for (let bit = 0; bit < 32; bit++) assert.ok(!each.check(V4, 1, cookie ^ (1 << bit), NO_TIMES, 0, 0));
  const other = new SynCookies([9, 8, 7, 5]);
  other.make(V4, 1, 1_460, 0);
  assert.ok(!other.check(V4, 1, cookie, NO_TIMES, 0, 0));
});

Deno.test("cookies: what does not fit comes back in the timestamp, whose clock never runs ahead (RFC 7323 5.4)", () => {
  check(
    fc.property(
      fc.integer({ min: -1, max: 14 }),
      fc.boolean(),
      fc.boolean(),
      fc.nat(seconds(1e6)),
      fc.integer(),
      (scale, sack, ecn, now, offset) => {
        const each = cookies();
        const cookie = each.make(V4, 5, 1_460, now);
        const tsEcho = each.timestamp(now, offset, scale, sack, ecn);
        const clock = (Math.floor(now / 1_000) + offset) | 0;
        const behind = (clock - tsEcho) | 0;
        assert.ok(behind >= 0 && behind < 64, `${behind}`);
        assert.ok(each.check(V4, 5, cookie, { hasTimestamp: true, tsEcho }, offset, now + milliseconds(50)));
        assert.ok(each.hasTimestamps);
        assert.equal(each.windowScale, scale);
        assert.equal(each.sackPermitted, sack);
        assert.equal(each.hasEcn, ecn);
      },
    ),
    { runs: 500 },
  );
});

Deno.test("cookies: a guess is good by chance only, two in 2^29 for each MSS", () => {
  const each = cookies();
  each.make(V4, 0, 1_460, 0);
  let good = 0;
  let guess = 1;
  for (let i = 0; i < 300_000; i++) {
    guess = (Math.imul(guess, 1_664_525) + 1_013_904_223) | 0;
    if (each.check(V4, i, guess, NO_TIMES, 0, 0)) good++;
  }
  assert.ok(good <= 1, `${good}`);
});
