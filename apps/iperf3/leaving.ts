/** Connections that have nothing more to do than to end. */
import { type Connection, type Instant, NEVER, seconds } from "../../mod.ts";

/** How long an end in peace may take. */
const PATIENCE: Instant = seconds(10);
/** How many may take their time. */
const MOST = 256;

/** Sees connections off: whoever takes too long, or is one too many, is reset. */
export class Leaving {
  readonly #until = new Map<Connection, Instant>();

  /** How many are still there. */
  get size(): number {
    return this.#until.size;
  }

  /** Sends what there is to send, then no more. */
  add(connection: Connection, now: Instant): void {
    if (connection.index < 0) return;
    connection.handler = {
      // What is in flight may be all there ever is to acknowledge.
      peerClosed: (closed) => closed.close(),
      closed: (closed) => void this.#until.delete(closed),
    };
    connection.close();
    connection.flush();
    if (connection.index < 0) return;
    this.#until.set(connection, now + PATIENCE);
    const [first] = this.#until.keys();
    if (this.#until.size > MOST && first !== undefined) this.#lose(first);
  }

  /** Resets those whose time is over. */
  tick(now: Instant): void {
    for (const [connection, until] of this.#until) {
      if (now < until) break;
      this.#lose(connection);
    }
  }

  /** When that is next due. */
  deadline(): Instant {
    for (const until of this.#until.values()) return until;
    return NEVER;
  }

  #lose(connection: Connection): void {
    this.#until.delete(connection);
    connection.abort();
  }
}
