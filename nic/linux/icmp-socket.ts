/**
 * The kernel's own ping: ICMP echo requests through a socket, for machines that lack the program `ping`, and beside
 * a stack that answers them in the same event loop.
 *
 * @module
 */
import type { Instant } from "../../stack/store/time.ts";
import { NicError } from "../error.ts";
import { Errno, errnoText } from "./errno.ts";
import { cString, errno, type Libc, libc, memory } from "./libc.ts";
import { monotonicNow, Waiter } from "./waiter.ts";

const AF_INET = 2, IPPROTO_ICMP = 1, MSG_DONTWAIT = 0x40;
const SOCK_RAW = 3, SOCK_DGRAM = 2, SOCK_NONBLOCK = 0o4000, SOCK_CLOEXEC = 0o2000000;
const SOCKET_FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC;

const ECHO_REQUEST = 8, ECHO_REPLY = 0, ICMP_HEADER = 8, LONGEST_PACKET = 65_535;

/** Options of {@linkcode KernelPing.ping}. */
export interface PingOptions {
  /** How many requests: 4 by default; Infinity: until closed. */
  readonly count?: number;
  /** From one request to the next in milliseconds: 1000 by default. */
  readonly intervalMs?: number;
  /** Bytes of data in a request: 56 by default, 65,507 at most. */
  readonly size?: number;
  /** How long to wait for a reply in milliseconds: 1000 by default. */
  readonly timeoutMs?: number;
}

/** What became of one request. */
export interface PingResult {
  /** The request's number, from 1 on. */
  readonly sequence: number;
  /** The round-trip time; undefined: no reply in time. */
  readonly rttMicroseconds: number | undefined;
}

/** An ICMP socket of the kernel. Close it. */
export class KernelPing implements Disposable {
  readonly #libc: Libc;
  readonly #fd: number;
  /** Whether the kernel hands over whole IP packets, of anybody's echo, rather than ICMP messages of ours. */
  readonly #raw: boolean;
  readonly #identifier: number;
  readonly #waiter: Waiter;
  readonly #buffer: Uint8Array<ArrayBuffer> = memory(LONGEST_PACKET);
  readonly #from: Uint8Array<ArrayBuffer> = memory(16);
  readonly #fromLength: Uint8Array<ArrayBuffer> = memory(4);
  #closed = false;

