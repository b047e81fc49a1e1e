/**
 * Finds out why a frame was dropped: by which of the layers' counters has grown meanwhile.
 *
 * @module
 */

/** Counters that tell of something done; all others tell why something was not. */
const DONE: ReadonlySet<string> = new Set([
  // Of every layer, and of NICs, links, filters and meshes.
  "received",
  "sent",
  "receivedBytes",
  "sentBytes",
  "answered",
  "errors",
  "errorsSent",
  "passed",
  "taken",
  "duplicated",
  "reordered",
  "corrupted",
  "marked",
  // Of ARP, NDP and the groups.
  "requests",
  "postponed",
  "lookups",
  "defended",
  "routerAdvertisements",
  "redirects",
  "queries",
  "reports",
  // Of IP and routers.
  "linkControl",
  "fragmentsKept",
  "reassembled",
  "fragmentsSent",
  "waited",
  "divided",
  "forwarded",
  "fragments",
  // Of TCP.
  "joined",
  "accepted",
  "connected",
  "retransmitted",
  "resets",
  "challenges",
  "cookies",
  "cookiesAccepted",
  "inTimeWait",
  "timeouts",
  "blackHoles",
  "probes",
  "recoveries",
  "undone",
  // Of names and leases.
  "noted",
  "avoided",
  "renamed",
  "overTcp",
  "remembered",
]);

/** Whether a counter of ours, by its field's name, tells why something was dropped or not sent. */
export function isDropCounter(name: string): boolean {
  return !DONE.has(name);
}

/** How a {@linkcode DropWatch} is set up. */
export interface DropWatchOptions {
  /** Names of counters that do not count drops either, besides those of {@linkcode isDropCounter}. */
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
      const tells = typeof value === "number" && isDropCounter(field) && !notDrops.has(field);
      this.#texts.push(tells ? `dropped: ${name}.${field}` : undefined);
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
   * Watches the fields of `layers` that count drops; none may be added later. Throws a RangeError when there is none.
   */
  constructor(layers: Readonly<Record<string, object>>, options: DropWatchOptions = {}) {
    const notDrops = new Set(options.notDrops);
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
