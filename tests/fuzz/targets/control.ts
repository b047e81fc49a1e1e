/**
 * Lines of the control socket, and words of its commands.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { ask, CONTROL_COMMANDS } from "../../../apps/control/commands.ts";
import { Fields, RequestError } from "../../../apps/control/request.ts";
import { fc } from "../../support/property.ts";
import { TEXT } from "../codec.ts";
import { target } from "../target.ts";

const FIELDS = ["address", "network", "gateway", "kind", "mac"] as const;

/** Whatever a line is, it has fields of the right kinds, or is refused in one line. */
function runLine(line: string): void {
  let fields: Fields;
  try {
    fields = Fields.parse(line);
    for (const name of FIELDS) {
      const address = name === "address" ? fields.address(name) : undefined;
      if (address !== undefined) equal(typeof address.isV4, "boolean");
      else ok(["string", "undefined"].includes(typeof fields.text(name)));
    }
    const metric = fields.number("metric", 0, 9);
    ok(metric === undefined || (metric >= 0 && metric <= 9));
    fields.end();
  } catch (error) {
    ok(error instanceof RequestError, `${error}`);
    ok(
      error.message.length > 5 && error.message.length < 500 && !error.message.includes("\n"),
      error.message,
    );
  }
}

/** Words become a request that the appliance can read, or are refused in one line. */
function runWords(text: string): void {
  const words = text.split(" ").filter((word) => word !== "");
  try {
    const { command, line } = ask(words);
    ok(!line.includes("\n"));
    equal(Fields.parse(line).command, command.name);
    deepEqual(ask(words), { command, line });
  } catch (error) {
    ok(error instanceof RequestError, `${error}`);
  }
}

const value = fc.oneof(
  fc.constantFrom<unknown>("10.0.0.9/24", "10.0.0.9", "::1", "default", "toString", "02:00:00:00:00:01", ""),
  fc.integer(),
  fc.double(),
  fc.jsonValue({ maxDepth: 2 }),
  fc.string({ unit: "binary" }),
);
const key = fc.oneof(
  fc.constantFrom(...FIELDS, "command", "id", "metric", "expires", "__proto__", "constructor"),
  fc.string(),
);

/** Lines. */
export const controlLines = target({
  name: "control",
  runs: 6_000,
  codec: TEXT,
  input: fc.oneof(
    fc.dictionary(key, value).map((object) => JSON.stringify({ command: "addr add", ...object })),
    fc.jsonValue({ maxDepth: 3 }).map((json) => JSON.stringify(json)),
    fc.string({ unit: "binary" }),
    fc.tuple(fc.nat(5_000), fc.constantFrom("[", '{"a":', "{")).map(([n, part]) => part.repeat(n)),
  ),
  run: runLine,
});

const word = fc.oneof(
  fc.constantFrom(...CONTROL_COMMANDS.flatMap(({ name }) => name.split(" "))),
  fc.constantFrom(
    "via",
    "metric",
    "expires",
    "lladdr",
    "default",
    "blackhole",
    "10.0.0.9/24",
    "list",
    "constructor",
  ),
  fc.string(),
);

/** Words. */
export const controlWords = target({
  name: "control-words",
  runs: 6_000,
  codec: TEXT,
  input: fc.array(word, { maxLength: 8 }).map((words) => words.join(" ")),
  run: runWords,
});
