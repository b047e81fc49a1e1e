import { equal, ok } from "node:assert/strict";
import { Address } from "../../../stack/wire/address.ts";
import { makeArena } from "../../../stack/wire/arena.ts";
import { put16, put32 } from "../../../stack/wire/bytes.ts";
import {
  checksum,
  finish,
  fold,
  pseudo,
  pseudoV4,
  pseudoV6,
  sum,
  update16,
  update32,
} from "../../../stack/wire/checksum.ts";
import { check, fc } from "../../support/property.ts";
import { ECHO_REQUEST, hex, TCP_DATA, UDP_V6 } from "./frames.ts";

/** The definition, a word at a time. */
function naive(bytes: Uint8Array, at: number, end: number, initial: number): number {
  let total = initial;
  for (let i = at; i < end; i += 2) total += bytes[i]! * 256 + (i + 1 < end ? bytes[i + 1]! : 0);
  while (total > 0xffff) total = Math.floor(total / 65536) + total % 65536;
  return total;
}

/** Bytes without a pattern that a wrong offset could meet by chance. */
function noise(bytes: Uint8Array): Uint8Array {
  let state = 1;
  for (let i = 0; i < bytes.length; i++) {
    state = Math.imul(state, 1664525) + 1013904223;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

// Long enough that a sum outside of arenas goes by words.
const ARENA = 1 << 17;

/** What bytes may lie in: summed by vectors, by words and by bytes. */
const MEMORIES: Readonly<Record<string, () => Uint8Array>> = {
  "an arena": () => makeArena(ARENA),
  "a long buffer": () => new Uint8Array(ARENA),
  "a short buffer": () => new Uint8Array(4096),
};

Deno.test("checksum: the sum of RFC 1071 3's example", () => {
  const bytes = hex("0001 f203 f4f5 f6f7");
  equal(sum(bytes, 0, 8, 0), 0xddf2);
  equal(checksum(bytes, 0, 8, 0), 0xddf2 ^ 0xffff);
});

Deno.test("checksum: over a right header it is 0, and over one with its field zeroed it is that field", () => {
  const header = ECHO_REQUEST.slice(14, 34);
  equal(checksum(header, 0, 20, 0), 0);
  const field = (header[10]! << 8) | header[11]!;
  put16(header, 10, 0);
  equal(checksum(header, 0, 20, 0), field);
});

Deno.test("checksum: an odd last byte counts as if a zero followed (RFC 1071 4.1)", () => {
  equal(sum(hex("ab"), 0, 1, 0), 0xab00);
  equal(sum(hex("0102 03 ff"), 0, 3, 0), 0x0402);
});

Deno.test("checksum: nothing sums to what was there before", () => {
  equal(sum(hex("ffff"), 1, 1, 0x1234), 0x1234);
  equal(sum(hex(""), 0, 0, 0), 0);
});

Deno.test("checksum: any two bytes can be swapped in every word (RFC 1071 2(B))", () => {
  equal(sum(hex("0100 03f2 f5f4 f7f6"), 0, 8, 0), 0xf2dd);
});

Deno.test("checksum: every offset and length of a packet agrees with the definition, wherever it lies", () => {
  for (const [what, make] of Object.entries(MEMORIES)) {
    const bytes = noise(make());
    for (let at = 0; at < 9; at++) {
      for (let count = 0; count < 200; count++) {
        equal(
          sum(bytes, at, at + count, count),
          naive(bytes, at, at + count, count),
          `${at} + ${count} of ${what}`,
        );
      }
      for (const count of [1479, 1480, 1481, 2048]) {
        equal(
          sum(bytes, at, at + count, 0),
          naive(bytes, at, at + count, 0),
          `${at} + ${count} of ${what}`,
        );
      }
    }
  }
});

Deno.test("checksum: the largest packets do not overflow, even when every bit is set", () => {
  const short = new Uint8Array(1 << 14).fill(0xff);
  for (const make of [makeArena, (length: number) => new Uint8Array(length)]) {
    const ones = make(1 << 19).fill(0xff);
    const mixed = noise(make(1 << 19));
    for (const at of [0, 1, 2, 3]) {
      for (const count of [65_534, 65_535, 65_536, 1 << 18]) {
        equal(
          sum(ones, at, at + count, 0x7fffffff),
          naive(ones, at, at + count, 0x7fffffff),
          `${at} + ${count}`,
        );
        equal(sum(mixed, at, at + count, 0xffff), naive(mixed, at, at + count, 0xffff), `${at} + ${count}`);
      }
      equal(sum(short, at, short.length, 0xffff), naive(short, at, short.length, 0xffff));
    }
  }
});

Deno.test("checksum: of an arena only as much is summed as there is", () => {
  const bytes = noise(makeArena(ARENA));
  equal(bytes.length, ARENA);
  for (let at = ARENA - 40; at <= ARENA; at++) {
    equal(sum(bytes, at, ARENA, 1), naive(bytes, at, ARENA, 1), `${at}`);
    // Nobody asks for this. It is no trap of WebAssembly's either.
    ok(sum(bytes, at, ARENA + 8, 1) <= 0xffff);
  }
  equal(sum(bytes, 9, 8, 0x12345), 0x2346);
});

Deno.test("checksum: the end of a buffer that is no whole number of words belongs to it", () => {
  for (const odd of [0, 1, 2, 3]) {
    const bytes = noise(new Uint8Array(ARENA + odd));
    for (let at = ARENA - 100; at < ARENA - 90; at++) {
      equal(sum(bytes, at, bytes.length, 0), naive(bytes, at, bytes.length, 0), `${at} of ${bytes.length}`);
    }
  }
});

Deno.test("checksum: bytes may start anywhere in their buffer", () => {
  const memory = noise(new Uint8Array(ARENA + 8));
  for (let start = 0; start < 8; start++) {
    const bytes = new Uint8Array(memory.buffer, start, ARENA);
    for (let at = 0; at < 5; at++) {
      equal(
        sum(bytes, at, at + 1480, 0),
        naive(bytes, at, at + 1480, 0),
        `bytes at ${start}, packet at ${at}`,
      );
    }
  }
});

Deno.test("checksum: arenas and buffers by turns, more of them than are remembered, do not mix", () => {
  const make = (index: number) => index % 2 === 0 ? new Uint8Array(ARENA) : makeArena(ARENA);
  const arenas = Array.from({ length: 20 }, (_, index) => make(index).fill(index + 1));
  for (let round = 0; round < 3; round++) {
    for (const bytes of arenas) equal(sum(bytes, 3, 1003, 0), naive(bytes, 3, 1003, 0));
  }
});

Deno.test("checksum: sees what was written after the first sum, and memory that grows", () => {
  for (const make of Object.values(MEMORIES)) {
    const bytes = make();
    equal(sum(bytes, 0, 100, 0), 0);
    put16(bytes, 50, 0x1234);
    equal(sum(bytes, 0, 100, 0), 0x1234);
  }

  const buffer = new ArrayBuffer(ARENA, { maxByteLength: 2 * ARENA });
  const growing = new Uint8Array(buffer);
  equal(sum(growing, ARENA - 100, ARENA, 0), 0);
  buffer.resize(2 * ARENA);
  noise(growing);
  equal(sum(growing, ARENA + 1, ARENA + 1001, 0), naive(growing, ARENA + 1, ARENA + 1001, 0));
});

Deno.test("checksum: the sum of parts is the sum of the whole, if all but the last are even", () => {
  for (const make of Object.values(MEMORIES)) {
    const bytes = noise(make());
    check(fc.property(fc.nat(100), fc.nat(800), fc.nat(1000), (at, half, rest) => {
      const middle = at + 2 * half;
      const end = middle + rest;
      equal(sum(bytes, middle, end, sum(bytes, at, middle, 0)), naive(bytes, at, end, 0));
    }));
  }
});

Deno.test("checksum: agrees with the definition on any bytes", () => {
  check(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20), fc.nat(0x7fffffff), (bytes, at, initial) => {
      const start = Math.min(at, bytes.length);
      equal(sum(bytes, start, bytes.length, initial), naive(bytes, start, bytes.length, initial));
    }),
  );
});

