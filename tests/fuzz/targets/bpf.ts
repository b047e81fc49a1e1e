/**
 * Receive filters: their text, their checker, and what a checked program does with any frame.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { BpfError, type Instruction, Op } from "../../../nic/filter/instruction.ts";
import { format, parse } from "../../../nic/filter/parse.ts";
import { BpfProgram } from "../../../nic/filter/program.ts";
import { fc } from "../../support/property.ts";
import { type Codec, fromHex, linesOf, TEXT } from "../codec.ts";
import { frame } from "../frames/mutate.ts";
import { target } from "../target.ts";
import { slowly } from "./bpf-machine.ts";

/** A program and a frame for it. */
interface Case {
  readonly program: readonly Instruction[];
  readonly frame: Uint8Array;
}

const CASE: Codec<Case> = {
  extension: "txt",
  format: ({ program, frame }) =>
    [`frame ${frame.toHex()}`, ...program.map(({ code, jt, jf, k }) => `${code} ${jt} ${jf} ${k}`)].join(
      "\n",
    ),
  parse: (text) => {
    const [first = "", ...rest] = linesOf(text);
    const program = rest.map((line) => {
      const [code = NaN, jt = NaN, jf = NaN, k = NaN] = line.split(/\s+/).map(Number);
      return { code, jt, jf, k };
    });
    return { frame: fromHex(first.replace(/^frame/, "")), program };
  },
};

/** What is refused is a {@linkcode BpfError}; anything else is a fault. */
function refused<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    ok(error instanceof BpfError, `${error}`);
    return undefined;
  }
}

function run({ program, frame }: Case): void {
  const checked = refused(() => new BpfProgram(program));
  if (checked === undefined) return;
  const expected = slowly(program, frame);
  for (const around of [0x00, 0xff]) {
    const buffer = new Uint8Array(frame.length + 32).fill(around);
    buffer.set(frame, 16);
    equal(checked.run(buffer, 16, 16 + frame.length), expected, "both machines answer the same");
  }
  equal(new BpfProgram(checked.toString()).toString(), checked.toString(), "a program is what its text says");
}

const k = fc.oneof(
  fc.nat(40),
  fc.constantFrom(0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff_fff0, 0xffff_f000, 4_096),
  fc.nat(0xffff_ffff),
);

const honest: fc.Arbitrary<Instruction> = fc.record({
  code: fc.constantFrom(...Object.values(Op)),
  jt: fc.nat(3),
  jf: fc.nat(3),
  k: fc.oneof({ weight: 3, arbitrary: fc.nat(15) }, { weight: 1, arbitrary: k }),
});

const wild: fc.Arbitrary<Instruction> = fc.record({
  code: fc.oneof(fc.constantFrom<number>(...Object.values(Op)), fc.nat(0x1ffff)),
  jt: fc.oneof(fc.nat(300), fc.constant(0.5)),
  jf: fc.oneof(fc.nat(300), fc.constant(NaN)),
  k: fc.oneof(k, fc.integer(), fc.double()),
});

/** Returns at the end, for jumps to go to, and stores at the beginning, for loads to be allowed. */
const STORES: readonly Instruction[] = [0, 1, 2, 3].map((k) => ({ code: Op.Store, jt: 0, jf: 0, k }));
const RETURNS: readonly Instruction[] = [Op.ReturnA, Op.ReturnK, Op.ReturnA, Op.ReturnK].map((code) => ({
  code,
  jt: 0,
  jf: 0,
  k: 1,
}));

const program = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.nat(4), fc.array(honest, { maxLength: 14 }), fc.integer({ min: 1, max: 4 })).map((
      [stores, list, returns],
    ) => [
      ...STORES.slice(0, stores),
      ...list,
      ...RETURNS.slice(0, returns),
    ]),
  },
  { weight: 1, arbitrary: fc.array(fc.oneof(honest, wild), { maxLength: 8 }) },
);

/** Programs over frames. */
export const bpf = target({
  name: "bpf",
  runs: 4_000,
  codec: CASE,
  input: fc.record({ program, frame }),
  run,
});

function runText(text: string): void {
  const program = refused(() => parse(text));
  if (program === undefined) return;
  for (const { code, jt, jf, k } of program) {
    ok([code, jt, jf, k].every(Number.isSafeInteger), "a number is a number");
  }
  // What 32 bits do not hold is for the checker to refuse.
  const fits = program.every((one) => Object.values(one).every((value) => value <= 0xffff_ffff));
  if (program.length > 0 && fits) deepEqual(parse(format(program)), program);
  refused(() => new BpfProgram(text));
}

const number = fc.oneof(
  fc.nat(300).map(String),
  fc.nat(0xffff_ffff).map((value) => `0x${value.toString(16)}`),
  fc.constantFrom("", "-1", "1e3", "0x", "0x123456789", "9999999999", "99999999999", " 7 ", "\t1"),
);
const four = fc.array(number, { minLength: 3, maxLength: 5 });
const braces = fc.array(four.map((numbers) => `{ ${numbers.join(", ")} },`), { maxLength: 4 }).map((items) =>
  items.join("\n")
);
const decimal = fc.tuple(fc.nat(4), fc.array(four.map((numbers) => numbers.join(" ")), { maxLength: 4 })).map(
  ([count, lines]) => [`${count}`, ...lines].join("\n"),
);
const honestText = fc.array(honest, { maxLength: 5 }).map((list) => format([...list, ...RETURNS]));
const odd = fc.string({ unit: fc.constantFrom(..."{}, \n\t0123456789abcdefx-"), maxLength: 60 });

/** Texts of programs. */
export const bpfText = target({
  name: "bpf-text",
  runs: 5_000,
  codec: TEXT,
  input: fc.oneof(braces, decimal, honestText, odd, fc.string({ unit: "binary" })),
  run: runText,
});
