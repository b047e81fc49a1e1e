/**
 * Values by prefix, found by the longest one that fits: what a table of routes is made of.
 *
 * A path-compressed binary trie (D. R. Morrison's PATRICIA, with whole prefixes in its nodes). A look-up passes at
 * most one node a bit of the key, and about log2(n) where prefixes are spread; it allocates nothing.
 *
 * @module
 */

/** A prefix: the first {@linkcode Prefix.bits} bits of four words, the others 0. */
export interface Prefix<T> {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  /** How many bits count, 0 to 128. */
  readonly bits: number;
  /** What it stands for; undefined: nothing, it only joins two that are longer. */
  readonly value: T | undefined;
}

class Node<T> implements Prefix<T> {
  a = 0;
  b = 0;
  c = 0;
  d = 0;
  maskA = 0;
  maskB = 0;
  maskC = 0;
  maskD = 0;
  bits = 0;
  /** Which word the bit behind the prefix is in, 0 to 3, and how far it is from that word's last bit. */
  word = 0;
  shift = 31;
  value: T | undefined = undefined;
  zero: Node<T> | undefined = undefined;
  one: Node<T> | undefined = undefined;

  constructor(a: number, b: number, c: number, d: number, bits: number) {
    this.maskA = ones(bits);
    this.maskB = ones(bits - 32);
    this.maskC = ones(bits - 64);
    this.maskD = ones(bits - 96);
    this.a = a & this.maskA;
    this.b = b & this.maskB;
    this.c = c & this.maskC;
    this.d = d & this.maskD;
    this.bits = bits;
    this.word = bits >> 5;
    this.shift = 31 - (bits & 31);
  }

  covers(a: number, b: number, c: number, d: number): boolean {
    return (d & this.maskD) === this.d && (c & this.maskC) === this.c && (b & this.maskB) === this.b &&
      (a & this.maskA) === this.a;
  }

  next(a: number, b: number, c: number, d: number): Node<T> | undefined {
    const word = this.word === 3 ? d : this.word === 2 ? c : this.word === 1 ? b : a;
    return (word >>> this.shift & 1) === 0 ? this.zero : this.one;
  }
}

/**
 * A set of prefixes of 128-bit keys, each with a value.
 *
 * @example The longest prefix wins
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const trie = new PrefixTrie<string>();
 * trie.set(0, 0, 0, 0, 0, "everything");
 * trie.set(0x20010db8, 0, 0, 0, 32, "documentation");
 * assert.equal(trie.longest(0x20010db8, 0, 0, 1)?.value, "documentation");
 * assert.equal(trie.longest(0x20010db8, 0, 0, 1, 31)?.value, "everything");
 * ```
 */
export class PrefixTrie<T> {
  #root: Node<T> | undefined = undefined;
  #size = 0;

  /** How many prefixes have a value. */
  get size(): number {
    return this.#size;
  }

  /** The longest prefix of the key that has a value and is at most `most` bits long; undefined: there is none. */
  longest(a: number, b: number, c: number, d: number, most: number = 128): Prefix<T> | undefined {
    let best: Node<T> | undefined = undefined;
    let node = this.#root;
    while (node !== undefined && node.bits <= most && node.covers(a, b, c, d)) {
      if (node.value !== undefined) best = node;
      if (node.bits === 128) break;
      node = node.next(a, b, c, d);
    }
    return best;
  }

  /** The value of exactly this prefix. */
  get(a: number, b: number, c: number, d: number, bits: number): T | undefined {
    const found = this.longest(a, b, c, d, bits);
    return found?.bits === bits ? found.value : undefined;
  }

  /** Gives a prefix its value, whether it had one or not. Bits of the key behind the prefix are ignored. */
  set(a: number, b: number, c: number, d: number, bits: number, value: T): void {
    const made = new Node<T>(a, b, c, d, bits);
    made.value = value;
    this.#root = this.#insert(this.#root, made);
  }

  /** Takes a prefix out; false: it was not there. */
  delete(a: number, b: number, c: number, d: number, bits: number): boolean {
    if (this.get(a, b, c, d, bits) === undefined) return false;
    this.#root = this.#without(this.#root!, new Node<T>(a, b, c, d, bits));
    this.#size--;
    return true;
  }

  /** All values, in the order of their prefixes' bits, a shorter one before those it covers. */
  *values(): Generator<T> {
    const waiting = [this.#root];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (node.value !== undefined) yield node.value;
      if (node.one !== undefined) waiting.push(node.one);
      if (node.zero !== undefined) waiting.push(node.zero);
    }
  }

  #insert(node: Node<T> | undefined, made: Node<T>): Node<T> {
    if (node === undefined) {
      this.#size++;
      return made;
    }
    const common = Math.min(commonBits(node, made), node.bits, made.bits);
    if (common === node.bits && common === made.bits) {
      if (node.value === undefined) this.#size++;
      node.value = made.value;
      return node;
    }
    if (common === node.bits) {
      if (bit(made, common) === 0) node.zero = this.#insert(node.zero, made);
      else node.one = this.#insert(node.one, made);
      return node;
    }
    this.#size++;
    if (common === made.bits) return adopt(made, node);
    return adopt(adopt(new Node<T>(made.a, made.b, made.c, made.d, common), made), node);
  }

  /** The subtree without a prefix that is in it; joints that have become superfluous go, too. */
  #without(node: Node<T>, gone: Node<T>): Node<T> | undefined {
    if (node.bits === gone.bits) node.value = undefined;
    else if (bit(gone, node.bits) === 0) node.zero = this.#without(node.zero!, gone);
    else node.one = this.#without(node.one!, gone);
    if (node.value !== undefined || (node.zero !== undefined && node.one !== undefined)) return node;
    return node.zero ?? node.one;
  }
}

function adopt<T>(parent: Node<T>, child: Node<T>): Node<T> {
  if (bit(child, parent.bits) === 0) parent.zero = child;
  else parent.one = child;
  return parent;
}

/** How many leading bits two keys have in common. */
function commonBits(one: Prefix<unknown>, other: Prefix<unknown>): number {
  if (one.a !== other.a) return Math.clz32(one.a ^ other.a);
  if (one.b !== other.b) return 32 + Math.clz32(one.b ^ other.b);
  if (one.c !== other.c) return 64 + Math.clz32(one.c ^ other.c);
  return 96 + Math.clz32(one.d ^ other.d);
}

/** The bit of a key that `index` bits stand before. */
function bit({ a, b, c, d }: Prefix<unknown>, index: number): number {
  const word = index < 32 ? a : index < 64 ? b : index < 96 ? c : d;
  return word >>> (31 - (index & 31)) & 1;
}

/** A word whose first `count` bits are one; counts outside 0 to 32 are taken as 0 or 32. */
function ones(count: number): number {
  return count <= 0 ? 0 : count >= 32 ? -1 : -1 << (32 - count);
}
