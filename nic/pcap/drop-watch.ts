/**
 * Finds out why a frame was dropped: by which of the layers' counters has grown meanwhile.
 *
 * @module
 */

/** Counters of frames that went their way; every other counter is taken for one of drops. */
const NOT_DROPS: readonly string[] = [
  "received",
  "sent",
  "receivedBytes",
  "sentBytes",
  "requests",
  "postponed",
  "answered",
  "errorsSent",
  "blackHoles",
  "linkControl",
  "fragmentsKept",
  "reassembled",
  "fragmentsSent",
  "passed",
  "duplicated",
  "reordered",
  "corrupted",
  "marked",
];

/** How a {@linkcode DropWatch} is set up. */
export interface DropWatchOptions {
  /** More names of counters that do not count drops. */
  readonly notDrops?: readonly string[];
}

/** One layer's counters, and what they were. */
class Layer {
  readonly #counters: Readonly<Record<string, number>>;
  /** In the order of the fields: their last values, and what is said when they grow; undefined: nothing. */
  readonly #last: number[] = [];
  readonly #texts: (string | undefined)[] = [];

  constructor(name: string, counters: object, notDrops: ReadonlySet<string>) {
    this.#counters = counters as Record<string, number>;
    for (const field in this.#counters) {
      const value = this.#counters[field]!;
      this.#last.push(value);
      this.#texts.push(
        typeof value !== "number" || notDrops.has(field) ? undefined : `dropped: ${name}.${field}`,
      );
    }
  }

  get hasDrops(): boolean {
    return this.#texts.some((text) => text !== undefined);
  }

  grown(): string | undefined {
    const counters = this.#counters;
    const last = this.#last;
    let found: string | undefined;
    let index = 0;
    // Much the fastest way to read all fields of an object whose class is not known here.
    for (const field in counters) {
      const value = counters[field]!;
      if (value !== last[index]) {
        last[index] = value;
        found ??= this.#texts[index];
      }
      index++;
    }
    return found;
  }
}

/**
 * Watches counters of endpoints: `new DropWatch({ eth: eth.counters, ip: ip.counters })`. Name the lowest layer first:
 * where several counters have grown, the first tells the reason.
 */
export class DropWatch {
  readonly #layers: readonly Layer[];

  /**
   * Watches every numeric field of `layers`, those in {@linkcode DropWatchOptions.notDrops} aside; none may be added
   * later. Throws a RangeError when there is none.
   */
  constructor(layers: Readonly<Record<string, object>>, options: DropWatchOptions = {}) {
    const notDrops = new Set([...NOT_DROPS, ...options.notDrops ?? []]);
    this.#layers = Object.entries(layers).map(([name, counters]) => new Layer(name, counters, notDrops));
    if (!this.#layers.some((layer) => layer.hasDrops)) {
      throw new RangeError("none of these layers has a counter of drops");
    }
  }

  /** Which counter has grown since the last call, as "dropped: ip.wrongChecksum"; undefined: none has. */
  reason(): string | undefined {
    let found: string | undefined;
    for (let index = 0; index < this.#layers.length; index++) {
      const grown = this.#layers[index]!.grown();
      found ??= grown;
    }
    return found;
  }
}
