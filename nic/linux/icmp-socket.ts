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
import { interfaceIndex } from "./netif.ts";
import { monotonicNow, Waiter } from "./waiter.ts";

const MSG_DONTWAIT = 0x40;
const SOCK_RAW = 3, SOCK_DGRAM = 2, SOCK_NONBLOCK = 0o4000, SOCK_CLOEXEC = 0o2000000;
const SOCKET_FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC;

const ICMP_HEADER = 8, LONGEST_PACKET = 65_535;

/** What a family calls things: numbers of socket(2) and of ICMP, and how its socket addresses are laid out. */
interface Family {
  readonly name: string;
  readonly family: number;
  readonly protocol: number;
  readonly request: number;
  readonly reply: number;
  /** The length of its socket address, and the bytes of it that are the address. */
  readonly length: number;
  readonly from: number;
  readonly to: number;
  /** The most data that a request has room for. */
  readonly sizeMax: number;
  /** Whether a raw socket hands over the IP header, too (raw(7); RFC 3542 3 for IPv6). */
  readonly hasHeader: boolean;
  readonly example: string;
}

/** struct sockaddr_in { short family; port, address in network order; zeroes } */
const V4: Family = {
  name: "IPv4",
  family: 2,
  protocol: 1,
  request: 8,
  reply: 0,
  length: 16,
  from: 4,
  to: 8,
  sizeMax: LONGEST_PACKET - 20 - ICMP_HEADER,
  hasHeader: true,
  example: "10.0.0.1",
};

/** struct sockaddr_in6 { short family; port; uint32_t flow; address in network order; uint32_t interface } */
const V6: Family = {
  name: "IPv6",
  family: 10,
  protocol: 58,
  request: 128,
  reply: 129,
  length: 28,
  from: 8,
  to: 24,
  sizeMax: LONGEST_PACKET - ICMP_HEADER,
  hasHeader: false,
  example: "fd00::1",
};

/** Options of {@linkcode KernelPing.ping}. */
export interface PingOptions {
  /** How many requests: 4 by default; Infinity: until closed. */
  readonly count?: number;
  /** From one request to the next in milliseconds: 1000 by default. */
  readonly intervalMs?: number;
  /** Bytes of data in a request: 56 by default, 65,507 at most, of IPv6 65,527. */
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
  readonly #family: Family;
  /** Whether the kernel hands over anybody's messages, of IPv4 with their headers, rather than replies to ours. */
  readonly #raw: boolean;
  readonly #identifier: number;
  readonly #waiter: Waiter;
  readonly #buffer: Uint8Array<ArrayBuffer> = memory(LONGEST_PACKET);
  readonly #from: Uint8Array<ArrayBuffer>;
  readonly #fromLength: Uint8Array<ArrayBuffer> = memory(4);
  #closed = false;

  /**
   * Opens a raw socket for IP of the version, or a ping socket where that is forbidden. Throws {@linkcode NicError}.
   */
  constructor(version: 4 | 6 = 4) {
    const { family, protocol, length } = this.#family = version === 6 ? V6 : V4;
    this.#from = memory(length);
    const c = this.#libc = libc("ping");
    let fd = c.socket(family, SOCK_RAW | SOCKET_FLAGS, protocol);
    this.#raw = fd >= 0;
    if (!this.#raw) fd = c.socket(family, SOCK_DGRAM | SOCKET_FLAGS, protocol);
    if (fd < 0) {
      // The one variable is for both families.
      const remedy = "run as root, or as root: sysctl net.ipv4.ping_group_range='0 2147483647'";
      throw new NicError("ping", "permission", `no ICMP socket to be had (${errnoText(errno())})`, remedy);
    }
    this.#fd = fd;
    // A raw socket sees all replies; the descriptor tells ours from those of other sockets of this program.
    this.#identifier = (Deno.pid << 4 ^ fd) & 0xffff;
    try {
      this.#waiter = new Waiter(fd, "ping");
    } catch (error) {
      c.close(fd);
      throw error;
    }
  }

  /**
   * Sends echo requests to an address, one after the other, and yields what became of each. A link-local address of
   * IPv6 has its interface behind a percent sign. Throws {@linkcode NicError}: the text is no address of the family, the
   * kernel cannot send there.
   */
  async *ping(address: string, options: PingOptions = {}): AsyncGenerator<PingResult, void, void> {
    const { count = 4, intervalMs = 1_000, size = 56, timeoutMs = 1_000 } = options;
    const target = this.#target(address);
    const { sizeMax } = this.#family;
    if (!(size >= 0 && size <= sizeMax)) {
      throw new RangeError(`a ping's size must lie in 0..${sizeMax}, not be ${size}`);
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

  #target(address: string): Uint8Array {
    const { name, family, length, from, to, example } = this.#family;
    const target = memory(length);
    target[0] = family;
    const [text = "", zone] = family === V6.family ? address.split("%", 2) : [address];
    if (this.#libc.inet_pton(family, cString(text), target.subarray(from, to)) !== 1) {
      throw new NicError("ping", "invalid", `"${address}" is no ${name} address`, `write it as ${example}`);
    }
    if (zone !== undefined) new DataView(target.buffer).setUint32(to, interfaceIndex(zone), true);
    return target;
  }

  #send(sequence: number, size: number, address: string, target: Uint8Array): void {
    const packet = this.#buffer;
    const length = ICMP_HEADER + size;
    for (let at = ICMP_HEADER; at < length; at++) packet[at] = at - ICMP_HEADER;
    const { request } = this.#family;
    packet.set([request, 0, 0, 0, this.#identifier >> 8, this.#identifier, sequence >> 8, sequence]);
    // Of ICMPv6 the kernel knows better: its checksum covers the addresses (RFC 3542 3.1).
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
    const { hasHeader, from, to, reply } = this.#family;
    const at = this.#raw && hasHeader ? (bytes[0]! & 0xf) * 4 : 0;
    for (let i = from; i < to; i++) {
      if (this.#from[i] !== target[i]) return false;
    }
    // A ping socket's identifier is the kernel's choice, and the kernel sorts by it.
    const identifier = bytes[at + 4]! << 8 | bytes[at + 5]!;
    return bytes[at] === reply && (bytes[at + 6]! << 8 | bytes[at + 7]!) === sequence &&
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
