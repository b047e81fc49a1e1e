/**
 * What the one that speaks for a host knows of its neighbours, for the other stacks of the host: a table in shared
 * memory, of which each takes what has changed.
 */
import {
  Address,
  type Instant,
  Mac,
  type NeighbourEntry,
  type Neighbours,
  NeighbourState,
} from "../../mod.ts";

/** What a row says of a neighbour. */
const Standing = { Free: 0, Heard: 1, Proven: 2, Static: 3 } as const;

/** Words of a row: its version, odd while it is being written, the address, the station, what is known, the proofs. */
const VERSION = 0, ADDRESS = 1, STATION = 5, KNOWN = 7, PROOFS = 8, ROW = 9;

/** Words before the rows: the version of all. */
const HEAD = 4;

/** The memory of a table of so many neighbours. */
export function neighbourMemory(capacity: number): SharedArrayBuffer {
  return new SharedArrayBuffer((HEAD + capacity * ROW) * 4);
}

/** A row as its writer last wrote it. */
interface Written {
  readonly row: number;
  mac: string;
  known: number;
  reachableUntil: Instant;
  proofs: number;
}

/** The side of who speaks for the host. */
export class NeighbourWriter {
  readonly #words: Int32Array;
  readonly #neighbours: Neighbours;
  readonly #written = new Map<string, Written>();
  readonly #free: number[];
  readonly #bytes = new Uint8Array(16);
  readonly #view = new DataView(this.#bytes.buffer);
  #seen = -1;

  constructor(memory: ArrayBufferLike, neighbours: Neighbours) {
    this.#words = new Int32Array(memory);
    this.#neighbours = neighbours;
    const rows = Math.floor((this.#words.length - HEAD) / ROW);
    this.#free = Array.from({ length: rows }, (_, index) => rows - 1 - index);
  }

  /** Writes what has changed; true: something has. */
  follow(now: Instant): boolean {
    if (this.#neighbours.version === this.#seen) return false;
    this.#seen = this.#neighbours.version;
    const present = new Set<string>();
    let changes = 0;
    for (const entry of this.#neighbours.entries(now)) {
      if (entry.mac === undefined) continue;
      const key = String(entry.address);
      present.add(key);
      if (this.#write(key, entry, entry.mac)) changes++;
    }
    for (const [key, { row }] of this.#written) {
      if (present.has(key)) continue;
      this.#written.delete(key);
      this.#free.push(row);
      this.#change(row, (at) => this.#words[at + KNOWN] = Standing.Free);
      changes++;
    }
    if (changes > 0) Atomics.add(this.#words, 0, 1);
    return changes > 0;
  }

  /** Has the others take a neighbour over once more, with the next {@linkcode NeighbourWriter.follow}. */
  renew(address: Address): void {
    const written = this.#written.get(String(address));
    if (written === undefined) return;
    written.mac = "";
    this.#seen = -1;
  }

  #write(key: string, { address, state, reachableUntil }: NeighbourEntry, mac: Mac): boolean {
    const isProven = state === NeighbourState.Reachable;
    const known = state === NeighbourState.Static
      ? Standing.Static
      : isProven
      ? Standing.Proven
      : Standing.Heard;
    let written = this.#written.get(key);
    const isNew = written === undefined;
    if (written === undefined) {
      const row = this.#free.pop();
      // There are rows for all that a cache holds.
      if (row === undefined) return false;
      written = { row, mac: "", known: Standing.Free, reachableUntil: 0, proofs: 0 };
      this.#written.set(key, written);
    }
    const station = String(mac);
    const isProvenAnew = isProven && written.reachableUntil !== reachableUntil;
    if (!isNew && !isProvenAnew && written.mac === station && written.known === known) return false;
    written.mac = station;
    written.known = known;
    written.reachableUntil = reachableUntil;
    if (isProvenAnew) written.proofs++;
    const { proofs } = written;
    this.#change(written.row, (at) => {
      address.writeV6(this.#bytes, 0);
      for (let word = 0; word < 4; word++) this.#words[at + ADDRESS + word] = this.#view.getInt32(word * 4);
      mac.write(this.#bytes, 0);
      this.#words[at + STATION] = this.#view.getInt32(0);
      this.#words[at + STATION + 1] = this.#view.getUint16(4);
      this.#words[at + KNOWN] = known;
      this.#words[at + PROOFS] = proofs;
    });
    return true;
  }

  #change(row: number, write: (at: number) => void): void {
    const at = HEAD + row * ROW;
    Atomics.add(this.#words, at + VERSION, 1);
    write(at);
    Atomics.add(this.#words, at + VERSION, 1);
  }
}

/** The side of a stack that asks nobody on the link itself. */
export class NeighbourReader {
  readonly #words: Int32Array;
  readonly #neighbours: Neighbours;
  /** The rows as they were last taken over. */
  readonly #taken: Int32Array;
  readonly #bytes = new Uint8Array(16);
  readonly #view = new DataView(this.#bytes.buffer);
  #seen = 0;

  constructor(memory: ArrayBufferLike, neighbours: Neighbours) {
    this.#words = new Int32Array(memory);
    this.#taken = new Int32Array(this.#words.length);
    this.#neighbours = neighbours;
  }

  /** Takes over what has changed. */
  follow(now: Instant): void {
    const seen = Atomics.load(this.#words, 0);
    if (seen === this.#seen) return;
    let isWhole = true;
    for (let at = HEAD; at < this.#words.length; at += ROW) {
      const version = Atomics.load(this.#words, at + VERSION);
      if (version === this.#taken[at + VERSION]) continue;
      const row = this.#words.slice(at, at + ROW);
      if ((version & 1) !== 0 || Atomics.load(this.#words, at + VERSION) !== version) {
        isWhole = false;
        continue;
      }
      row[VERSION] = version;
      this.#take(this.#taken.subarray(at, at + ROW), row, now);
      this.#taken.set(row, at);
    }
    if (isWhole) this.#seen = seen;
  }

  #take(before: Int32Array, row: Int32Array, now: Instant): void {
    const neighbours = this.#neighbours;
    const address = this.#address(row);
    const was = this.#address(before);
    const isOther = before[KNOWN] !== Standing.Free && !was.equals(address);
    if (isOther || row[KNOWN] === Standing.Free) this.#forget(was, now);
    if (row[KNOWN] === Standing.Free) return;
    const mac = this.#mac(row);
    if (row[KNOWN] === Standing.Static) {
      neighbours.setStatic(address, mac);
      return;
    }
    if (before[KNOWN] === Standing.Static && !isOther) neighbours.remove(address);
    neighbours.hear(address, mac, true);
    if (row[KNOWN] === Standing.Proven) neighbours.learn(address, mac, now, true);
  }

  /** A look-up under way ends by itself. */
  #forget(address: Address, now: Instant): void {
    if (this.#neighbours.state(address, now) !== NeighbourState.Incomplete) this.#neighbours.remove(address);
  }

  #address(row: Int32Array): Address {
    return new Address().set(row[ADDRESS]!, row[ADDRESS + 1]!, row[ADDRESS + 2]!, row[ADDRESS + 3]!);
  }

  #mac(row: Int32Array): Mac {
    this.#view.setInt32(0, row[STATION]!);
    this.#view.setUint16(4, row[STATION + 1]!);
    return new Mac().read(this.#bytes, 0);
  }
}
