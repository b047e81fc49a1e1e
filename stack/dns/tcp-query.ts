/**
 * A question over TCP (RFC 7766), for answers that no datagram holds.
 *
 * @module
 */
import { FromBytes, StreamReceive } from "../tcp/buffers.ts";
import type { Connection } from "../tcp/connection.ts";
import type { Tcp } from "../tcp/endpoint.ts";
import type { Address } from "../wire/address.ts";
import { get16, put16 } from "../wire/bytes.ts";

/** A power of two that holds the longest message with its length. */
const RECEIVE = 1 << 17;

/** One question on a connection of its own. */
export class TcpQuery {
  readonly #received = new StreamReceive(RECEIVE);
  readonly #connection: Connection | undefined;
  #bytes = new Uint8Array(2);
  #length = 0;
  #isOver = false;

  /** `done` is told the response, or undefined if there is none; at most once, not while this is made. */
  constructor(
    tcp: Tcp,
    server: Address,
    port: number,
    own: Address,
    query: Uint8Array,
    done: (response: Uint8Array | undefined) => void,
  ) {
    const framed = new Uint8Array(2 + query.length);
    put16(framed, 0, query.length);
    framed.set(query, 2);
    const end = (response: Uint8Array | undefined) => {
      if (this.#isOver) return;
      this.#isOver = true;
      done(response);
    };
    this.#connection = tcp.connect({
      address: server,
      port,
      localAddress: own,
      sendBuffer: new FromBytes(framed),
      receiveBuffer: this.#received,
      handler: {
        opened: (connection) => connection.flush(),
        readable: (connection) => {
          const response = this.#read();
          if (response === undefined) return connection.flush();
          connection.close();
          connection.flush();
          end(response);
        },
        peerClosed: (connection) => {
          end(this.#read());
          connection.close();
          connection.flush();
        },
        closed: () => end(undefined),
      },
    });
  }

  /** Whether there is no room for the connection: it never began. */
  get isRefused(): boolean {
    return this.#connection === undefined;
  }

  /** Gives it up; nobody is told. */
  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection?.abort();
  }

  /** RFC 7766 8: two bytes of length, then so many. Undefined: not all of it is there. */
  #read(): Uint8Array | undefined {
    for (;;) {
      this.#length += this.#received.read(this.#bytes, this.#length);
      if (this.#length < 2) return undefined;
      const wanted = 2 + get16(this.#bytes, 0);
      if (this.#length === wanted) return this.#bytes.subarray(2);
      if (this.#bytes.length === wanted) return undefined;
      const whole = new Uint8Array(wanted);
      whole.set(this.#bytes.subarray(0, 2));
      this.#bytes = whole;
    }
  }
}
