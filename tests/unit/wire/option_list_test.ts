import { equal, ok } from "node:assert/strict";
import { WireError } from "../../../stack/wire/error.ts";
import { checkList, findInList, optionLength } from "../../../stack/wire/option-list.ts";
import { check, fc } from "../../support/property.ts";
import { hex } from "./frames.ts";

Deno.test("option list: end and padding are one byte, others say their length (RFC 9293 3.1)", () => {
  const bytes = hex("00 01 0204 05b4");
  equal(optionLength(bytes, 0, 6), 1);
  equal(optionLength(bytes, 1, 6), 1);
  equal(optionLength(bytes, 2, 6), 4);
});

Deno.test("option list: a length byte behind the end is not read", () => {
  const bytes = hex("02 04 05b4");
  equal(optionLength(bytes, 0, 1), 0);
  equal(optionLength(bytes, 0, 2), 0);
  equal(optionLength(bytes, 0, 3), 0);
  equal(optionLength(bytes, 0, 4), 4);
  equal(checkList(bytes, 0, 3), WireError.Malformed);
});

Deno.test("option list: lengths 0 and 1 would never get past the option, so they are malformed", () => {
  equal(checkList(hex("02 00"), 0, 2), WireError.Malformed);
  equal(checkList(hex("02 01"), 0, 2), WireError.Malformed);
  equal(checkList(hex("02 02"), 0, 2), WireError.None);
});

Deno.test("option list: nothing behind the end of the list counts", () => {
  const bytes = hex("00 0200");
  equal(checkList(bytes, 0, 3), WireError.None);
  equal(findInList(bytes, 0, 3, 2), -1);
});

Deno.test("option list: what is before a malformed option is found, what is behind is not", () => {
  const bytes = hex("0302 0500 0402");
  equal(findInList(bytes, 0, 6, 3), 0);
  equal(findInList(bytes, 0, 6, 4), -1);
});

Deno.test("option list: an option that is found lies whole inside the list", () => {
  check(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 2, max: 255 }), (bytes, type) => {
      const option = findInList(bytes, 0, bytes.length, type);
      if (option < 0) return;
      equal(bytes[option], type);
      ok(option + optionLength(bytes, option, bytes.length) <= bytes.length);
    }),
    { runs: 500 },
  );
});

Deno.test("option list: agrees with cutting the list into options", () => {
  /** The types of the options up to the first malformed one, and whether there is one. */
  function cut(bytes: readonly number[]): { types: number[]; malformed: boolean } {
    const types: number[] = [];
    for (let rest = bytes; rest.length > 0 && rest[0] !== 0;) {
      const length = rest[0] === 1 ? 1 : rest[1] ?? 0;
      if (length < (rest[0] === 1 ? 1 : 2) || length > rest.length) return { types, malformed: true };
      types.push(rest[0]!);
      rest = rest.slice(length);
    }
    return { types, malformed: false };
  }
  const list = fc.array(fc.nat(6), { maxLength: 40 });
  check(
    fc.property(list, fc.integer({ min: 2, max: 6 }), (list, type) => {
      const bytes = Uint8Array.from(list);
      const { types, malformed } = cut(list);
      equal(checkList(bytes, 0, bytes.length), malformed ? WireError.Malformed : WireError.None);
      equal(findInList(bytes, 0, bytes.length, type) >= 0, types.includes(type));
    }),
    { runs: 1000 },
  );
});