  /** Opens a raw socket, or a ping socket where that is forbidden. Throws {@linkcode NicError}. */
  constructor() {
    const c = this.#libc = libc("ping");
    let fd = c.socket(AF_INET, SOCK_RAW | SOCKET_FLAGS, IPPROTO_ICMP);
    this.#raw = fd >= 0;
    if (!this.#raw) fd = c.socket(AF_INET, SOCK_DGRAM | SOCKET_FLAGS, IPPROTO_ICMP);
    if (fd < 0) {
      const remedy = "run as root, or as root: sysctl net.ipv4.ping_group_range='0 2147483647'";
      throw new NicError("ping", "permission", `no ICMP socket to be had (${errnoText(errno())})`, remedy);
    }
    this.#fd = fd;
    // A raw socket sees all replies; the descriptor tells ours from those of other sockets of this program.
    this.#identifier = (Deno.pid << 4 ^ fd) & 0xffff;
    this.#waiter = new Waiter(fd, "ping");
  }

  /**
   * Sends echo requests to an IPv4 address, one after the other, and yields what became of each. Throws
   * {@linkcode NicError}: the text is no address, the kernel cannot send there.
   */
  async *ping(address: string, options: PingOptions = {}): AsyncGenerator<PingResult, void, void> {
    const { count = 4, intervalMs = 1_000, size = 56, timeoutMs = 1_000 } = options;
    const target = this.#target(address);
    if (!(size >= 0 && size <= LONGEST_PACKET - 20 - ICMP_HEADER)) {
      throw new RangeError(`a ping's size must lie in 0..65507, not be ${size}`);
    }
    for (let sequence = 1; sequence <= count && !this.#closed; sequence++) {
      const sent = monotonicNow();
      this.#send(sequence & 0xffff, size, address, target);
      this.#waiter.active();
      const replied = await this.#reply(sequence & 0xffff, target, sent + timeoutMs * 1_000);
      if (this.#closed) return;
      yield { sequence, rttMicroseconds: replied === undefined ? undefined : replied - sent };
      if (sequence < count) await this.#pause(sent + intervalMs * 1_000);
    }
  }

  /** Ends a {@linkcode KernelPing.ping} that runs, and gives the socket back. A second call does nothing. */
  close(): void {
    this.#closed = true;
    this.#waiter.close(() => this.#libc.close(this.#fd));
  }

  /** The same as {@linkcode KernelPing.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** struct sockaddr_in { short family; port, address in network order; zeroes } */
  #target(address: string): Uint8Array {
    const target = memory(16);
    target[0] = AF_INET;
    if (this.#libc.inet_pton(AF_INET, cString(address), target.subarray(4, 8)) !== 1) {
      throw new NicError("ping", "invalid", `"${address}" is no IPv4 address`, "write it as 10.0.0.1");
    }
    return target;
  }

  #send(sequence: number, size: number, address: string, target: Uint8Array): void {
    const packet = this.#buffer;
    const length = ICMP_HEADER + size;
    for (let at = ICMP_HEADER; at < length; at++) packet[at] = at - ICMP_HEADER;
    packet.set([ECHO_REQUEST, 0, 0, 0, this.#identifier >> 8, this.#identifier, sequence >> 8, sequence]);
    const sum = checksum(packet, length);
    packet[2] = sum >> 8;
    packet[3] = sum;
    if (this.#libc.sendto(this.#fd, packet, length, MSG_DONTWAIT, target, target.length) >= 0) return;
    const code = errno();
    // A full queue or a neighbour that does not answer is a lost request like any other.
    if (code === Errno.EAGAIN || code === Errno.ENOBUFS || code === Errno.EHOSTUNREACH) return;
    throw new NicError("ping", "failed", `the kernel cannot send to ${address} (${errnoText(code)})`);
  }

  /** When the reply came; undefined when it did not come until the deadline. */
  async #reply(sequence: number, target: Uint8Array, deadline: Instant): Promise<Instant | undefined> {
    while (!this.#closed) {
      while (this.#receive()) {
        if (this.#isReply(sequence, target)) return monotonicNow();
      }
      if (monotonicNow() >= deadline) return undefined;
      await this.#waiter.wait(deadline);
    }
    return undefined;
  }

  async #pause(until: Instant): Promise<void> {
    while (!this.#closed && monotonicNow() < until) {
      await this.#waiter.wait(until);
      while (this.#receive()); // replies that come too late, or are another's
    }
  }

  #receive(): boolean {
    const { length } = this.#from;
    this.#fromLength[0] = length;
    const buffer = this.#buffer;
    return this.#libc.recvfrom(this.#fd, buffer, buffer.length, MSG_DONTWAIT, this.#from, this.#fromLength) >
      0;
  }

  #isReply(sequence: number, target: Uint8Array): boolean {
    const bytes = this.#buffer;
    const at = this.#raw ? (bytes[0]! & 0xf) * 4 : 0;
    for (let i = 4; i < 8; i++) {
      if (this.#from[i] !== target[i]) return false;
    }
    // A ping socket's identifier is the kernel's choice, and the kernel sorts by it.
    const identifier = bytes[at + 4]! << 8 | bytes[at + 5]!;
    return bytes[at] === ECHO_REPLY && (bytes[at + 6]! << 8 | bytes[at + 7]!) === sequence &&
      (!this.#raw || identifier === this.#identifier);
  }
}

/** RFC 1071, of bytes from 0 to `length`. */
function checksum(bytes: Uint8Array, length: number): number {
  let sum = 0;
  for (let at = 0; at < length; at += 2) sum += bytes[at]! << 8 | (at + 1 < length ? bytes[at + 1]! : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
