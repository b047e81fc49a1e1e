/**
 * Memory that is shared with the kernel: mmap(2) of a descriptor, as bytes and as words.
 *
 * @module
 */
import { NicError } from "../error.ts";
import { errnoText } from "./errno.ts";
import { errno, libc } from "./libc.ts";

const PROT_READ_WRITE = 0x3, MAP_SHARED = 0x1, MAP_PRIVATE = 0x2, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000, MAP_POPULATE = 0x8000;
const FAILED = 0xffff_ffff_ffff_ffffn;

/** Unmaps the addresses when nobody can reach the memory any more, so that a frame kept too long does no harm. */
const forgotten = new FinalizationRegistry<{ readonly pointer: Deno.PointerValue; readonly length: bigint }>(
  ({ pointer, length }) => libc().munmap(pointer, length),
);

/** A part of a descriptor, mapped for reading and writing. */
export class Mapping {
  /** The memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same in 32-bit words. */
  readonly words: Int32Array<ArrayBuffer>;
  /** Where the memory starts, for structures that the kernel reads. */
  readonly address: number;
  readonly #pointer: Deno.PointerValue;
  readonly #length: bigint;

  /** Maps `length` bytes from `offset` on. Throws {@linkcode NicError} in the name of `nic`. */
  constructor(nic: string, fd: number, length: number, offset: number = 0) {
    this.#length = BigInt(length);
    const flags = MAP_SHARED | MAP_POPULATE;
    const pointer = libc(nic).mmap(null, this.#length, PROT_READ_WRITE, flags, fd, BigInt(offset));
    if (pointer === null || Deno.UnsafePointer.value(pointer) === FAILED) {
      throw new NicError(nic, "failed", `its rings cannot be mapped (${errnoText(errno())})`);
    }
    this.#pointer = pointer;
    this.address = Number(Deno.UnsafePointer.value(pointer));
    const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, length);
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    forgotten.register(buffer, { pointer, length: this.#length });
  }

  /** Lets go of the descriptor. The memory stays readable, without being anybody else's, and holds zeros. */
  release(): void {
    const flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE;
    libc().mmap(this.#pointer, this.#length, PROT_READ_WRITE, flags, -1, 0n);
  }
}

/** Where a buffer starts. It must be from `memory` or a WebAssembly memory, which never move. */
export function addressOf(bytes: Uint8Array): number {
  return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
}

/** Writes an address, 64 bits wide, into two words of a structure. */
export function putAddress(words: Int32Array, at: number, address: number): void {
  words[at] = address;
  words[at + 1] = address / 0x1_0000_0000;
}
