import assert from "node:assert/strict";
import { seconds } from "../../../stack/store/time.ts";
import { initialSequence, timestampOffset } from "../../../stack/tcp/isn.ts";
import type { SipKey } from "../../../stack/store/siphash.ts";
import type { FourTuple } from "../../../stack/tcp/tuple.ts";
import { Address } from "../../../stack/wire/address.ts";

const SECRET: SipKey = [1, -2, 3, -4];

function tuple(change: Partial<FourTuple> = {}): FourTuple {
  return {
    local: new Address().setV4(0x0a000001),
    localPort: 80,
    remote: new Address().setV4(0x0a000002),
    remotePort: 40_000,
    ...change,
  };
}

const OTHERS: FourTuple[] = [
  tuple({ local: new Address().setV4(0x0a000003) }),
  tuple({ localPort: 81 }),
  tuple({ remote: new Address().setV4(0x0a000004) }),
  tuple({ remotePort: 40_001 }),
  tuple({ local: new Address().setV4(0x0a000002), remote: new Address().setV4(0x0a000001) }),
  tuple({ localPort: 40_000, remotePort: 80 }),
  tuple({ local: new Address().set(0x20010db8, 0, 0xffff, 0x0a000001) }),
  tuple({ remote: new Address().set(0x20010db8, 1, 0xffff, 0x0a000002) }),
  tuple({ remote: new Address().set(0x20010db8, 0, 0xffff, 0x0a000002) }),
];

Deno.test("isn: the number goes up by one every four microseconds (RFC 6528 3)", () => {
  const start = initialSequence(tuple(), SECRET, 0);
  assert.equal(initialSequence(tuple(), SECRET, 3), start);
  assert.equal(initialSequence(tuple(), SECRET, 4), (start + 1) | 0);
  assert.equal(initialSequence(tuple(), SECRET, seconds(100_000)), (start + 25e9) | 0);
});

Deno.test("isn: no two tuples share a start, nor do two secrets, and every number is a signed word (RFC 6528 3)", () => {
  const starts = new Set([tuple(), ...OTHERS].map((each) => initialSequence(each, SECRET, 0)));
  assert.equal(starts.size, OTHERS.length + 1);
  for (const start of starts) assert.equal(start, start | 0);
  assert.notEqual(initialSequence(tuple(), SECRET, 0), initialSequence(tuple(), [1, -2, 3, -5], 0));
});

Deno.test("isn: timestamps start elsewhere for each tuple, and at the same for the same (RFC 7323 5.4, RFC 6191)", () => {
  const starts = new Set([tuple(), ...OTHERS].map((each) => timestampOffset(each, SECRET)));
  assert.equal(starts.size, OTHERS.length + 1);
  assert.equal(timestampOffset(tuple(), SECRET), timestampOffset(tuple(), SECRET));
  assert.notEqual(timestampOffset(tuple(), SECRET), initialSequence(tuple(), SECRET, 0));
});
