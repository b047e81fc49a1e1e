/**
 * The pretty printer, over any bytes anywhere in a buffer.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { describe, describeIp, explain, explainIp } from "../../../stack/wire/pretty/frame.ts";
import { HEX } from "../codec.ts";
import { frame } from "../frames/mutate.ts";
import { target } from "../target.ts";

/** What lies around the bytes, twice: whoever reads it prints two things. */
const AROUND = [0x00, 0xff] as const;

/** More lines and more text than any frame has a right to, a header of 60 bytes with options for every line. */
const LINES_MAX = 200, LINE_MAX = 2_000;

function run(bytes: Uint8Array): void {
  const [one, two] = AROUND.map((value) => {
    const buffer = new Uint8Array(bytes.length + 64).fill(value);
    buffer.set(bytes, 32);
    return print(buffer, 32, 32 + bytes.length);
  });
  equal(one, two, "what lies around a frame is printed");
  // An end beyond the buffer is the buffer's.
  equal(print(bytes, 0, bytes.length + 9), one, "where a frame lies in its buffer is printed");
}

function print(buffer: Uint8Array, at: number, end: number): string {
  const lines = [
    describe(buffer, at, end),
    describe(buffer, at, end, true),
    describeIp(buffer, at, end),
  ];
  // Without its link header it is a packet as well, and so may be anything in it.
  const ip = Math.min(end, buffer.length, at + 14);
  const trees = [explain(buffer, at, end), explainIp(buffer, ip, end)];
  for (const line of [...lines, ...trees.flat()]) {
    ok(line.trim() !== "", "an empty line");
    ok(line.length <= LINE_MAX, `a line of ${line.length} characters`);
    ok(!/undefined|NaN|null|[^ -~]/.test(line), line);
  }
  for (const tree of trees) ok(tree.length <= LINES_MAX, `${tree.length} lines`);
  return [...lines, ...trees.flat()].join("\n");
}

/** Frames to print. */
export const pretty = target({ name: "pretty", runs: 4_000, codec: HEX, input: frame, run });
