/**
 * How sockets in the shape of node:net's are made, and what they say of their ends.
 *
 * @module
 */

/** How a socket is made. */
export interface NetSocketOptions {
  /** Whether writing goes on when the peer has ended. Default false: the socket ends, too. */
  readonly allowHalfOpen?: boolean | undefined;
  /** Ends the socket with an AbortError. */
  readonly signal?: AbortSignal | undefined;
}

/** Where a socket connects to. What node:net knows beside these is ignored. */
export interface NetConnectOptions extends NetSocketOptions {
  /** The peer's port. */
  readonly port?: number | string | null | undefined;
  /** The peer's address. */
  readonly host?: string | null | undefined;
  /** Which of a name's addresses: 4 or 6; absent or 0: the best. */
  readonly family?: number | undefined;
  /** Sends short segments at once. */
  readonly noDelay?: boolean | undefined;
  /** Probes a silent peer. */
  readonly keepAlive?: boolean | undefined;
  /** Milliseconds of silence before it is probed; absent or 0: two hours. */
  readonly keepAliveInitialDelay?: number | undefined;
  /** Milliseconds of silence after which "timeout" is emitted. */
  readonly timeout?: number | undefined;
}

/** An end of a connection as node:net tells it. */
export interface NetAddress {
  /** The address. */
  readonly address: string;
  /** "IPv4" or "IPv6". */
  readonly family: string;
  /** The port. */
  readonly port: number;
}

/** What `connect` was called with: `(port, host?, listener?)` or `({ port, host }, listener?)`. */
export function connectArguments(
  target: NetConnectOptions | number | string,
  second: unknown,
  third: unknown,
): { readonly options: NetConnectOptions; readonly listener: ((this: unknown) => void) | undefined } {
  const options = typeof target === "object"
    ? target
    : { port: target, host: typeof second === "string" ? second : undefined };
  const isListener = (argument: unknown) => typeof argument === "function";
  return { options, listener: [second, third].find(isListener) as ((this: unknown) => void) | undefined };
}

/** "IPv6" or "IPv4", as the text says. */
export function familyOf(address: string): string {
  return address.includes(":") ? "IPv6" : "IPv4";
}
