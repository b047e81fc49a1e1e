/**
 * Classic BPF programs that have been checked.
 *
 * @module
 */
import { check } from "./check.ts";
import { type Instruction, MEMORY_WORDS, Op } from "./instruction.ts";
import { interpret, STRIDE } from "./interpret.ts";
import { format, parse } from "./parse.ts";

/**
 * A program that is safe to run, over bytes of any length: it always ends and never throws.
 *
 * ```ts
 * const program = new BpfProgram("{ 0x28, 0, 0, 12 }, { 0x15, 0, 1, 0x0806 }, { 6, 0, 0, 65535 }, { 6, 0, 0, 0 }");
 * program.run(bytes, frame.start, frame.end) !== 0; // whether the frame is ARP
 * ```
 */
export class BpfProgram {
  readonly #instructions: readonly Instruction[];
  readonly #words: Int32Array;
  readonly #memory = new Int32Array(MEMORY_WORDS);

  /**
   * A program as `tcpdump -dd` or `-ddd` prints it, or as instructions.
   *
   * @throws {BpfError} The text cannot be read, or the program breaks one of Linux's safety rules.
   */
  constructor(source: string | readonly Instruction[]) {
    this.#instructions = typeof source === "string" ? parse(source) : source.map((one) => ({ ...one }));
    const error = check(this.#instructions);
    if (error !== undefined) throw error;
    this.#words = Int32Array.from(
      this.#instructions.flatMap(({ code, jt, jf, k }, index) => {
        const next = index + 1;
        return [code, k | 0, (next + (code === Op.Jump ? k : jt)) * STRIDE, (next + jf) * STRIDE];
      }),
    );
  }

  /** How many instructions there are. */
  get length(): number {
    return this.#instructions.length;
  }

  /** The program as `tcpdump -dd` prints it. */
  toString(): string {
    return format(this.#instructions);
  }

  /**
   * What the program says about `bytes[start..end)`: 0, drop it; otherwise how many bytes to keep of it, as a signed
   * word. A load beyond the end, like a division by X = 0, ends the program with 0; shifts by X count its lower 5 bits
   * only, as on Linux.
   */
  run(bytes: Uint8Array, start: number, end: number): number {
    return interpret(this.#words, this.#memory, bytes, start, end);
  }
}
