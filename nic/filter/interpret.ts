/**
 * The machine that runs checked BPF programs.
 *
 * @module
 */
import { get16, get32 } from "../../stack/wire/bytes.ts";

/** Words an instruction takes in the machine's form: operation, k, target if true, target if false. */
export const STRIDE = 4;

/**
 * Runs a checked program over `bytes[start..end)`; see {@linkcode BpfProgram.run}. The operations stand here as the
 * numbers that `tcpdump -dd` prints, beside what `tcpdump -d` prints: a switch over literals is a jump table, one
 * over named constants is not.
 */
export function interpret(
  words: Int32Array,
  memory: Int32Array,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const length = end - start;
  let a = 0;
  let x = 0;
  let pc = 0;
  for (;;) {
    const k = words[pc + 1]!;
    let next = pc + STRIDE;
    switch (words[pc]) {
      case 0x20: // ld [k]
        if (k > length - 4) return 0;
        a = get32(bytes, start + k);
        break;
      case 0x28: // ldh [k]
        if (k > length - 2) return 0;
        a = get16(bytes, start + k);
        break;
      case 0x30: // ldb [k]
        if (k > length - 1) return 0;
        a = bytes[start + k]!;
        break;
      case 0x40: { // ld [x + k]
        const at = (x + k) | 0;
        if (at < 0 || at > length - 4) return 0;
        a = get32(bytes, start + at);
        break;
      }
      case 0x48: { // ldh [x + k]
        const at = (x + k) | 0;
        if (at < 0 || at > length - 2) return 0;
        a = get16(bytes, start + at);
        break;
      }
      case 0x50: { // ldb [x + k]
        const at = (x + k) | 0;
        if (at < 0 || at > length - 1) return 0;
        a = bytes[start + at]!;
        break;
      }
      case 0xb1: // ldxb 4*([k]&0xf)
        if (k >= length) return 0;
        x = (bytes[start + k]! & 0xf) << 2;
        break;
      case 0x15: // jeq #k
        next = a === k ? words[pc + 2]! : words[pc + 3]!;
        break;
      case 0x1d: // jeq x
        next = a === x ? words[pc + 2]! : words[pc + 3]!;
        break;
      case 0x25: // jgt #k
        next = a >>> 0 > k >>> 0 ? words[pc + 2]! : words[pc + 3]!;
        break;
      case 0x2d: // jgt x
        next = a >>> 0 > x >>> 0 ? words[pc + 2]! : words[pc + 3]!;
        break;
      case 0x35: // jge #k
        next = a >>> 0 >= k >>> 0 ? words[pc + 2]! : words[pc + 3]!;
        break;
      case 0x3d: // jge x
        next = a >>> 0 >= x >>> 0 ? words[pc + 2]! : words[pc + 3]!;
        break;
      case 0x45: // jset #k
        next = (a & k) !== 0 ? words[pc + 2]! : words[pc + 3]!;
        break;
      case 0x4d: // jset x
        next = (a & x) !== 0 ? words[pc + 2]! : words[pc + 3]!;
        break;
      case 0x05: // ja k
        next = words[pc + 2]!;
        break;
      case 0x80: // ld #pktlen
        a = length;
        break;
      case 0x81: // ldx #pktlen
        x = length;
        break;
      case 0x00: // ld #k
        a = k;
        break;
      case 0x01: // ldx #k
        x = k;
        break;
      case 0x60: // ld M[k]
        a = memory[k]!;
        break;
      case 0x61: // ldx M[k]
        x = memory[k]!;
        break;
      case 0x02: // st M[k]
        memory[k] = a;
        break;
      case 0x03: // stx M[k]
        memory[k] = x;
        break;
      case 0x07: // tax
        x = a;
        break;
      case 0x87: // txa
        a = x;
        break;
      case 0x04: // add #k
        a = (a + k) | 0;
        break;
      case 0x0c: // add x
        a = (a + x) | 0;
        break;
      case 0x14: // sub #k
        a = (a - k) | 0;
        break;
      case 0x1c: // sub x
        a = (a - x) | 0;
        break;
      case 0x24: // mul #k
        a = Math.imul(a, k);
        break;
      case 0x2c: // mul x
        a = Math.imul(a, x);
        break;
      case 0x34: // div #k
        a = ((a >>> 0) / (k >>> 0)) | 0;
        break;
      case 0x3c: // div x
        if (x === 0) return 0;
        a = ((a >>> 0) / (x >>> 0)) | 0;
        break;
      case 0x94: // mod #k
        a = ((a >>> 0) % (k >>> 0)) | 0;
        break;
      case 0x9c: // mod x
        if (x === 0) return 0;
        a = ((a >>> 0) % (x >>> 0)) | 0;
        break;
      case 0x54: // and #k
        a &= k;
        break;
      case 0x5c: // and x
        a &= x;
        break;
      case 0x44: // or #k
        a |= k;
        break;
      case 0x4c: // or x
        a |= x;
        break;
      case 0xa4: // xor #k
        a ^= k;
        break;
      case 0xac: // xor x
        a ^= x;
        break;
      case 0x64: // lsh #k
        a <<= k;
        break;
      case 0x6c: // lsh x
        a <<= x;
        break;
      case 0x74: // rsh #k
        a = (a >>> k) | 0;
        break;
      case 0x7c: // rsh x
        a = (a >>> x) | 0;
        break;
      case 0x84: // neg
        a = -a | 0;
        break;
      case 0x06: // ret #k
        return k;
      case 0x16: // ret a
        return a;
      default:
        // No checked program has another operation.
        return 0;
    }
    pc = next;
  }
}
