/**
 * The kernel's own sockets by the calls that a program in C would make, many at a time: Deno's take several times as
 * long, and would be what is measured.
 *
 * @module
 */
import { errnoText } from "../../nic/linux/errno.ts";
import { cString, errno, libc, memory } from "../../nic/linux/libc.ts";
import { put16 } from "../../stack/wire/bytes.ts";

const AF_INET = 2, SOCK_STREAM = 1, SOCK_NONBLOCK = 0o4000;
const POLLIN = 1, POLLOUT = 4;
/** struct pollfd { int32 fd; int16 events, revents; } */
const POLLFD = 8;

/** An Internet socket address, in memory that stays where it is. */
export function socketAddress(address: string, port: number): Uint8Array<ArrayBuffer> {
  // struct sockaddr_in { short family; port, address in network order; zeroes }
  const bytes = memory(16);
  bytes[0] = AF_INET;
  put16(bytes, 2, port);
  libc().inet_pton(AF_INET, cString(address), bytes.subarray(4, 8));
  return bytes;
}

/** A TCP socket that does not block. Throws an Error: none is to be had. */
export function streamSocket(): number {
  const fd = libc().socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) throw new Error(`no socket to be had (${errnoText(errno())})`);
  return fd;
}

/** Descriptors that are waited for together. */
export class PollSet {
  readonly #fds: Int32Array;
  readonly #events: Int16Array;
  readonly #timeout = new Int32Array(memory(16).buffer);

  /** Room for so many; none is in use. */
  constructor(capacity: number) {
    const { buffer } = memory(capacity * POLLFD);
    this.#fds = new Int32Array(buffer).fill(-1);
    this.#events = new Int16Array(buffer);
    this.#timeout[0] = 1;
  }

  /** The descriptor in a place; negative: none. */
  fd(place: number): number {
    return this.#fds[place * 2]!;
  }

  /** Puts a descriptor into a place: it is waited for until it can be read, or written. */
  set(place: number, fd: number, toRead: boolean): void {
    this.#fds[place * 2] = fd;
    this.#events[place * 4 + 2] = toRead ? POLLIN : POLLOUT;
    this.#events[place * 4 + 3] = 0;
  }

  /** Empties a place. */
  clear(place: number): void {
    this.#fds[place * 2] = -1;
    this.#events[place * 4 + 3] = 0;
  }

  /** Whether the last {@linkcode PollSet.wait} found something in a place: also an error. */
  isReady(place: number): boolean {
    return this.#events[place * 4 + 3] !== 0;
  }

  /** Whether a place is waited for to be read. */
  isReading(place: number): boolean {
    return this.#events[place * 4 + 2] === POLLIN;
  }

  /** Waits for the first `count` places; how many are ready, 0 after a second. */
  wait(count: number): number {
    return libc().ppoll(this.#fds, count, this.#timeout, null);
  }
}
