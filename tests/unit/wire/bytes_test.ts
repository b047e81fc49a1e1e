import { equal } from "node:assert/strict";
import { get16, get32, put16, put32 } from "../../../stack/wire/bytes.ts";
import { check, fc } from "../../support/property.ts";
import { hex, toHex } from "./frames.ts";

Deno.test("bytes: the most significant byte comes first (RFC 791 Appendix B)", () => {
  const bytes = hex("00 1234 89abcdef");
  equal(get16(bytes, 1), 0x1234);
  equal(get32(bytes, 0), 0x00123489);
  put16(bytes, 0, 0xfedc);
  put32(bytes, 2, 0x01020304);
  equal(toHex(bytes), "fedc01020304ef");
});

Deno.test("bytes: 16 bits are unsigned, 32 bits are signed", () => {
  const bytes = hex("ffff ffff");
  equal(get16(bytes, 0), 65_535);
  equal(get32(bytes, 0), -1);
});

Deno.test("bytes: writing takes the low bits, signed or not", () => {
  const bytes = new Uint8Array(4);
  put16(bytes, 0, -1);
  put16(bytes, 2, 0x12345);
  equal(toHex(bytes), "ffff2345");
  put32(bytes, 0, 0xdeadbeef);
  equal(toHex(bytes), "deadbeef");
});

Deno.test("bytes: reading past the end yields zero bits and does not throw", () => {
  const bytes = hex("ab");
  equal(get16(bytes, 0), 0xab00);
  equal(get16(bytes, 1), 0);
  equal(get32(bytes, 0), 0xab000000 | 0);
  put32(bytes, 0, -1);
  equal(toHex(bytes), "ff");
});

Deno.test("bytes: what is written is read back, and nothing beside it changes", () => {
  check(fc.property(fc.integer(), fc.nat(0xffff), fc.nat(3), (word, half, at) => {
    const bytes = new Uint8Array(16).fill(0xee);
    put32(bytes, at + 1, word);
    put16(bytes, at + 6, half);
    equal(get32(bytes, at + 1), word);
    equal(get16(bytes, at + 6), half);
    equal(bytes[at], 0xee);
    equal(bytes[at + 5], 0xee);
    equal(bytes[at + 8], 0xee);
  }));
});
