/** How long peers are waited for: whoever is late is found when somebody else comes, or has no place to come to. */
import { type Connection, type Instant, NEVER, type Tcp } from "../../mod.ts";

/** The connections that owe something. */
export class Patience {
  readonly #tcp: Tcp;
  readonly #limit: Instant;
  /** Since when. What is set anew goes to the end, so the first has waited longest. */
  readonly #since = new Map<Connection, Instant>();
  /** No later than the first is late. */
  #due: Instant = NEVER;

  constructor(tcp: Tcp, limit: Instant) {
    this.#tcp = tcp;
    this.#limit = limit;
  }

  /** When {@linkcode lose} is to be called though nobody comes: nobody can who would have to be given a place. */
  get deadline(): Instant {
    return this.#tcp.connections.isFull ? this.#due : NEVER;
  }

  /** From now on it owes something new. */
  restart(connection: Connection): void {
    this.#since.delete(connection);
    this.#since.set(connection, this.#tcp.now);
    this.#due = Math.min(this.#due, this.#tcp.now + this.#limit);
  }

  /** It owes nothing any more. */
  end(connection: Connection): void {
    this.#since.delete(connection);
  }

  /** Resets those that have owed something for too long, and answers how many they were. */
  lose(): number {
    let lost = 0;
    this.#due = NEVER;
    for (const [connection, since] of this.#since) {
      if (this.#tcp.now - since < this.#limit) {
        this.#due = since + this.#limit;
        break;
      }
      this.#since.delete(connection);
      connection.abort();
      lost++;
    }
    return lost;
  }
}
