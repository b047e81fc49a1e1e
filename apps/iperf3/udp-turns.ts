/** Streams over UDP that take turns with buffers to be filled. */
import { type Instant, NEVER, type UdpRaw } from "../../mod.ts";
import type { UdpStream } from "./udp-stream.ts";

/** The streams of a test, as far as they are over UDP. */
export class UdpTurns {
  readonly streams: UdpStream[] = [];
  #turn = 0;

  /** Fills a buffer with a datagram of whoever has something due. */
  fill(raw: UdpRaw, now: Instant): void {
    const { streams } = this;
    for (let tries = 0; tries < streams.length; tries++) {
      this.#turn = (this.#turn + 1) % streams.length;
      if (streams[this.#turn]!.fill(raw, now)) return;
    }
  }

  /** When something is due. */
  deadline(): Instant {
    let next: Instant = NEVER;
    for (let index = 0; index < this.streams.length; index++) {
      next = Math.min(next, this.streams[index]!.deadline());
    }
    return next;
  }
}
