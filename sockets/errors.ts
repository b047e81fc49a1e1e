/**
 * How a connection's end is told: as one of Deno's error classes, or as an Error with a code as Node.js has it.
 *
 * @module
 */
import { CloseReason } from "../stack/tcp/connection.ts";

/** Why a stream ended: the layer's reasons, and that the whole stack stopped. */
export const EndReason = { ...CloseReason, Stopped: 16 } as const;

/** One of {@linkcode EndReason}'s numbers. */
export type EndReason = (typeof EndReason)[keyof typeof EndReason];

/** An error with the code that both Deno and Node.js give it. */
export interface CodedError extends Error {
  /** Such as "ECONNREFUSED". */
  code: string;
}

type ErrorClass = new (message: string) => Error;

const KINDS: Readonly<Record<EndReason, readonly [code: string, ErrorClass, text: string]>> = {
  [EndReason.Finished]: ["ENOTCONN", Deno.errors.NotConnected, "The connection is closed"],
  [EndReason.Reset]: ["ECONNRESET", Deno.errors.ConnectionReset, "Connection reset by peer"],
  [EndReason.Refused]: ["ECONNREFUSED", Deno.errors.ConnectionRefused, "Connection refused"],
  [EndReason.TimedOut]: ["ETIMEDOUT", Deno.errors.TimedOut, "Connection timed out"],
  [EndReason.Unreachable]: ["EHOSTUNREACH", Deno.errors.NetworkUnreachable, "No route to host"],
  [EndReason.Aborted]: ["ECONNABORTED", Deno.errors.ConnectionAborted, "Connection aborted"],
  [EndReason.Stopped]: ["ENETDOWN", Deno.errors.Interrupted, "The stack is closed"],
};

/** The Deno error for a reason. */
export function denoError(reason: EndReason): CodedError {
  const [code, kind, text] = KINDS[reason];
  return coded(new kind(text), code);
}

/** The error for a reason as Node.js words it: "connect ECONNREFUSED 10.0.0.2:80". */
export function nodeError(reason: EndReason, syscall: string, address?: string, port?: number): CodedError {
  return codeError(KINDS[reason][0], syscall, address, port);
}

/** An error as Node.js words those of system calls. */
export function codeError(code: string, syscall: string, address?: string, port?: number): CodedError {
  const where = address === undefined ? "" : port === undefined ? ` ${address}` : ` ${address}:${port}`;
  const fields = address === undefined ? { syscall } : port === undefined ? { syscall, address } : {
    syscall,
    address,
    port,
  };
  return Object.assign(coded(new Error(`${syscall} ${code}${where}`), code), fields);
}

/** Gives an error its code. */
export function coded(error: Error, code: string): CodedError {
  return Object.assign(error, { code });
}

/** The code that an error carries, else `otherwise`. */
export function codeOf(error: unknown, otherwise: string): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : otherwise;
}

/** Why there is no connection to a host, or no such host, as Node.js words it. */
export function connectError(error: unknown, host: string, port: number): CodedError {
  const code = codeOf(error, "ENETUNREACH");
  const isName = code === "ENOTFOUND" || code === "EAI_AGAIN";
  if (!isName || !(error instanceof Error)) return codeError(code, "connect", host, port);
  return Object.assign(coded(new Error(error.message), code), { syscall: "getaddrinfo", hostname: host });
}

/** What a write is told that waits for a connection when its socket is destroyed. */
export function closedBefore(): CodedError {
  const text = "Socket closed before the connection was established";
  return coded(new Error(text), "ERR_SOCKET_CLOSED_BEFORE_CONNECTION");
}

/** What is used after it was closed. */
export function badResource(text: string = "Bad resource ID"): Error {
  return new Deno.errors.BadResource(text);
}

/** What was waiting when it was closed. */
export function interrupted(): CodedError {
  return coded(new Deno.errors.Interrupted("operation canceled"), "EINTR");
}
