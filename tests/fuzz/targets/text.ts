/**
 * Addresses, subnets and stations as people write them. IPv6 is held against what URLs take (WHATWG URL 3.5).
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { Address } from "../../../stack/wire/address.ts";
import { Cidr } from "../../../stack/wire/cidr.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { fc } from "../../support/property.ts";
import { TEXT } from "../codec.ts";
import { target } from "../target.ts";

/** What `parse` answers, or undefined if it refuses with one of these errors, in words. */
function tried<T>(parse: (text: string) => T, text: string, errors: readonly string[]): T | undefined {
  try {
    return parse(text);
  } catch (error) {
    ok(error instanceof Error && errors.includes(error.name), `${error}`);
    ok(error.message.length > 10 && (error.message.isWellFormed() || !text.isWellFormed()), error.message);
    return undefined;
  }
}

/** The address in a URL's way of writing; undefined: it is none there. */
function inUrl(text: string): string | undefined {
  const host = URL.parse(`http://[${text}]/`)?.hostname;
  return host?.slice(1, -1);
}

function run(text: string): void {
  const address = tried(Address.parse, text, ["SyntaxError"]);
  equal(Address.tryParse(text) !== undefined, address !== undefined, "tryParse and parse agree");
  if (address !== undefined) {
    ok(Address.parse(address.toString()).equals(address), "an address is what its text says");
  }
  if (/^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text)) checkUrl(text, address);
  if (/^[0-9.]+$/.test(text)) {
    const canonical = /^(?:(?:0|[1-9]\d{0,2})(?:\.(?!$)|$)){4}$/.test(text) &&
      text.split(".").every((part) => +part < 256);
    equal(address !== undefined, canonical, `${text} as IPv4`);
    if (address !== undefined) equal(address.toString(), text);
  }
  const cidr = tried(Cidr.parse, text, ["SyntaxError", "RangeError"]);
  if (cidr !== undefined) {
    const again = Cidr.parse(cidr.toString());
    ok(again.address.equals(cidr.address) && again.prefix === cidr.prefix, "a subnet is what its text says");
    ok(cidr.contains(cidr.address) && cidr.contains(cidr.network), "a subnet has its addresses");
  }
  const mac = tried(Mac.parse, text, ["SyntaxError"]);
  if (mac !== undefined) {
    equal(mac.toString(), text.toLowerCase().replaceAll("-", ":"));
    ok(Mac.parse(mac.toString()).equals(mac), "a station is what its text says");
  }
}

function checkUrl(text: string, address: Address | undefined): void {
  const expected = inUrl(text);
  equal(address !== undefined, expected !== undefined, `${text}: a URL has ${expected}`);
  // RFC 5952 5: an IPv4 address is written in its own way, which URLs do not do.
  if (address !== undefined && !address.isV4) equal(address.toString(), expected);
}

const group = fc.oneof(
  fc.nat(0xffff).map((value) => value.toString(16)),
  fc.constantFrom("0", "", "00", "12345", "g", "1.2.3.4"),
);
const v6 = fc.tuple(fc.array(group, { minLength: 1, maxLength: 9 }), fc.nat(9), fc.boolean()).map(
  ([groups, at, gap]) => {
    const parts = gap ? [...groups.slice(0, at), "", ...groups.slice(at)] : groups;
    return gap && (at === 0 || at >= groups.length)
      ? parts.join(":").replace(/^:|:$/, "::")
      : parts.join(":");
  },
);
const part = fc.oneof(
  fc.nat(300).map(String),
  fc.constantFrom("0", "00", "01", "", "1e1", "0x1", "-1", "256"),
);
const v4 = fc.array(part, { minLength: 3, maxLength: 5 }).map((parts) => parts.join("."));
const address = fc.oneof(v6, v4, fc.ipV6(), fc.ipV4());
const prefix = fc.oneof(
  fc.nat(140).map(String),
  fc.constantFrom("", "-1", "01", "1.5", "32 ", "99999999999999999999"),
);
const pair = fc.oneof(
  fc.nat(255).map((byte) => byte.toString(16).padStart(2, "0")),
  fc.constantFrom("0", "GG", "ff", "FF"),
);
const mac = fc.tuple(fc.array(pair, { minLength: 5, maxLength: 7 }), fc.constantFrom(":", "-", ".", "")).map(
  ([pairs, mark]) => pairs.join(mark),
);
const odd = fc.string({
  unit: fc.constantFrom(..."0123456789abcdefABCDEF:./%- xg\n\0\u0660\ud800"),
  maxLength: 24,
});

/** Texts of addresses. */
export const text = target({
  name: "text",
  runs: 10_000,
  codec: TEXT,
  input: fc.oneof(
    address,
    fc.tuple(address, prefix).map((parts) => parts.join("/")),
    mac,
    odd,
    fc.string({ unit: "binary" }),
  ),
  run,
});
