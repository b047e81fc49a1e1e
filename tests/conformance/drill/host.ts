/**
 * What a drill runs against: a host with a clock, a wire that carries IP packets, and the calls of the socket interface.
 *
 * @module
 */
import type { Instant } from "../../../stack/store/time.ts";
import type { Address } from "../../../stack/wire/address.ts";

/** The answer of a call: what it returned, the error it failed with, or that it has to wait. */
export type Outcome<T = unknown> =
  | { readonly kind: "done"; readonly value: number; readonly detail: T }
  | { readonly kind: "failed"; readonly errno: string }
  /** It would block; `errno` is what a caller that does not want to wait is told. */
  | { readonly kind: "blocked"; readonly errno: string }
  | { readonly kind: "unsupported"; readonly what: string };

/** A call's answer without further detail. */
export function done(value: number = 0): Outcome<undefined> & { readonly kind: "done" } {
  return { kind: "done", value, detail: undefined };
}

/** A call's answer with what it hands out. */
export function doneWith<T>(value: number, detail: T): Outcome<T> & { readonly kind: "done" } {
  return { kind: "done", value, detail };
}

/** A call's failure: "ECONNREFUSED". */
export function failed(errno: string): Outcome<never> & { readonly kind: "failed" } {
  return { kind: "failed", errno };
}

/** A call that has to wait. */
export function blocked(errno: string = "EAGAIN"): Outcome<never> & { readonly kind: "blocked" } {
  return { kind: "blocked", errno };
}

/** A call that the host does not know: `what` in a few words. */
export function unsupported(what: string): Outcome<never> & { readonly kind: "unsupported" } {
  return { kind: "unsupported", what };
}

/** A socket's name. */
export interface SocketAddress {
  readonly address: Address;
  readonly port: number;
}

/** What a receiving call got. */
export interface Received {
  readonly data: Uint8Array;
  /** Who sent it; undefined on a stream. */
  readonly from: SocketAddress | undefined;
  /** What is true of it: "MSG_TRUNC". */
  readonly flags: readonly string[];
}

/** What an option is set to: a number, a name, or `SO_LINGER`'s structure. */
export type OptionValue = number | string | { readonly on: number; readonly seconds: number };

/**
 * A host under test. Calls never wait: one that has to answers "blocked", changes nothing, and is made again when
 * something may have happened. Constants arrive by their names, so that the host need not know their numbers.
 */
export interface DrillHost {
  /** Sets the clock; it never goes back. */
  setTime(now: Instant): void;
  /** An IP packet arrives. */
  inject(packet: Uint8Array): void;
  /** Lets the stack do all that is due now. */
  poll(): void;
  /** The oldest IP packet that has left; undefined: there is none. */
  take(): Uint8Array | undefined;
  /** When the stack next has something to do by itself. */
  deadline(): Instant;

  socket(domain: string, type: string, protocol: string): Outcome;
  close(fd: number): Outcome;
  /** `to`: undefined for any address and port. */
  bind(fd: number, to: SocketAddress): Outcome;
  /** `to`: undefined ends a datagram socket's connection. */
  connect(fd: number, to: SocketAddress | undefined): Outcome;
  listen(fd: number, backlog: number): Outcome;
  accept(fd: number): Outcome<SocketAddress | undefined>;
  shutdown(fd: number, how: string): Outcome;
  send(fd: number, data: Uint8Array, to: SocketAddress | undefined, flags: readonly string[]): Outcome;
  receive(fd: number, length: number, flags: readonly string[]): Outcome<Received>;
  setOption(fd: number, level: string, name: string, value: OptionValue): Outcome;
  /** Errors are handed out by their names. */
  getOption(fd: number, level: string, name: string): Outcome<OptionValue>;
  /** `ioctl` requests that answer with a number, such as SIOCINQ. */
  query(fd: number, request: string): Outcome<number>;
  localAddress(fd: number): Outcome<SocketAddress>;
  remoteAddress(fd: number): Outcome<SocketAddress>;
  /** What is true of a socket: "POLLIN", "POLLOUT", "POLLERR", "POLLHUP", "POLLRDHUP", "POLLPRI", "POLLNVAL". */
  events(fd: number): readonly string[];
}
