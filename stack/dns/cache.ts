/**
 * Answers that are remembered.
 *
 * @module
 */
import { type Instant, seconds } from "../store/time.ts";
import type { DnsAnswer } from "./answer.ts";

/** How long anything is remembered at most, in seconds: a day. */
const TTL_MAX = 86_400;

/** The type under which it is remembered that there is no such name, whatever the type (RFC 2308 5). */
const ANY_TYPE = 0;

interface Entry {
  readonly answer: DnsAnswer;
  readonly stored: Instant;
  readonly expires: Instant;
}

/** A map of fixed capacity from questions to answers; what was not used for longest goes first. */
export class DnsCache {
  /** How many answers it takes. */
  readonly capacity: number;
  readonly #entries = new Map<string, Entry>();

  /** An empty cache. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** How many answers it holds, expired ones included. */
  get size(): number {
    return this.#entries.size;
  }

  /** Remembers an answer for as long as it says. One that holds for no time is not kept. */
  put(name: string, type: number, answer: DnsAnswer, now: Instant): void {
    const ttl = Math.min(answer.ttl, TTL_MAX);
    if (!(ttl > 0) || this.capacity === 0) return;
    // A name that is an alias is there, though what it leads to is not.
    const isGone = answer.status === "no-name" && answer.name === name;
    const key = keyOf(name, isGone ? ANY_TYPE : type);
    this.#entries.delete(key);
    if (this.#entries.size >= this.capacity) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    this.#entries.set(key, { answer, stored: now, expires: now + seconds(ttl) });
  }

  /** The answer that holds now, its time to live counted down; undefined: there is none. */
  get(name: string, type: number, now: Instant): DnsAnswer | undefined {
    return this.#take(keyOf(name, type), now) ?? this.#take(keyOf(name, ANY_TYPE), now);
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries.clear();
  }

  #take(key: string, now: Instant): DnsAnswer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (now >= entry.expires) return undefined;
    // Behind all others: it was used last.
    this.#entries.set(key, entry);
    const age = Math.floor((now - entry.stored) / seconds(1));
    const { answer } = entry;
    return { ...answer, ttl: Math.max(0, answer.ttl - age), server: undefined };
  }
}

function keyOf(name: string, type: number): string {
  return `${type} ${name}`;
}
