import { equal } from "node:assert/strict";
import { WireError } from "../../../stack/wire/error.ts";
import * as ipv4 from "../../../stack/wire/ipv4.ts";
import { checkOptions, findOption, hasSourceRoute, Option } from "../../../stack/wire/ipv4-options.ts";
import { check, fc } from "../../support/property.ts";
import { hex } from "./frames.ts";

/** A header with these options, filled up with zeros to a multiple of 4. */
function withOptions(text: string): Uint8Array {
  const options = hex(text);
  const bytes = new Uint8Array(20 + Math.ceil(options.length / 4) * 4);
  ipv4.emit(bytes, 0, 0, bytes.length, 0, 0, 64, 17, 0x0a000002, 0x0a000001);
  bytes[0] = 0x40 | (bytes.length / 4);
  bytes.set(options, 20);
  return bytes;
}

Deno.test("ipv4 options: none at all are well-formed", () => {
  equal(checkOptions(withOptions(""), 0), WireError.None);
  equal(hasSourceRoute(withOptions(""), 0), false);
});

Deno.test("ipv4 options: padding, a router alert and the end (RFC 791 3.1, RFC 2113)", () => {
  const bytes = withOptions("01 94040000 00");
  equal(checkOptions(bytes, 0), WireError.None);
  equal(findOption(bytes, 0, Option.RouterAlert), 21);
  equal(findOption(bytes, 0, Option.RecordRoute), -1);
});

Deno.test("ipv4 options: loose and strict source routes are found, wherever they stand (RFC 7126 4.3, 4.4)", () => {
  equal(hasSourceRoute(withOptions("83 07 04 0a000003"), 0), true);
  equal(hasSourceRoute(withOptions("89 07 04 0a000003"), 0), true);
  equal(hasSourceRoute(withOptions("94040000 01 83 07 04 0a000003"), 0), true);
});

Deno.test("ipv4 options: what only looks like a source route is none", () => {
  equal(hasSourceRoute(withOptions("07 07 04 83070400"), 0), false, "inside another option");
  equal(hasSourceRoute(withOptions("00 83 07 04 0a000003"), 0), false, "behind the list's end");
  const bytes = withOptions("94040000");
  bytes.set([0x83], 23);
  equal(hasSourceRoute(bytes.slice(0, 24), 0), false, "as an option's last byte");
});

Deno.test("ipv4 options: a length that is missing, too small or too large is malformed (RFC 1122 3.2.1.8)", () => {
  for (const text of ["010101 83", "83 00 0000", "83 01 0000", "83 05 0000", "94040000 83ff0000"]) {
    equal(checkOptions(withOptions(text), 0), WireError.Malformed, text);
  }
});

Deno.test("ipv4 options: any bytes are walked to an end, and source routes found as by looking at each type", () => {
  const options = fc.array(fc.constantFrom(0, 1, 2, 3, 4, 7, 131, 137, 148), {
    minLength: 40,
    maxLength: 40,
  });
  check(
    fc.property(options, (options) => {
      const bytes = withOptions(Uint8Array.from(options).toHex());
      const loose = findOption(bytes, 0, Option.LooseSourceRoute);
      const strict = findOption(bytes, 0, Option.StrictSourceRoute);
      equal(hasSourceRoute(bytes, 0), loose >= 20 || strict >= 20);
      if (loose >= 0) equal(bytes[loose], Option.LooseSourceRoute);
    }),
    { runs: 500 },
  );
});
