/**
 * Doubly linked lists over the indices 0 to n - 1: for free lists, for order of use, for the slots of a timer wheel.
 *
 * @module
 */

import { checkSize } from "./size.ts";

/**
 * A fixed number of lists that share one set of nodes. A node is an index into the owner's own tables and stands in
 * at most one list; every operation takes constant time and allocates nothing.
 *
 * Nodes and lists handed to a method must be in range; the methods do not check it.
 *
 * @example Keeps three entries in the order of their use
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const order = new Links(3);
 * for (let entry = 0; entry < 3; entry++) order.pushBack(0, entry);
 * order.moveToBack(0);
 * assert.equal(order.head(0), 1, "the least recently used");
 * ```
 */
export class Links {
  /** How many nodes there are. */
  readonly nodes: number;
  /** How many lists there are. */
  readonly lists: number;
  // A list is a circle through a sentinel, which is the entry `nodes + list`; so no end is a special case.
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #list: Int32Array;

  /**
   * All lists start empty.
   *
   * @throws {RangeError} unless both are whole numbers: `nodes` from 0, `lists` from 1, each to 2^24.
   */
  constructor(nodes: number, lists: number = 1) {
    this.nodes = checkSize("nodes", nodes, 0, 2 ** 24);
    this.lists = checkSize("lists", lists, 1, 2 ** 24);
    this.#next = new Int32Array(nodes + lists);
    this.#previous = new Int32Array(nodes + lists);
    this.#list = new Int32Array(nodes).fill(-1);
    for (let sentinel = nodes; sentinel < nodes + lists; sentinel++) {
      this.#next[sentinel] = sentinel;
      this.#previous[sentinel] = sentinel;
    }
  }

  /** The list a node stands in, or -1. */
  listOf(node: number): number {
    return this.#list[node] ?? -1;
  }

  /** Whether a list has no node. */
  isEmpty(list: number): boolean {
    const sentinel = this.nodes + list;
    return this.#next[sentinel] === sentinel;
  }

  /** The first node of a list, or -1. */
  head(list: number): number {
    return this.#node(this.#next[this.nodes + list]!);
  }

  /** The last node of a list, or -1. */
  tail(list: number): number {
    return this.#node(this.#previous[this.nodes + list]!);
  }

  /** The node after a linked node, or -1 at the end. To remove while walking, ask for the next node first. */
  next(node: number): number {
    return this.#node(this.#next[node]!);
  }

  /** The node before a linked node, or -1 at the start. */
  previous(node: number): number {
    return this.#node(this.#previous[node]!);
  }

  /** Makes a node the last of a list, out of whatever list it stood in. */
  pushBack(list: number, node: number): void {
    this.remove(node);
    const sentinel = this.nodes + list;
    this.#insert(list, node, this.#previous[sentinel]!, sentinel);
  }

  /** Makes a node the first of a list, out of whatever list it stood in. */
  pushFront(list: number, node: number): void {
    this.remove(node);
    const sentinel = this.nodes + list;
    this.#insert(list, node, sentinel, this.#next[sentinel]!);
  }

  /** Makes a node the last of the list it stands in; a node in no list stays so. */
  moveToBack(node: number): void {
    const list = this.listOf(node);
    if (list >= 0) this.pushBack(list, node);
  }

  /** Takes a node out of its list. Returns that list, or -1 if it stood in none. */
  remove(node: number): number {
    const list = this.listOf(node);
    if (list < 0) return -1;
    const previous = this.#previous[node]!;
    const next = this.#next[node]!;
    this.#next[previous] = next;
    this.#previous[next] = previous;
    this.#list[node] = -1;
    return list;
  }

  #insert(list: number, node: number, previous: number, next: number): void {
    this.#next[node] = next;
    this.#previous[node] = previous;
    this.#next[previous] = node;
    this.#previous[next] = node;
    this.#list[node] = list;
  }

  #node(entry: number): number {
    return entry < this.nodes ? entry : -1;
  }
}
