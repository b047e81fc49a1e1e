/**
 * A client on the kernel's own sockets, as ping(8) is one: sends echo requests and waits for the answers by blocking
 * calls, so it keeps this thread for itself meanwhile.
 *
 * @module
 */
import { errnoText } from "../../nic/linux/errno.ts";
import { cString, errno, libc, memory } from "../../nic/linux/libc.ts";
import { put16 } from "../../stack/wire/bytes.ts";
import * as icmpv4 from "../../stack/wire/icmpv4.ts";

/** What is echoed. */
export type Protocol = "icmp" | "udp";

/** What became of a flood. */
export interface FloodResult {
  /** Requests that were answered. */
  readonly answered: number;
  /** Requests that were not, within the time that an answer is waited for. */
  readonly lost: number;
  /** How long it took. */
  readonly seconds: number;
}

const AF_INET = 2, SOCK_DGRAM = 2, SOCK_RAW = 3, IPPROTO_ICMP = 1, ECHO_PORT = 7;
const SOL_SOCKET = 1, SO_RCVTIMEO = 20, SOL_RAW = 255, ICMP_FILTER = 1;

/** How long an answer is waited for, in microseconds. */
const PATIENCE = 200_000;

/** How often a flood looks at the clock. */
const CLOCK_INTERVAL = 256;

/** Keeps this thread for so many microseconds. */
export function sleep(duration: number): void {
  const timeout = new Int32Array(memory(16).buffer);
  timeout[0] = Math.floor(duration / 1_000_000);
  timeout[2] = (duration % 1_000_000) * 1_000;
  libc().ppoll(timeout, 0, timeout, null);
}

/** A socket and the requests that go through it. */
export class Client {
  readonly #libc = libc();
  readonly #fd: number;
  readonly #request: Uint8Array<ArrayBuffer>;
  readonly #answer = memory(2_048);
  readonly #target = memory(16);
  readonly #from = memory(16);
  readonly #fromLength = memory(4);
  readonly #isIcmp: boolean;
  #sequence = 0;

  /** A client that sends `length` bytes of data to an IPv4 address. Throws an Error: no socket to be had. */
  constructor(protocol: Protocol, address: string, length: number) {
    const c = this.#libc;
    this.#isIcmp = protocol === "icmp";
    this.#fd = this.#isIcmp ? c.socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) : c.socket(AF_INET, SOCK_DGRAM, 0);
    if (this.#fd < 0) throw new Error(`no ${protocol} socket to be had (${errnoText(errno())})`);
    const patience = new Int32Array(memory(16).buffer);
    patience[2] = PATIENCE;
    c.setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, patience, patience.byteLength);
    // All types but echo replies are kept away.
    const filter = Int32Array.of(~(1 << icmpv4.Type.EchoReply));
    if (this.#isIcmp) c.setsockopt(this.#fd, SOL_RAW, ICMP_FILTER, filter, filter.byteLength);
    // struct sockaddr_in { short family; port, address in network order; zeroes }
    const target = this.#target;
    target[0] = AF_INET;
    put16(target, 2, this.#isIcmp ? 0 : ECHO_PORT);
    c.inet_pton(AF_INET, cString(address), target.subarray(4, 8));
    this.#request = memory((this.#isIcmp ? icmpv4.HEADER_LENGTH : 0) + length);
    this.#request.forEach((_, index) => this.#request[index] = index);
    icmpv4.emitEcho(this.#request, 0, icmpv4.Type.EchoRequest, this.#fd, 0);
  }

  /** Sends requests one after the other, each `gap` microseconds after the last answer; round trips in microseconds. */
  roundTrips(count: number, gap: number): number[] {
    const times: number[] = [];
    for (let turn = 0; turn < count; turn++) {
      if (gap > 0) sleep(gap);
      const start = performance.now();
      this.#send();
      let length = this.#receive();
      while (length > 0 && !this.#isLast()) length = this.#receive();
      if (length > 0) times.push((performance.now() - start) * 1e3);
    }
    return times;
  }

  /** Keeps so many requests on their way for so many seconds. Those without an answer in time are lost. */
  flood(outstanding: number, seconds: number): FloodResult {
    const start = performance.now();
    const until = start + seconds * 1e3;
    let underway = 0, answered = 0, lost = 0;
    let isOver = false;
    while (!isOver || underway > 0) {
      for (; !isOver && underway < outstanding; underway++) this.#send();
      if (this.#receive() > 0) {
        answered++;
        underway--;
      } else {
        lost += underway;
        underway = 0;
      }
      if (answered % CLOCK_INTERVAL === 0 || underway === 0) isOver = performance.now() >= until;
    }
    return { answered, lost, seconds: (performance.now() - start) / 1e3 };
  }

  #send(): void {
    const bytes = this.#request;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    icmpv4.setSequence(bytes, 0, this.#sequence);
    if (this.#isIcmp) icmpv4.fillChecksum(bytes, 0, bytes.length);
    const target = this.#target;
    if (this.#libc.sendto(this.#fd, bytes, bytes.length, 0, target, target.length) < 0) {
      throw new Error(`the kernel cannot send (${errnoText(errno())})`);
    }
  }

  /** Waits for an answer; its length, or -1. */
  #receive(): number {
    const answer = this.#answer;
    this.#fromLength[0] = this.#from.length;
    return this.#libc.recvfrom(this.#fd, answer, answer.length, 0, this.#from, this.#fromLength);
  }

  /** Whether the answer is to the last request. */
  #isLast(): boolean {
    // A raw socket hands over the IP header too.
    const at = this.#isIcmp ? (this.#answer[0]! & 0xf) * 4 : 0;
    return icmpv4.sequence(this.#answer, at) === this.#sequence;
  }
}
