/**
 * What is done to the bytes of an arena in WebAssembly: the sum of RFC 1071, 16 bytes at a time, and copying. The engine
 * puts both in line with what calls them, so that they are worth it from the shortest header on.
 *
 * @module
 */

/** Functions over one memory, all of it by offsets that must lie in it. */
export interface ArenaProgram {
  /**
   * Adds the 16-bit words from `at` to `end`, an odd last byte padded with a zero, to `initial`: a sum in 16 bits. No more
   * than 256 KiB.
   */
  readonly sum: (at: number, end: number, initial: number) => number;
  /** Copies `length` bytes; the two places may overlap. */
  readonly copy: (to: number, from: number, length: number) => void;
}

/** The program for `memory`; undefined: there is none here. */
export function programFor(memory: WebAssembly.Memory): ArenaProgram | undefined {
  if (compiled === undefined) compiled = compile(assemble());
  if (compiled === null) return undefined;
  const { exports } = new WebAssembly.Instance(compiled, { host: { memory } });
  return { sum: exports.sum as ArenaProgram["sum"], copy: exports.copy as ArenaProgram["copy"] };
}

/** Undefined: not made yet. */
let compiled: WebAssembly.Module | null | undefined;

/** A function of three parameters: their names and those of its locals, these by type, and its text. */
interface Source {
  readonly results: readonly number[];
  readonly names: readonly string[];
  readonly locals: readonly number[];
  readonly text: string;
}

const I32 = 0x7f, I64 = 0x7e, V128 = 0x7b, VOID = 0x40;

/**
 * In WebAssembly's text format, flat: operands stand before their operators. Words are added as they lie in memory,
 * which RFC 1071 2(B) allows on machines of either order; this one has the lesser byte first.
 */
const SUM: Source = {
  results: [I32],
  names: ["at", "stop", "initial", "even", "odd", "sum"],
  locals: [2, V128, 1, I64],
  text: `
  loop
    at i32.const 32 i32.add stop i32.le_u
    if
      even at v128.load 0 i32x4.extadd_pairwise_i16x8_u i32x4.add set even
      odd at v128.load 16 i32x4.extadd_pairwise_i16x8_u i32x4.add set odd
      at i32.const 32 i32.add set at
      br 1
    end
  end
  at i32.const 16 i32.add stop i32.le_u
  if
    even at v128.load 0 i32x4.extadd_pairwise_i16x8_u i32x4.add set even
    at i32.const 16 i32.add set at
  end

  even odd i32x4.add set even
  even i64x2.extend_low_i32x4_u even i64x2.extend_high_i32x4_u i64x2.add set even
  even i64x2.extract_lane 0 even i64x2.extract_lane 1 i64.add set sum

  loop
    at i32.const 4 i32.add stop i32.le_u
    if
      sum at i64.load32_u 0 i64.add set sum
      at i32.const 4 i32.add set at
      br 1
    end
  end
  at i32.const 2 i32.add stop i32.le_u
  if
    sum at i64.load16_u 0 i64.add set sum
    at i32.const 2 i32.add set at
  end
  at stop i32.lt_u
  if
    sum at i64.load8_u 0 i64.add set sum
  end

  sum i32.wrap_i64 i64.extend_i32_u sum i64.const 32 i64.shr_u i64.add set sum
  sum i32.wrap_i64 i64.extend_i32_u sum i64.const 32 i64.shr_u i64.add set sum
  sum i32.wrap_i64 i32.const 8 i32.rotl i64.extend_i32_u
  initial i64.extend_i32_u i64.add set sum
  sum i64.const 65535 i64.and sum i64.const 16 i64.shr_u i64.add set sum
  sum i64.const 65535 i64.and sum i64.const 16 i64.shr_u i64.add set sum
  sum i64.const 65535 i64.and sum i64.const 16 i64.shr_u i64.add i32.wrap_i64
end`,
};

const COPY: Source = {
  results: [],
  names: ["to", "from", "length"],
  locals: [],
  text: "to from length memory.copy end",
};

/** Alignment 1: a segment lies where it lies. */
const UNALIGNED = 0;

/** The codes of the instructions; what follows one in the text is its immediate. */
const CODES: Readonly<Record<string, readonly number[]>> = {
  "loop": [0x03, VOID],
  "if": [0x04, VOID],
  "end": [0x0b],
  "br": [0x0c],
  "set": [0x21],
  "i64.load8_u": [0x31, UNALIGNED],
  "i64.load16_u": [0x33, UNALIGNED],
  "i64.load32_u": [0x35, UNALIGNED],
  "i32.const": [0x41],
  "i64.const": [0x42],
  "i32.lt_u": [0x49],
  "i32.le_u": [0x4d],
  "i32.add": [0x6a],
  "i32.rotl": [0x77],
  "i64.add": [0x7c],
  "i64.and": [0x83],
  "i64.shr_u": [0x88],
  "i32.wrap_i64": [0xa7],
  "i64.extend_i32_u": [0xad],
  "v128.load": [0xfd, 0x00, UNALIGNED],
  "i64x2.extract_lane": [0xfd, 0x1d],
  "i32x4.extadd_pairwise_i16x8_u": [0xfd, 0x7f],
  "i32x4.add": [0xfd, 0xae, 0x01],
  "i64x2.extend_low_i32x4_u": [0xfd, 0xc9, 0x01],
  "i64x2.extend_high_i32x4_u": [0xfd, 0xca, 0x01],
  "i64x2.add": [0xfd, 0xce, 0x01],
  "memory.copy": [0xfc, 0x0a, 0, 0],
};

/** Null: the engine has no vectors, or lets nobody compile. */
function compile(code: Uint8Array<ArrayBuffer>): WebAssembly.Module | null {
  try {
    return new WebAssembly.Module(code);
  } catch {
    return null;
  }
}

/** A module that imports a memory and exports the functions. */
function assemble(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...[0x00, ...ascii("asm"), 1, 0, 0, 0],
    ...section(1, typeOf(SUM), typeOf(COPY)),
    ...section(2, [...name("host"), ...name("memory"), 0x02, 0, 0]),
    ...section(3, [0], [1]),
    ...section(7, [...name("sum"), 0x00, 0], [...name("copy"), 0x00, 1]),
    ...section(10, bodyOf(SUM), bodyOf(COPY)),
  ]);
}

function typeOf({ results }: Source): number[] {
  return [0x60, 3, I32, I32, I32, results.length, ...results];
}

function bodyOf(source: Source): number[] {
  const body = [source.locals.length / 2, ...source.locals, ...instructions(source)];
  return [...unsigned(body.length), ...body];
}

function instructions({ names, text }: Source): number[] {
  const code: number[] = [];
  let before = "";
  for (const word of text.trim().split(/\s+/)) {
    const local = names.indexOf(word);
    if (local < 0) code.push(...CODES[word] ?? (before.endsWith("const") ? signed(+word) : unsigned(+word)));
    else if (before === "set") code.push(local);
    else code.push(0x20, local);
    before = word;
  }
  return code;
}

function section(id: number, ...entries: readonly number[][]): number[] {
  const content = [entries.length, ...entries.flat()];
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): number[] {
  return [text.length, ...ascii(text)];
}

function ascii(text: string): number[] {
  return [...text].map((letter) => letter.charCodeAt(0));
}

/** LEB128 */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** LEB128 of a positive number whose sign must show. */
function signed(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)];
}
