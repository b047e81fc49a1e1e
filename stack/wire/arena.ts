/**
 * Memory that frames lie in: page aligned, never moved, and worked on by WebAssembly.
 *
 * @module
 */
import { type ArenaProgram, programFor } from "./arena-program.ts";

/** The unit of WebAssembly's memories. */
const PAGE = 1 << 16;

/** What belongs to a memory besides its bytes. */
class Arena {
  readonly memory: WebAssembly.Memory;
  /** Made when it is first asked for; null: there is none here. */
  program: ArenaProgram | null | undefined;
  /** Where the spare room starts; negative: it was given away. */
  spareAt: number;

  constructor(memory: WebAssembly.Memory, spareAt: number) {
    this.memory = memory;
    this.spareAt = spareAt;
  }
}

const arenas = new WeakMap<ArrayBufferLike, Arena>();

/** Memory of at least `length` bytes, all zero; behind these are `spare` more. What is never written to costs nothing. */
export function makeArena(length: number, spare: number = 0): Uint8Array {
  const pages = Math.ceil((length + spare) / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  arenas.set(memory.buffer, new Arena(memory, spare > 0 ? length : -1));
  return new Uint8Array(memory.buffer);
}

/** Sums and copies inside of `bytes`, if they are an arena's and the engine can do so. */
export function programOf(bytes: Uint8Array): ArenaProgram | undefined {
  const arena = arenaOf(bytes);
  if (arena === undefined) return undefined;
  if (arena.program === undefined) arena.program = programFor(arena.memory) ?? null;
  return arena.program ?? undefined;
}

/** Gives an arena's spare room to the caller, who has it from now on: where it starts; negative: there is none. */
export function takeSpare(bytes: Uint8Array): number {
  const arena = arenaOf(bytes);
  if (arena === undefined) return -1;
  const { spareAt } = arena;
  arena.spareAt = -1;
  return spareAt;
}

function arenaOf(bytes: Uint8Array): Arena | undefined {
  return bytes.length < PAGE || bytes.byteOffset > 0 ? undefined : arenas.get(bytes.buffer);
}
