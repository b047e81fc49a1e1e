/**
 * The classic BPF program in front of a packet socket: the kernel runs it, so that what is not for us costs nothing.
 *
 * @module
 */
import type { Mac } from "../../stack/wire/mac.ts";
import { type Instruction, Op } from "../filter/instruction.ts";

/** What BPF loads from these offsets is not of the frame (include/uapi/linux/filter.h: SKF_AD_OFF + ...). */
const PACKET_TYPE = 0xffff_f004;
/** The packet type of what the host itself sends. */
const PACKET_OUTGOING = 4;

const ALL = 0xffff_ffff;

/** What the host itself sends is dropped. */
const INCOMING: readonly Instruction[] = [
  { code: Op.LdAbsWord, jt: 0, jf: 0, k: PACKET_TYPE },
  { code: Op.EqualK, jt: 0, jf: 1, k: PACKET_OUTGOING },
  { code: Op.ReturnK, jt: 0, jf: 0, k: 0 },
];

/** Passes nothing. */
export function nothing(): readonly Instruction[] {
  return [{ code: Op.ReturnK, jt: 0, jf: 0, k: 0 }];
}

/** Passes what comes in for a group. */
export function groupFilter(): readonly Instruction[] {
  return [
    ...INCOMING,
    // The group bit is the first to travel: the lowest of the first byte.
    { code: Op.LdAbsByte, jt: 0, jf: 0, k: 0 },
    { code: Op.SetK, jt: 0, jf: 1, k: 1 },
    { code: Op.ReturnK, jt: 0, jf: 0, k: ALL },
    { code: Op.ReturnK, jt: 0, jf: 0, k: 0 },
  ];
}

/**
 * Passes what comes in for `mac` or for a group, ARP among it, and nothing else; without a `mac`, all that comes in.
 * Whether a group is one of ours, the stack knows.
 */
export function packetFilter(mac: Mac | undefined): readonly Instruction[] {
  if (mac === undefined) return [...INCOMING, { code: Op.ReturnK, jt: 0, jf: 0, k: ALL }];
  const bytes = new Uint8Array(6);
  mac.write(bytes, 0);
  const view = new DataView(bytes.buffer);
  return [
    ...INCOMING,
    // The group bit is the first to travel: the lowest of the first byte.
    { code: Op.LdAbsByte, jt: 0, jf: 0, k: 0 },
    { code: Op.SetK, jt: 4, jf: 0, k: 1 },
    { code: Op.LdAbsWord, jt: 0, jf: 0, k: 2 },
    { code: Op.EqualK, jt: 0, jf: 3, k: view.getUint32(2) },
    { code: Op.LdAbsHalf, jt: 0, jf: 0, k: 0 },
    { code: Op.EqualK, jt: 0, jf: 1, k: view.getUint16(0) },
    { code: Op.ReturnK, jt: 0, jf: 0, k: ALL },
    { code: Op.ReturnK, jt: 0, jf: 0, k: 0 },
  ];
}