Deno.test("checksum: folding adds every carry back in, whatever the 32 bits (RFC 1071 2(C))", () => {
  equal(fold(0), 0);
  equal(fold(0xffff), 0xffff);
  equal(fold(0x1ffff), 1);
  equal(fold(0xffffffff), 0xffff);
  equal(fold(-1), 0xffff);
  equal(fold(0x7fffffff), 0x7fff);
  equal(finish(0), 0xffff);
  equal(finish(0xffff), 0);
});

Deno.test("checksum: an update never turns out 0xffff where the whole sum gives 0 (RFC 1624 4, its example)", () => {
  equal(update16(0xdd2f, 0x5555, 0x3285), 0x0000);
});

Deno.test("checksum: updating one word is the same as summing anew, exhaustively along each of the three words", () => {
  const edges = [0, 1, 0x5555, 0x7fff, 0x8000, 0xaaaa, 0xfffe, 0xffff];
  let wrong = 0;
  const compare = (rest: number, oldWord: number, newWord: number) => {
    // A sum over nothing but zeros is the one that the update cannot tell from 0xffff; no header is all zero.
    if (rest + oldWord === 0 || rest + newWord === 0) return;
    if (update16(finish(rest + oldWord), oldWord, newWord) !== finish(rest + newWord)) wrong++;
  };
  for (let word = 0; word <= 0xffff; word++) {
    for (const x of edges) {
      for (const y of edges) {
        compare(word, x, y);
        compare(x, word, y);
        compare(x, y, word);
      }
    }
  }
  equal(wrong, 0);
});

