/**
 * The containers that the layers keep their state in: of fixed capacity, allocated when they are made, never after.
 * For layers and buffers of one's own.
 *
 * @module
 */
export { Assembler } from "./assembler.ts";
export { ABSENT, HashMap } from "./hash-map.ts";
export { Links } from "./links.ts";
export { List } from "./list.ts";
export { OrderedMap } from "./map.ts";
export { type Compare, OrderedList } from "./ordered.ts";
export { type Prefix, PrefixTrie } from "./prefix-trie.ts";
export { Queue } from "./queue.ts";
export { RingBuffer } from "./ring.ts";
export { sipHash, type SipKey } from "./siphash.ts";
export { NO_KEY, SlotMap } from "./slot-map.ts";
export { TimerWheel } from "./timer-wheel.ts";
