/**
 * DHCPv6 messages between client and server (RFC 8415 8, 21), as far as stateless hosts need them. All functions take the
 * packet's bytes and the offset of the message's first byte.
 *
 * @module
 */
import { get16, put16 } from "./bytes.ts";
import { WireError } from "./error.ts";
import type { Mac } from "./mac.ts";

/** The message's type and its transaction's number: where the options begin. */
export const HEADER_LENGTH = 4;
/** The port that clients listen on, and that of servers (RFC 8415 7.2). */
export const CLIENT_PORT = 546, SERVER_PORT = 547;

const TYPE = 0;
const TRANSACTION = 1;
const OPTION_HEADER = 4;

/** What a message is. */
export const MessageType = { Reply: 7, InformationRequest: 11 } as const;

/** The options that are known here (RFC 8415 21; 23, 24: RFC 3646). */
export const Option = {
  ClientId: 1,
  ServerId: 2,
  OptionRequest: 6,
  ElapsedTime: 8,
  StatusCode: 13,
  DnsServers: 23,
  DomainList: 24,
  InformationRefreshTime: 32,
  InfMaxRt: 83,
} as const;

/** What the message is: a {@linkcode MessageType}. */
export function type(bytes: Uint8Array, at: number): number {
  return bytes[at + TYPE]!;
}

/** The transaction's number, 24 bits. */
export function transaction(bytes: Uint8Array, at: number): number {
  return (bytes[at + TRANSACTION]! << 16) | get16(bytes, at + TRANSACTION + 1);
}

/** Writes the fixed part. Answers with where the first option goes. */
export function emit(bytes: Uint8Array, at: number, type: number, transaction: number): number {
  bytes[at + TYPE] = type;
  bytes[at + TRANSACTION] = transaction >> 16;
  put16(bytes, at + TRANSACTION + 1, transaction);
  return at + HEADER_LENGTH;
}

/** Writes an option. Answers with where the next one goes. */
export function putOption(bytes: Uint8Array, option: number, code: number, value: ArrayLike<number>): number {
  put16(bytes, option, code);
  put16(bytes, option + 2, value.length);
  for (let index = 0; index < value.length; index++) bytes[option + OPTION_HEADER + index] = value[index]!;
  return option + OPTION_HEADER + value.length;
}

/** A client's identifier that is made of its link address (RFC 8415 11.4). */
export function linkIdentifier(mac: Mac): Uint8Array {
  const bytes = new Uint8Array(10);
  put16(bytes, 0, 3);
  put16(bytes, 2, 1);
  mac.write(bytes, 4);
  return bytes;
}

/** Checks that `bytes[at..end)` is a message whose options are well-formed. */
export function check(bytes: Uint8Array, at: number, end: number): WireError {
  if (end - at < HEADER_LENGTH) return WireError.Truncated;
  let option = at + HEADER_LENGTH;
  while (option < end) {
    if (option + OPTION_HEADER > end) return WireError.Malformed;
    option += OPTION_HEADER + get16(bytes, option + 2);
    if (option > end) return WireError.Malformed;
  }
  return WireError.None;
}

/** The value of the first option of a code in a message that was checked, as a view; undefined: there is none. */
export function optionValue(
  bytes: Uint8Array,
  at: number,
  end: number,
  code: number,
): Uint8Array | undefined {
  let option = at + HEADER_LENGTH;
  while (option + OPTION_HEADER <= end) {
    const next = option + OPTION_HEADER + get16(bytes, option + 2);
    if (next > end) return undefined;
    if (get16(bytes, option) === code) return bytes.subarray(option + OPTION_HEADER, next);
    option = next;
  }
  return undefined;
}
