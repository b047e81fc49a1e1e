import { deepEqual, equal } from "node:assert/strict";
import { canonicalName, nameBytes, readName, readNames, skipName } from "../../../stack/wire/dns-name.ts";
import { check, fc } from "../../support/property.ts";

const bytes = (text: string) => Uint8Array.from(text, (sign) => sign.charCodeAt(0));
const read = (wire: Uint8Array, at = 0) => readName(wire, 0, at, wire.length);

Deno.test("dns names: the wire has a byte of length before each label and an empty one behind (RFC 1035 3.1)", () => {
  deepEqual(nameBytes("ab.c"), bytes("\x02ab\x01c\0"));
  deepEqual(nameBytes("ab.c."), bytes("\x02ab\x01c\0"));
  deepEqual(nameBytes(""), bytes("\0"));
  deepEqual(nameBytes("."), bytes("\0"));
  deepEqual(nameBytes("a\\.b"), bytes("\x03a.b\0"));
  deepEqual(nameBytes("\\000\\255"), bytes("\x02\0\xff\0"));
  deepEqual(nameBytes("\u00e9"), bytes("\x02\xc3\xa9\0"), "UTF-8 (RFC 6762 16)");
});

Deno.test("dns names: empty and long labels, long names and wrong escapes are none", () => {
  for (const text of ["a..b", ".a", "..", "a\\", "\\256", "\\1", "\\12x", "x".repeat(64)]) {
    equal(nameBytes(text), undefined, text);
  }
  equal(nameBytes(`${"x".repeat(63)}.`.repeat(3) + "y".repeat(61))?.length, 255);
  equal(nameBytes(`${"x".repeat(63)}.`.repeat(3) + "y".repeat(62)), undefined);
  equal(nameBytes("a.".repeat(10_000)), undefined);
});

Deno.test("dns names: text and wire are one-to-one, whatever the bytes", () => {
  const label = fc.uint8Array({ minLength: 1, maxLength: 63 });
  check(fc.property(fc.array(label, { maxLength: 3 }), (labels) => {
    const wire = Uint8Array.from([...labels.flatMap((one) => [one.length, ...one]), 0]);
    const found = read(wire);
    equal(found?.next, wire.length);
    const lower = wire.map((byte) => byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);
    // Lengths from 65 to 90 cannot be, so only letters are changed.
    deepEqual(nameBytes(found!.name), lower);
    equal(canonicalName(found!.name), found!.name);
  }));
});

Deno.test("dns names: case makes no difference (RFC 4343)", () => {
  equal(canonicalName("WWW.Example.COM."), "www.example.com");
  equal(canonicalName("a..b"), undefined);
});

Deno.test("dns names: a pointer leads to an earlier name, and reading goes on behind the pointer (RFC 1035 4.1.4)", () => {
  const wire = bytes("\x03com\0\x01a\xc0\x00\x01b\xc0\x05rest");
  deepEqual(read(wire, 0), { name: "com", next: 5 });
  deepEqual(read(wire, 5), { name: "a.com", next: 9 });
  deepEqual(read(wire, 9), { name: "b.a.com", next: 13 });
  equal(skipName(wire, 9, wire.length), 13);
});

Deno.test("dns names: a pointer that leads to itself, forwards or in a circle ends the reading", () => {
  equal(read(bytes("\xc0\x00")), undefined);
  equal(read(bytes("\x01a\xc0\x00")), undefined);
  equal(read(bytes("\xc0\x02\x01a\0")), undefined);
  equal(read(bytes("\x01a\xc0\x04\x01b\xc0\x00"), 4), undefined);
  equal(read(bytes("\x01a\xc0")), undefined);
  equal(skipName(bytes("\xc0"), 0, 1), -1);
});

Deno.test("dns names: a name that runs over the end, has a reserved label or is too long is none", () => {
  for (const text of ["", "\x05abc", "\x01a", "\x40a", "\x80a", "\x3f"]) {
    equal(read(bytes(text)), undefined);
    equal(skipName(bytes(text), 0, text.length), -1);
  }
  // Each label points to the one before: 128 of one byte make 257 bytes.
  const place = (n: number) => n === 0 ? 0 : 4 * n - 3;
  const chain = Array.from({ length: 128 }, (_, n) => [1, 97, 0xc0 | place(n) >> 8, place(n) & 0xff]);
  const wire = Uint8Array.from([0, ...chain.flat()]);
  equal(read(wire, place(127))?.name.length, 2 * 127 - 1);
  equal(read(wire, place(128)), undefined);
});

Deno.test("dns names: a list of names, as in DHCP's domain search (RFC 3397)", () => {
  const wire = bytes("\x01a\x03com\0\x01b\xc0\x02\0\x05x");
  deepEqual(readNames(wire, 0, wire.length, 9), ["a.com", "b.com"]);
  deepEqual(readNames(wire, 0, wire.length, 1), ["a.com"]);
});
