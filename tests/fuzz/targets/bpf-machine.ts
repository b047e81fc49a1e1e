/**
 * A second machine for BPF programs, slow and plain, to hold the fast one against: one step at a time, unsigned, with every
 * access looked at. It trusts no check, so a program that passes ours and is unsafe is caught here.
 *
 * @module
 */
import { ok } from "node:assert/strict";
import { type Instruction, Op } from "../../../nic/filter/instruction.ts";

const WORD = 2n ** 32n;

/** What a program answers about a frame; throws if it does what no checked program may. */
export function slowly(program: readonly Instruction[], frame: Uint8Array): number {
  let a = 0n, x = 0n, pc = 0;
  const memory: (bigint | undefined)[] = [];
  const load = (at: bigint, size: number): bigint | undefined => {
    if (at + BigInt(size) > BigInt(frame.length)) return undefined;
    return frame.subarray(Number(at), Number(at) + size).reduce(
      (value, byte) => value << 8n | BigInt(byte),
      0n,
    );
  };
  for (let steps = 0; steps <= program.length; steps++) {
    const instruction = program[pc];
    ok(instruction !== undefined, `a jump to ${pc}, behind the program`);
    const { code, jt, jf } = instruction;
    const k = BigInt(instruction.k >>> 0);
    pc++;
    const mode = code & 0xe0;
    const operand = (code & 8) === 0 ? k : x;
    switch (code & 7) {
      case 0: {
        if (mode === 0x00) a = k;
        else if (mode === 0x80) a = BigInt(frame.length);
        else if (mode === 0x60) a = stored(memory, k);
        else {
          const size = { 0x00: 4, 0x08: 2, 0x10: 1 }[code & 0x18]!;
          const loaded = load(mode === 0x40 ? (x + k) % WORD : k, size);
          if (loaded === undefined) return 0;
          a = loaded;
        }
        break;
      }
      case 1: {
        if (mode === 0x00) x = k;
        else if (mode === 0x80) x = BigInt(frame.length);
        else if (mode === 0x60) x = stored(memory, k);
        else {
          const loaded = load(k, 1);
          if (loaded === undefined) return 0;
          x = (loaded & 0xfn) * 4n;
        }
        break;
      }
      case 2:
        memory[Number(k)] = a;
        break;
      case 3:
        memory[Number(k)] = x;
        break;
      case 4: {
        const result = compute(code & 0xf0, a, operand, (code & 8) !== 0);
        if (result === undefined) return 0;
        a = BigInt.asUintN(32, result);
        break;
      }
      case 5:
        pc += code === Op.Jump ? Number(k) : compares(code & 0xf0, a, operand) ? jt : jf;
        break;
      case 6:
        return code === Op.ReturnA ? Number(BigInt.asIntN(32, a)) : Number(BigInt.asIntN(32, k));
      case 7:
        if (code === Op.Tax) x = a;
        else a = x;
        break;
    }
  }
  throw new Error("more steps than the program has instructions");
}

function stored(memory: readonly (bigint | undefined)[], k: bigint): bigint {
  const value = memory[Number(k)];
  ok(value !== undefined, `M[${k}] is read before it is written`);
  return value;
}

/** An operation on A; undefined: it ends the program. */
function compute(operation: number, a: bigint, b: bigint, isX: boolean): bigint | undefined {
  switch (operation) {
    case 0x00:
      return a + b;
    case 0x10:
      return a - b;
    case 0x20:
      return a * b;
    case 0x30:
      return divisor(b, isX) ? a / b : undefined;
    case 0x40:
      return a | b;
    case 0x50:
      return a & b;
    case 0x60:
      return a << (b & 31n);
    case 0x70:
      return a >> (b & 31n);
    case 0x80:
      return -a;
    case 0x90:
      return divisor(b, isX) ? a % b : undefined;
    case 0xa0:
      return a ^ b;
    default:
      throw new Error(`no operation 0x${operation.toString(16)}`);
  }
}

function divisor(b: bigint, isX: boolean): boolean {
  ok(isX || b !== 0n, "a checked program divides by the constant 0");
  return b !== 0n;
}

function compares(operation: number, a: bigint, b: bigint): boolean {
  if (operation === 0x10) return a === b;
  if (operation === 0x20) return a > b;
  return operation === 0x30 ? a >= b : (a & b) !== 0n;
}
