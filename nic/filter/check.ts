/**
 * Whether a program is safe to run: the rules of Linux's bpf_check_classic. What passes ends after at most as many steps
 * as it has instructions, and reads only what it wrote.
 *
 * @module
 */
import { BpfError, type Instruction, isBranch, MAX_INSTRUCTIONS, MEMORY_WORDS, Op } from "./instruction.ts";

const KNOWN: ReadonlySet<number> = new Set(Object.values(Op));

/** Offsets from here on are no bytes of the packet but what Linux knows about it: SKF_AD_OFF. */
const ANCILLARY = -0x1000;

/**
 * What Linux takes for offsets from the link's header and the network's, SKF_LL_OFF and SKF_NET_OFF, each with room for
 * the longest packet. (An indirect load from further up is from the packet, if X is large enough, there as here.)
 */
const HEADERS = -0x20_0000, HEADERS_END = -0x10_0000 + 0xffff;

const ANCILLARY_NAMES: readonly string[] = [
  "PROTOCOL",
  "PKTTYPE",
  "IFINDEX",
  "NLATTR",
  "NLATTR_NEST",
  "MARK",
  "QUEUE",
  "HATYPE",
  "RXHASH",
  "CPU",
  "ALU_XOR_X",
  "VLAN_TAG",
  "VLAN_TAG_PRESENT",
  "PAY_OFFSET",
  "RANDOM",
  "VLAN_TPID",
];

/** Why the program is refused; undefined: it is safe. */
export function check(program: readonly Instruction[]): BpfError | undefined {
  if (program.length < 1 || program.length > MAX_INSTRUCTIONS) {
    return new BpfError(`a program has 1 to ${MAX_INSTRUCTIONS} instructions, not ${program.length}`);
  }
  for (let index = 0; index < program.length; index++) {
    const problem = checkInstruction(program[index]!, index, program.length);
    if (problem !== undefined) return new BpfError(problem, index);
  }
  const last = program.at(-1)!.code;
  if (last !== Op.ReturnK && last !== Op.ReturnA) {
    return new BpfError("the last instruction must be a return", program.length - 1);
  }
  return checkMemory(program);
}

function checkInstruction(instruction: Instruction, index: number, length: number): string | undefined {
  const { code, jt, jf, k } = instruction;
  if (!fits(code, 16)) return `the operation must be a whole number of 16 bits, not ${code}`;
  if (!fits(jt, 8)) return `jt must be a whole number of 8 bits, not ${jt}`;
  if (!fits(jf, 8)) return `jf must be a whole number of 8 bits, not ${jf}`;
  if (!fits(k, 32) && k !== (k | 0)) return `k must be a whole number of 32 bits, not ${k}`;
  if (!KNOWN.has(code)) return `0x${code.toString(16).padStart(2, "0")} is no operation`;
  const after = length - index - 1;
  if (isBranch(code)) {
    const far = Math.max(jt, jf);
    return far < after ? undefined : `jumps over ${far} instructions, but only ${after} follow`;
  }
  switch (code) {
    case Op.Jump:
      return k >>> 0 < after ? undefined : jumpProblem(k, after);
    case Op.DivK:
    case Op.ModK:
      return k === 0 ? "divides by zero" : undefined;
    case Op.LshK:
    case Op.RshK:
      return k >>> 0 < 32 ? undefined : `shifts by ${k >>> 0}; at most 31 is possible`;
    case Op.LdMemory:
    case Op.LdxMemory:
    case Op.Store:
    case Op.StoreX:
      return k >>> 0 < MEMORY_WORDS ? undefined : `M[${k >>> 0}]; there are ${MEMORY_WORDS} words of memory`;
    case Op.LdAbsWord:
    case Op.LdAbsHalf:
    case Op.LdAbsByte:
    case Op.LdxHeaderLength:
      return (k | 0) < 0 ? extensionProblem(k | 0) : undefined;
    case Op.LdIndWord:
    case Op.LdIndHalf:
    case Op.LdIndByte:
      return (k | 0) >= HEADERS && (k | 0) <= HEADERS_END ? extensionProblem(k | 0) : undefined;
    default:
      return undefined;
  }
}

function fits(value: number, bits: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** bits;
}

function jumpProblem(k: number, after: number): string {
  if ((k | 0) < 0) return `jumps backwards by ${-(k | 0)}; a program that could loop is refused`;
  return `jumps over ${k} instructions, but only ${after} follow`;
}

/** Linux's own loads are about its socket buffers, of which there are none here. */
function extensionProblem(k: number): string {
  const name = k < ANCILLARY ? undefined : ANCILLARY_NAMES[(k - ANCILLARY) / 4];
  const what = name === undefined ? `loads from offset ${k}` : `loads Linux's ${name}`;
  return `${what}, which only Linux has; compile the expression for no interface: tcpdump -y EN10MB -dd`;
}

/** On every way to a load from memory, that word must have been stored before. */
function checkMemory(program: readonly Instruction[]): BpfError | undefined {
  const ALL = 0xffff;
  // What is stored, a bit a word, on all ways that reach an instruction by a jump.
  const arriving = new Uint16Array(program.length).fill(ALL);
  let stored = 0;
  for (let index = 0; index < program.length; index++) {
    const { code, jt, jf, k } = program[index]!;
    stored &= arriving[index]!;
    if (code === Op.Store || code === Op.StoreX) stored |= 1 << k;
    else if ((code === Op.LdMemory || code === Op.LdxMemory) && (stored & (1 << k)) === 0) {
      return new BpfError(`loads M[${k}], which is not stored on every way there`, index);
    } else if (code === Op.Jump) {
      arriving[index + 1 + k]! &= stored;
      stored = ALL;
    } else if (isBranch(code)) {
      arriving[index + 1 + jt]! &= stored;
      arriving[index + 1 + jf]! &= stored;
      stored = ALL;
    }
  }
  return undefined;
}
