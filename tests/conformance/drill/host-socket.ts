/**
 * A socket of a host under test: what every kind of socket can do, and the answers of those that cannot.
 *
 * @module
 */
import {
  failed,
  type OptionValue,
  type Outcome,
  type Received,
  type SocketAddress,
  unsupported,
} from "./host.ts";

/** The methods of a {@linkcode DrillHost} that are about one socket; here they all refuse. */
export abstract class HostSocket {
  abstract bind(to: SocketAddress): Outcome;
  abstract connect(to: SocketAddress | undefined): Outcome;
  abstract send(data: Uint8Array, to: SocketAddress | undefined, flags: readonly string[]): Outcome;
  abstract receive(length: number, flags: readonly string[]): Outcome<Received>;
  abstract localAddress(): Outcome<SocketAddress>;
  abstract remoteAddress(): Outcome<SocketAddress>;
  abstract events(): readonly string[];
  abstract close(): Outcome;

  listen(_backlog: number): Outcome {
    return failed("EOPNOTSUPP");
  }

  /** The socket of a connection that waits, and its peer. */
  accept(): Outcome<{ readonly socket: HostSocket; readonly peer: SocketAddress }> {
    return failed("EOPNOTSUPP");
  }

  shutdown(_how: string): Outcome {
    return failed("ENOTCONN");
  }

  setOption(level: string, name: string, _value: OptionValue): Outcome {
    return unsupported(`the option ${level} ${name}`);
  }

  getOption(level: string, name: string): Outcome<OptionValue> {
    return unsupported(`the option ${level} ${name}`);
  }

  query(request: string): Outcome<number> {
    return unsupported(`the request ${request}`);
  }
}
