/**
 * What opening a connection takes.
 *
 * @module
 */
import type { Address } from "../wire/address.ts";
import type { ReceiveBuffer, SendBuffer } from "./buffers.ts";
import type { ConnectionHandler } from "./handler.ts";

/** What a new connection is given. */
export interface ConnectOptions {
  /** The peer's address. */
  readonly address: Address;
  /** The peer's port. */
  readonly port: number;
  /** The own address. */
  readonly localAddress: Address;
  /** The own port; absent: a free one is chosen (RFC 6056). */
  readonly localPort?: number;
  /** Where data to be sent comes from. */
  readonly sendBuffer: SendBuffer;
  /** Where received data goes. */
  readonly receiveBuffer: ReceiveBuffer;
  /** Hears of the connection. */
  readonly handler: ConnectionHandler;
}
