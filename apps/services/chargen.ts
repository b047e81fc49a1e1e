/** `chargen`: sends characters until the peer has enough of them. They are nowhere but in one table. */
import { type SendBuffer, Sink } from "../../mod.ts";
import type { Appliance } from "../appliance.ts";
import { BACKLOG, type Service } from "./service.ts";

/** RFC 864 2: lines of 72 of the 95 printing characters, each beginning with the character after the last one's. */
const LINE = 72, CHARACTERS = 95, SPACE = 0x20;
const ROUND = CHARACTERS * (LINE + 2);
/** The longest segment there is. */
const SEGMENT = 1 << 16;

/** The lines in turn, long enough that a segment may begin anywhere in the first round. */
const TABLE: Uint8Array = Uint8Array.from({ length: ROUND + SEGMENT }, (_, at) => {
  const line = Math.trunc(at % ROUND / (LINE + 2)), column = at % (LINE + 2);
  if (column >= LINE) return column === LINE ? 0x0d : 0x0a;
  return SPACE + (line + column) % CHARACTERS;
});

/** As many characters as the peer's window and the congestion window take. */
class Characters implements SendBuffer {
  length = 1 << 24;
  #at = 0;
  #hasEnd = false;

  fill(offset: number, bytes: Uint8Array, at: number, length: number): void {
    const from = (this.#at + offset) % ROUND;
    bytes.set(TABLE.subarray(from, from + length), at);
  }

  ack(count: number): void {
    this.#at = (this.#at + count) % ROUND;
    if (this.#hasEnd) this.length -= count;
  }

  /** Nothing follows what was sent. */
  end(sent: number): void {
    this.length = sent;
    this.#hasEnd = true;
  }
}

/** The service. */
export const chargen: Service = {
  name: "chargen",
  meaning: "sends characters until the peer has enough (RFC 864)",
  transport: "tcp",
  port: 19,
  start: ({ tcp }: Appliance, port: number) => {
    const counters = { answered: 0 };
    tcp.listen({ port, backlog: BACKLOG }, (connection) => {
      counters.answered++;
      const characters = connection.sendBuffer = new Characters();
      connection.receiveBuffer = new Sink();
      return {
        peerClosed: () => {
          characters.end(connection.sentData);
          connection.close();
        },
      };
    });
    return counters;
  },
};
