/** The counters of all stacks of a host, in shared memory: each writes its own, everybody may read all. */

/** Room for the counters of one stack, far more than there are. */
const ROOM = 2_048;

/** The layers of a stack with their counters, from the wire upwards: what `layers` of report.ts answers. */
export type Layers = readonly (readonly [string, object])[];

/** What the counters of each layer are called, in their order: the same for all stacks of a host. */
export type CounterNames = readonly (readonly [string, readonly string[]])[];

/** The memory for so many stacks. */
export function counterMemory(stacks: number): SharedArrayBuffer {
  return new SharedArrayBuffer(stacks * ROOM * Float64Array.BYTES_PER_ELEMENT);
}

/** What a stack's counters are called. */
export function counterNames(layers: Layers): CounterNames {
  return layers.map(([layer, counters]) => [layer, Object.keys(counters)]);
}

/** Writes counters as those of stack `index`. */
export function writeCounters(memory: ArrayBufferLike, index: number, layers: Layers): void {
  const numbers = part(memory, index);
  let at = 0;
  for (const [, counters] of layers) {
    const values: number[] = Object.values(counters);
    for (const value of values) numbers[at++] = value;
  }
}

/** The counters of stack `index`, as it wrote them last. */
export function readCounters(memory: ArrayBufferLike, index: number, names: CounterNames): Layers {
  const numbers = part(memory, index);
  let at = 0;
  return names.map(([layer, counters]) => {
    return [layer, Object.fromEntries(counters.map((name) => [name, numbers[at++]!]))];
  });
}

/** Starts over for stack `index`. */
export function clearCounters(memory: ArrayBufferLike, index: number): void {
  part(memory, index).fill(0);
}

/** The sums of counters by layer and name, in the order in which they first come. */
export function sumCounters(...all: readonly Layers[]): Layers {
  const sums = new Map<string, Map<string, number>>();
  for (const [layer, counters] of all.flat()) {
    const sum = sums.get(layer) ?? new Map<string, number>();
    sums.set(layer, sum);
    const entries: [string, number][] = Object.entries(counters);
    for (const [name, value] of entries) sum.set(name, (sum.get(name) ?? 0) + value);
  }
  return [...sums].map(([layer, sum]) => [layer, Object.fromEntries(sum)]);
}

function part(memory: ArrayBufferLike, index: number): Float64Array {
  const bytes = ROOM * Float64Array.BYTES_PER_ELEMENT;
  return new Float64Array(memory, index * bytes, ROOM);
}
