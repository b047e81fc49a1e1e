/**
 * Memory that frames lie in: page aligned, never moved, and summed by WebAssembly.
 *
 * @module
 */
import { type Sum, summing } from "./summing.ts";

/** The unit of WebAssembly's memories. */
const PAGE = 1 << 16;

/** Of each memory's buffer, made when it is first asked for. */
const sums = new WeakMap<ArrayBufferLike, WebAssembly.Memory | Sum>();

/** Memory of `length` bytes or a little more, all zero. What is never written to costs nothing. */
export function makeArena(length: number): Uint8Array {
  const pages = Math.ceil(length / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  sums.set(memory.buffer, memory);
  return new Uint8Array(memory.buffer);
}

/** The sum of RFC 1071 over parts of `bytes`, if they are an arena's and the engine has vectors. */
export function arenaSum(bytes: Uint8Array): Sum | undefined {
  if (bytes.length < PAGE || bytes.byteOffset > 0) return undefined;
  const { buffer } = bytes;
  const known = sums.get(buffer);
  if (!(known instanceof WebAssembly.Memory)) return known;
  const sum = summing(known);
  if (sum === undefined) sums.delete(buffer);
  else sums.set(buffer, sum);
  return sum;
}
