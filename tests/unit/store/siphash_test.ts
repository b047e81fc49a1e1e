import assert from "node:assert/strict";
import { sipHash, sipHash64, type SipKey } from "../../../stack/store/siphash.ts";
import { check, fc } from "../../support/property.ts";

const MASK = (1n << 64n) - 1n;

function rotate(x: bigint, bits: bigint): bigint {
  return ((x << bits) | (x >> (64n - bits))) & MASK;
}

/** SipHash-2-4 as its paper writes it, over bytes and 64-bit words. */
function reference(bytes: Uint8Array, k0: bigint, k1: bigint): bigint {
  let v0 = k0 ^ 0x736f6d6570736575n, v1 = k1 ^ 0x646f72616e646f6dn;
  let v2 = k0 ^ 0x6c7967656e657261n, v3 = k1 ^ 0x7465646279746573n;
  const round = (): void => {
    v0 = (v0 + v1) & MASK;
    v2 = (v2 + v3) & MASK;
    v1 = rotate(v1, 13n) ^ v0;
    v3 = rotate(v3, 16n) ^ v2;
    v0 = rotate(v0, 32n);
    v2 = (v2 + v1) & MASK;
    v0 = (v0 + v3) & MASK;
    v1 = rotate(v1, 17n) ^ v2;
    v3 = rotate(v3, 21n) ^ v0;
    v2 = rotate(v2, 32n);
  };
  for (let at = 0; at <= bytes.length; at += 8) {
    let block = 0n;
    for (let i = 0; i < 8; i++) block |= BigInt(bytes[at + i] ?? 0) << BigInt(8 * i);
    if (at + 8 > bytes.length) block |= BigInt(bytes.length & 255) << 56n;
    v3 ^= block;
    round();
    round();
    v0 ^= block;
  }
  v2 ^= 0xffn;
  for (let i = 0; i < 4; i++) round();
  return v0 ^ v1 ^ v2 ^ v3;
}

const KEY: SipKey = [0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c];

Deno.test("siphash: the reference agrees with the vector of the paper, appendix A", () => {
  const bytes = Uint8Array.from({ length: 15 }, (_, i) => i);
  assert.equal(reference(bytes, 0x0706050403020100n, 0x0f0e0d0c0b0a0908n), 0xa129ca6149be45e5n);
});

Deno.test("siphash: the published vectors of whole words, low half", () => {
  const words = new Int32Array(Uint8Array.from({ length: 16 }, (_, i) => i).buffer);
  assert.equal(sipHash(words, 0, KEY) >>> 0, 0xdd0e0e31);
  assert.equal(sipHash(words, 2, KEY) >>> 0, 0x9a932462);
});

Deno.test("siphash: agrees with the paper's algorithm for any words and key", () => {
  const words = fc.array(fc.integer(), { maxLength: 70 });
  const key = fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer());
  check(fc.property(words, key, (list, k) => {
    const pair = (low: number, high: number) => BigInt(low >>> 0) | (BigInt(high >>> 0) << 32n);
    const input = Int32Array.from(list);
    const expected = reference(new Uint8Array(input.buffer), pair(k[0], k[1]), pair(k[2], k[3]));
    assert.equal(sipHash(input, list.length, k) >>> 0, Number(expected & 0xffffffffn));
    const hash = new Int32Array(2);
    sipHash64(input, list.length, k, hash);
    assert.deepEqual([...hash], [expected, expected >> 32n].map((half) => Number(BigInt.asIntN(32, half))));
  }));
});

Deno.test("siphash: only the words that count are read", () => {
  const words = Int32Array.of(1, 2, 3, 4);
  const hash = sipHash(words, 3, KEY);
  words[3] = 9;
  assert.equal(sipHash(words, 3, KEY), hash);
  words[2] = 9;
  assert.notEqual(sipHash(words, 3, KEY), hash);
});
