/**
 * What people write behind options: faults, NICs, times, counts, addresses.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { messageOf, UsageError } from "../../../apps/cli/errors.ts";
import * as cli from "../../../apps/cli/parse.ts";
import { NicError } from "../../../nic/error.ts";
import { Dice } from "../../../nic/link/dice.ts";
import { checkFaults } from "../../../nic/link/faults.ts";
import { FAULT_PARTS, parseFaults } from "../../../nic/link/parse.ts";
import { formatNicSpec, NIC_SPECS, parseNicSpec } from "../../../nic/spec.ts";
import { fc } from "../../support/property.ts";
import { TEXT } from "../codec.ts";
import { target } from "../target.ts";

/** What `read` answers; undefined: it refuses with one of these errors, and says so in words. */
function tried<T>(
  read: (text: string) => T,
  text: string,
  ...errors: (new (...args: never) => Error)[]
): T | undefined {
  try {
    return read(text);
  } catch (error) {
    ok(error instanceof Error && errors.some((kind) => error instanceof kind), `${error}`);
    ok(messageOf(error).length > 10);
    return undefined;
  }
}

function runFaults(text: string): void {
  const faults = tried(parseFaults, text, SyntaxError);
  if (faults === undefined) return;
  for (const direction of [faults.ingress, faults.egress]) {
    equal(checkFaults(direction), direction);
    // What was read can be used.
    const dice = new Dice(direction.seed ?? 0, 1);
    dice.use(direction);
    for (let turn = 0; turn < 4; turn++) {
      dice.roll();
      const { isLost, isDuplicated, frame: { isReordered, isCorrupted, jitter } } = dice;
      for (const fate of [isLost, isDuplicated, isReordered, isCorrupted]) equal(typeof fate, "boolean");
      ok(Math.abs(jitter) <= (direction.jitter ?? 0));
    }
  }
  deepEqual(
    parseFaults(text.split(",").map((part) => ` ${part} `).join(",")),
    faults,
    "white space has no meaning",
  );
}

const names = FAULT_PARTS.map(({ form }) => form.split("=")[0]!);
const digits = fc.oneof(
  fc.nat(1_000).map(String),
  fc.double({ min: 0, max: 200, noNaN: true }).map(String),
  fc.constantFrom(
    "0",
    "1",
    "01",
    "-1",
    "1e9",
    ".5",
    "5.",
    "9999999999",
    "99999999999",
    "3600",
    "3601",
    "NaN",
    "٣",
  ),
);
const unit = fc.constantFrom(
  "",
  "%",
  "ms",
  "us",
  "s",
  "m",
  "h",
  "bit",
  "kbit",
  "mbit",
  "gbit",
  "toString",
  " ms",
);
const value = fc.tuple(digits, unit).map((parts) => parts.join(""));
const part = fc.tuple(
  fc.constantFrom("", "", "in.", "out.", "up."),
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...names) },
    fc.constantFrom("toString", "__proto__", "x"),
  ),
  fc.oneof(
    { weight: 1, arbitrary: fc.constant("") },
    {
      weight: 8,
      arbitrary: fc.array(value, { minLength: 1, maxLength: 5 }).map((values) => `=${values.join("/")}`),
    },
  ),
).map((parts) => parts.join(""));

/** Faults of a link. */
export const faults = target({
  name: "faults",
  runs: 6_000,
  codec: TEXT,
  input: fc.oneof(
    { weight: 4, arbitrary: part },
    { weight: 4, arbitrary: fc.array(part, { maxLength: 4 }).map((parts) => parts.join(",")) },
    { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
  ),
  run: runFaults,
});

function runSpecs(text: string): void {
  const spec = tried(parseNicSpec, text, SyntaxError, NicError);
  if (spec !== undefined) {
    const written = formatNicSpec(spec);
    deepEqual(written.split(",").toSorted(), text.split(",").toSorted(), "options have no order");
    deepEqual(parseNicSpec(written), spec);
  }
  const time = tried(cli.duration("--time"), text, UsageError);
  if (time !== undefined) {
    ok(Number.isSafeInteger(time) && time >= 0 && time <= 0x7fffffff * 1_000, `${time}`);
  }
  const count = tried(cli.count("--count", 1, 500), text, UsageError);
  if (count !== undefined) ok(Number.isInteger(count) && count >= 1 && count <= 500, `${count}`);
  const host = tried((text) => cli.hostAddress("HOST", text), text, UsageError);
  if (host !== undefined) ok(host.isV4 && host.isUnicast && !host.isLoopback, `${host}`);
  const own = tried((text) => cli.ownAddress(text, undefined), text, UsageError);
  if (own !== undefined) equal(own.length, 1);
  const station = tried(cli.mac, text, UsageError);
  if (station !== undefined) ok(station.isUnicast, `${station}`);
  tried((text) => cli.gateway(text, undefined), text, UsageError);
  tried(cli.nic, text, UsageError, NicError);
}

const spec = fc.tuple(
  fc.constantFrom("tap:", "link:", "tap", "", "eth:", "TAP:"),
  fc.oneof(
    fc.constantFrom("tap0", "", ".", "..", "a".repeat(15), "a".repeat(16), "ä".repeat(8)),
    fc.string({ unit: "binary" }),
  ),
  fc.array(
    fc.tuple(
      fc.constantFrom(
        ...NIC_SPECS.flatMap(({ options }) => options.map(({ form }) => form.split("=")[0]!)),
        "x",
      ),
      fc.constantFrom("=", "=", "=", ""),
      fc.oneof(fc.constantFrom("on", "off", "skb", "drv", "toString"), value),
    ).map((parts) => `,${parts.join("")}`),
    { maxLength: 3 },
  ).map((options) => options.join("")),
).map((parts) => parts.join(""));

/** Everything else behind options. */
export const specs = target({
  name: "specs",
  runs: 4_000,
  codec: TEXT,
  input: fc.oneof(
    spec,
    value,
    fc.ipV4(),
    fc.tuple(fc.ipV4(), fc.nat(33)).map((parts) => parts.join("/")),
    fc.constantFrom(
      "00:00:00:00:00:00",
      "01:00:00:00:00:00",
      "02:00:00:00:00:01",
      "::1/64",
      "0.0.0.0/0",
      "10.0.0.255/24",
    ),
    fc.string({ unit: "binary" }),
  ),
  run: runSpecs,
});
