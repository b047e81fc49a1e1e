/** `chargen`: sends characters until the peer has had enough (RFC 864). What is sent is nowhere but in one table. */
import { type Connection, type ConnectionHandler, type SendBuffer, Sink, type Tcp } from "../../mod.ts";

/** RFC 864 2: lines of 72 of the 95 printing characters, each beginning with the character after the last one's. */
const LINE = 72, CHARACTERS = 95, SPACE = 0x20;
const ROUND = CHARACTERS * (LINE + 2);
/** The longest part that is copied at once. */
const PART = 1 << 16;

/** The lines in turn, long enough that a part may begin anywhere in the first round. */
const TABLE: Uint8Array = Uint8Array.from({ length: ROUND + PART }, (_, at) => {
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

const CHARGEN: ConnectionHandler = {
  // RFC 864: until the user terminates the connection.
  peerClosed: (connection: Connection) => {
    if (connection.sendBuffer instanceof Characters) connection.sendBuffer.end(connection.sentData);
    connection.close();
  },
};

/** Generates characters on a port. False: somebody listens there. */
export function serveChargen(tcp: Tcp, port: number): boolean {
  return tcp.listen({ port }, (connection) => {
    connection.sendBuffer = new Characters();
    connection.receiveBuffer = new Sink();
    return CHARGEN;
  }) !== undefined;
}
