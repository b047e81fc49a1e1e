/** How long peers are waited for, without a timer: whoever is late is found when somebody else comes. */
import type { Connection, Instant, Tcp } from "../../mod.ts";

/** The connections that owe something. */
export class Patience {
  readonly #tcp: Tcp;
  readonly #limit: Instant;
  /** Since when. What is set anew goes to the end, so the first has waited longest. */
  readonly #since = new Map<Connection, Instant>();

  constructor(tcp: Tcp, limit: Instant) {
    this.#tcp = tcp;
    this.#limit = limit;
  }

  /** From now on it owes something new. */
  restart(connection: Connection): void {
    this.#since.delete(connection);
    this.#since.set(connection, this.#tcp.now);
  }

  /** It owes nothing any more. */
  end(connection: Connection): void {
    this.#since.delete(connection);
  }

  /** Resets those that have owed something for too long, and answers how many they were. */
  lose(): number {
    let lost = 0;
    for (const [connection, since] of this.#since) {
      if (this.#tcp.now - since < this.#limit) break;
      this.#since.delete(connection);
      connection.abort();
      lost++;
    }
    return lost;
  }
}
