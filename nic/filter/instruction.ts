/**
 * Classic BPF instructions (McCanne and Jacobson, "The BSD Packet Filter", 1993), as `tcpdump -dd` prints them.
 *
 * The machine has an accumulator A and an index register X, both unsigned 32 bits, and 16 words of scratch memory. An
 * operation's number is a sum of a class and what that class needs.
 *
 * @module
 */

/** One instruction: `struct sock_filter` of Linux, `struct bpf_insn` of BSD. */
export interface Instruction {
  /** The operation, 16 bits. */
  readonly code: number;
  /** Instructions to skip when a comparison holds, 8 bits. */
  readonly jt: number;
  /** Instructions to skip when it does not, 8 bits. */
  readonly jf: number;
  /** The operand K: a constant, an offset, a distance; 32 bits, signed or not. */
  readonly k: number;
}

/** The words of scratch memory. */
export const MEMORY_WORDS = 16;

/** The longest program that Linux takes. */
export const MAX_INSTRUCTIONS = 4_096;

/** Every operation that Linux takes, by its name in the paper: K is the operand, X the index register. */
export const Op = {
  LdAbsWord: 0x20,
  LdAbsHalf: 0x28,
  LdAbsByte: 0x30,
  LdIndWord: 0x40,
  LdIndHalf: 0x48,
  LdIndByte: 0x50,
  LdLength: 0x80,
  LdConstant: 0x00,
  LdMemory: 0x60,
  LdxConstant: 0x01,
  LdxMemory: 0x61,
  LdxLength: 0x81,
  LdxHeaderLength: 0xb1,
  Store: 0x02,
  StoreX: 0x03,
  AddK: 0x04,
  AddX: 0x0c,
  SubK: 0x14,
  SubX: 0x1c,
  MulK: 0x24,
  MulX: 0x2c,
  DivK: 0x34,
  DivX: 0x3c,
  OrK: 0x44,
  OrX: 0x4c,
  AndK: 0x54,
  AndX: 0x5c,
  LshK: 0x64,
  LshX: 0x6c,
  RshK: 0x74,
  RshX: 0x7c,
  Neg: 0x84,
  ModK: 0x94,
  ModX: 0x9c,
  XorK: 0xa4,
  XorX: 0xac,
  Jump: 0x05,
  EqualK: 0x15,
  EqualX: 0x1d,
  GreaterK: 0x25,
  GreaterX: 0x2d,
  GreaterEqualK: 0x35,
  GreaterEqualX: 0x3d,
  SetK: 0x45,
  SetX: 0x4d,
  ReturnK: 0x06,
  ReturnA: 0x16,
  Tax: 0x07,
  Txa: 0x87,
} as const;
/** One of {@linkcode Op}'s numbers. */
export type Op = (typeof Op)[keyof typeof Op];

/** Whether the operation is a comparison, which has two ways to go on. */
export function isBranch(code: number): boolean {
  return (code & 7) === 5 && code !== Op.Jump;
}

/** A program that is refused. */
export class BpfError extends Error {
  /** "BpfError". */
  override readonly name: string = "BpfError";
  /** The number of the instruction at fault, from 0; undefined: it is the program as a whole. */
  readonly instruction: number | undefined;

  /** The message becomes `instruction N: problem`. */
  constructor(problem: string, instruction?: number) {
    super(instruction === undefined ? problem : `instruction ${instruction}: ${problem}`);
    this.instruction = instruction;
  }
}
