/**
 * Programs as text: what `tcpdump -dd` and `tcpdump -ddd` print.
 *
 * @module
 */
import { BpfError, type Instruction, MAX_INSTRUCTIONS } from "./instruction.ts";

const NUMBER = /^(?:0x[0-9a-f]{1,8}|[0-9]{1,10})$/i;

/**
 * Reads a program in either form:
 * - C arrays, `{ 0x28, 0, 0, 0x0000000c },`, one an instruction;
 * - decimal numbers, `40 0 0 12`, one line an instruction, after a line with their count.
 *
 * @throws {BpfError} The text is neither; the message tells the line.
 */
export function parse(text: string): Instruction[] {
  return text.includes("{") ? parseBraces(text) : parseDecimal(text);
}

/** The program in the first form, as `tcpdump -dd` prints it. */
export function format(program: readonly Instruction[]): string {
  return program.map(({ code, jt, jf, k }) =>
    `{ 0x${code.toString(16)}, ${jt}, ${jf}, 0x${(k >>> 0).toString(16).padStart(8, "0")} },`
  ).join("\n");
}

function parseBraces(text: string): Instruction[] {
  const program: Instruction[] = [];
  const item = /\s*\{([^{}]*)\}\s*,?\s*/y;
  while (item.lastIndex < text.length) {
    const at = item.lastIndex;
    const match = item.exec(text);
    if (match === null) throw new BpfError(`line ${lineAt(text, at)}: expected { code, jt, jf, k }`);
    add(program, match[1]!.split(","), lineAt(text, at));
  }
  return program;
}

function parseDecimal(text: string): Instruction[] {
  const lines = text.split("\n").map((line) => line.trim());
  const program: Instruction[] = [];
  let count: number | undefined;
  for (const [index, line] of lines.entries()) {
    if (line === "") continue;
    if (count === undefined) count = number(line, index + 1);
    else add(program, line.split(/\s+/), index + 1);
  }
  if (count === undefined) throw new BpfError("an empty program");
  if (count === program.length) return program;
  throw new BpfError(`the first line announces ${count} instructions, but ${program.length} follow`);
}

function add(program: Instruction[], numbers: readonly string[], line: number): void {
  if (program.length === MAX_INSTRUCTIONS) {
    throw new BpfError(`line ${line}: more than ${MAX_INSTRUCTIONS} instructions`);
  }
  if (numbers.length !== 4) {
    throw new BpfError(`line ${line}: an instruction is four numbers: code, jt, jf, k`);
  }
  const [code, jt, jf, k] = numbers.map((text) => number(text.trim(), line));
  program.push({ code: code!, jt: jt!, jf: jf!, k: k! });
}

function number(text: string, line: number): number {
  if (NUMBER.test(text)) return Number(text);
  throw new BpfError(`line ${line}: "${text.slice(0, 40)}" is no number of 32 bits`);
}

function lineAt(text: string, at: number): number {
  // The white space before an item belongs to it, so its line is that of its first mark.
  const mark = at + text.slice(at).search(/\S|$/);
  return text.slice(0, mark).split("\n").length;
}
