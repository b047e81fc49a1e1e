/** Notices that nothing moves in a test. */
import { type Instant, NEVER, seconds } from "../../mod.ts";
import type { Parameters } from "./parameters.ts";
import type { DataStream } from "./stream.ts";

/** How often streams are looked at. */
const WATCH: Instant = seconds(1);

/** Looks at streams now and then. What datagrams are sent moves by itself: a peer that is gone is found otherwise. */
export class Stillness {
  readonly #streams: readonly DataStream[];
  readonly #limit: Instant;
  #at: Instant = NEVER;
  #moved = -1;
  #movedAt: Instant = 0;

  /** Nothing may move for `limit`, beside the time that the test's rate needs for two blocks. */
  constructor(streams: readonly DataStream[], limit: Instant, { rate, length }: Parameters) {
    this.#streams = streams;
    this.#limit = limit + (rate > 0 ? 2 * length * 8e6 / rate : 0);
  }

  /** The test begins. */
  begin(now: Instant): void {
    this.#at = this.#movedAt = now;
  }

  /** For how many seconds nothing has moved, if that is too long; else undefined. */
  tick(now: Instant): number | undefined {
    if (now < this.#at) return undefined;
    this.#at = now + WATCH;
    const moved = this.#streams.reduce((sum, { bytes }) => sum + bytes, 0);
    if (moved !== this.#moved) this.#movedAt = now;
    this.#moved = moved;
    const still = now - this.#movedAt;
    return still > this.#limit ? Math.round(still / 1e6) : undefined;
  }

  /** When it looks next. */
  deadline(): Instant {
    return this.#at;
  }
}