Deno.test("checksum: updating a word in a packet is the same as summing anew", () => {
  const word = fc.integer();
  const bytes = fc.uint8Array({ minLength: 20, maxLength: 20 }).filter((bytes) => bytes[0] !== 0);
  check(
    fc.property(bytes, word, fc.constantFrom(4, 8, 12, 16), (bytes, newWord, at) => {
      const before = checksum(bytes, 0, 20, 0);
      const oldWord = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
      put32(bytes, at, newWord);
      equal(update32(before, oldWord, newWord), checksum(bytes, 0, 20, 0));
    }),
    { runs: 1000 },
  );
});

Deno.test("checksum: the IPv4 pseudo-header is the addresses, protocol and length (RFC 9293 3.1)", () => {
  const source = new Address().readV4(TCP_DATA, 26);
  const destination = new Address().readV4(TCP_DATA, 30);
  const length = TCP_DATA.length - 34;
  const header = hex("0a000002 0a000001 0006 0025");
  equal(fold(pseudoV4(source, destination, 6, length)), naive(header, 0, 12, 0));
  equal(checksum(TCP_DATA, 34, TCP_DATA.length, pseudo(source, destination, 6, length)), 0);
});

Deno.test("checksum: the IPv6 pseudo-header has the whole addresses and a 32-bit length (RFC 8200 8.1)", () => {
  const source = new Address().readV6(UDP_V6, 22);
  const destination = new Address().readV6(UDP_V6, 38);
  equal(checksum(UDP_V6, 54, UDP_V6.length, pseudo(source, destination, 17, UDP_V6.length - 54)), 0);
  const header = new Uint8Array(40);
  source.writeV6(header, 0);
  destination.writeV6(header, 16);
  put32(header, 32, 0x12345678);
  header[39] = 58;
  equal(fold(pseudoV6(source, destination, 58, 0x12345678)), naive(header, 0, 40, 0));
});

Deno.test("checksum: the largest pseudo-header stays a small positive number", () => {
  const ones = new Address().set(-1, -1, -1, -1);
  equal(pseudoV6(ones, ones, 255, 0xffffffff), 18 * 0xffff + 255);
});
