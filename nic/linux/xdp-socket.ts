/**
 * AF_XDP sockets (Documentation/networking/af_xdp.rst of Linux): frames in memory of ours that the kernel fills and
 * sends, and four rings that tell which.
 *
 * @module
 */
import { NicError } from "../error.ts";
import { Errno, errnoText } from "./errno.ts";
import { errno, libc, memory } from "./libc.ts";
import { addressOf, Mapping, putAddress } from "./mapping.ts";

const AF_XDP = 44, SOCK_RAW = 3, SOCK_NONBLOCK = 0o4000, SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1, SO_ERROR = 4, SOL_XDP = 283;
const XDP_MMAP_OFFSETS = 1, XDP_RX_RING = 2, XDP_TX_RING = 3, XDP_UMEM_REG = 4, XDP_FILL_RING = 5;
const XDP_COMPLETION_RING = 6, XDP_STATISTICS = 7, XDP_OPTIONS = 8;
const USE_NEED_WAKEUP = 8, ZERO_COPY = 1, MSG_DONTWAIT = 0x40, NEED_WAKEUP = 1, POLLIN = 0x1;

/** Where each ring is mapped from: the receive ring, the send ring, the fill ring, the completion ring. */
const PAGE_OFFSETS = [0, 0x8000_0000, 0x1_0000_0000, 0x1_8000_0000] as const;

/** A frame in a ring for frames: its address in two words, its length, options. */
const DESCRIPTOR_WORDS = 4, ADDRESS_WORDS = 2;

/** The kernel takes some milliseconds to let go of a queue whose last socket was closed. */
const BUSY_TURNS = 50, BUSY_REST = 4_000_000;

/** A ring with one who puts in and one who takes out: on one side the kernel, on the other side we. */
export class XdpRing {
  /** How many entries there may be: a power of two. */
  readonly size: number;
  readonly #mapping: Mapping;
  readonly #words: Int32Array;
  readonly #producer: number;
  readonly #consumer: number;
  readonly #flags: number;
  readonly #entries: number;
  readonly #stride: number;
  /** Our own index, which the other side sees when it is published. */
  #own = 0;

  /** A ring of `size` entries of `stride` words; `offsets` are the kernel's for it, in words. */
  constructor(mapping: Mapping, size: number, stride: number, offsets: readonly number[]) {
    this.#mapping = mapping;
    this.#words = mapping.words;
    this.size = size;
    [this.#producer = 0, this.#consumer = 0, this.#entries = 0, this.#flags = 0] = offsets;
    this.#stride = stride;
  }

  /** How many entries the kernel has put in that we have not taken. */
  get filled(): number {
    return (Atomics.load(this.#words, this.#producer) - this.#own) | 0;
  }

  /** How many entries we have put in that the kernel has not taken. */
  get waiting(): number {
    return (this.#own - Atomics.load(this.#words, this.#consumer)) | 0;
  }

  /** Whether the kernel wants a call before it goes on. */
  get wantsWakeup(): boolean {
    return (Atomics.load(this.#words, this.#flags) & NEED_WAKEUP) !== 0;
  }

  /** The word where our next entry is; moves on to the one behind it. */
  next(): number {
    const own = this.#own;
    // 32 bits that wrap, as the kernel's: beyond them the number would be an object on the heap, packet by packet.
    this.#own = (own + 1) | 0;
    return this.#entries + (own & (this.size - 1)) * this.#stride;
  }

  /** The rings' memory. */
  get words(): Int32Array {
    return this.#words;
  }

  /** Shows the kernel what we have put in. */
  publishProduced(): void {
    Atomics.store(this.#words, this.#producer, this.#own);
  }

  /** Shows the kernel what we have taken out. */
  publishConsumed(): void {
    Atomics.store(this.#words, this.#consumer, this.#own);
  }

  /** Lets go of the memory. */
  release(): void {
    this.#mapping.release();
  }
}

/** How an {@linkcode XdpSocket} is set up. */
export interface XdpShape {
  /** Entries of each ring: a power of two. */
  readonly entries: number;
  /** The length of each frame in the memory. */
  readonly chunkSize: number;
  /** Bytes kept free before each frame that is received, beside the kernel's own. */
  readonly headroom: number;
}

/** A socket over frames of ours. It receives once it is bound and in the map of a program. */
export class XdpSocket {
  /** The descriptor. */
  readonly fd: number;
  /** What has arrived. */
  readonly rx: XdpRing;
  /** What is to leave. */
  readonly tx: XdpRing;
  /** Frames for the kernel to receive into. */
  readonly fill: XdpRing;
  /** Frames that have left. */
  readonly completion: XdpRing;
  readonly #interface: string;
  readonly #value: Int32Array<ArrayBuffer> = new Int32Array(memory(48).buffer);
  readonly #length: Int32Array<ArrayBuffer> = new Int32Array(memory(4).buffer);
  /** struct pollfd { int fd; short events, revents; } */
  readonly #look: Int32Array<ArrayBuffer> = new Int32Array(memory(8).buffer);

  /** Throws {@linkcode NicError} in the name of the interface `name`. */
  constructor(name: string, frames: Uint8Array, shape: XdpShape) {
    this.#interface = name;
    this.fd = libc(name).socket(AF_XDP, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (this.fd < 0) throw openError(name, errno());
    const rings: XdpRing[] = [];
    try {
      this.#register(frames, shape);
      for (const option of [XDP_RX_RING, XDP_TX_RING, XDP_FILL_RING, XDP_COMPLETION_RING]) {
        this.#require(this.#set(option, shape.entries), "have its rings");
      }
      const offsets = this.#offsets();
      for (const [index, page] of PAGE_OFFSETS.entries()) {
        const stride = index < 2 ? DESCRIPTOR_WORDS : ADDRESS_WORDS;
        // producer, consumer, entries, flags, in bytes.
        const places = offsets.slice(index * 4, index * 4 + 4);
        const mapping = new Mapping(name, this.fd, places[2]! + shape.entries * stride * 4, page);
        rings.push(new XdpRing(mapping, shape.entries, stride, places.map((at) => at >> 2)));
      }
    } catch (error) {
      for (const ring of rings) ring.release();
      libc().close(this.fd);
      throw error;
    }
    this.#look.set([this.fd, POLLIN]);
    [this.rx, this.tx, this.fill, this.completion] = rings as [XdpRing, XdpRing, XdpRing, XdpRing];
  }

  /** Takes a queue of an interface. Answers whether frames go without being copied. */
  bind(index: number, queue: number): boolean {
    // struct sockaddr_xdp { u16 family, flags; u32 ifindex, queue, shared_umem_fd; }
    const address = memory(16);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_XDP, true);
    // Without a wish for either, the kernel copies only where the driver cannot do without.
    view.setUint16(2, USE_NEED_WAKEUP, true);
    view.setUint32(4, index, true);
    view.setUint32(8, queue, true);
    for (let turn = 0; libc().bind(this.fd, address, 16) < 0; turn++) {
      const code = errno();
      if (code !== Errno.EBUSY || turn === BUSY_TURNS) throw bindError(this.#interface, queue, code);
      rest();
    }
    return (this.#get(XDP_OPTIONS, 4) & ZERO_COPY) !== 0;
  }

  /** Whether frames have arrived. A driver that waits for a call before it receives more gets one. */
  hasArrived(): boolean {
    if (this.rx.filled !== 0) return true;
    return this.fill.wantsWakeup && libc().poll(this.#look, 1, 0) > 0;
  }

  /** Has the kernel send. Answers 0, or the errno of what kept it from sending all. */
  kick(): number {
    return libc().sendto(this.fd, null, 0, MSG_DONTWAIT, null, 0) < 0 ? errno() : 0;
  }

  /** The error that waits at the socket, an errno, which is taken away by asking; 0: none. */
  takeError(): number {
    this.#length[0] = 4;
    const isAsked = libc().getsockopt(this.fd, SOL_SOCKET, SO_ERROR, this.#value, this.#length) === 0;
    return isAsked ? this.#value[0]! : Errno.EBADF;
  }

  /** How many frames there was no room for since the socket was made. */
  drops(): number {
    // struct xdp_statistics { u64 rx_dropped, rx_invalid, tx_invalid, rx_ring_full, fill_ring_empty, tx_ring_empty; }
    this.#get(XDP_STATISTICS, 48);
    return (this.#value[0]! >>> 0) + (this.#value[6]! >>> 0);
  }

  /** Gives everything back. */
  close(): void {
    for (const ring of [this.rx, this.tx, this.fill, this.completion]) ring.release();
    libc().close(this.fd);
  }

  #register(frames: Uint8Array, { chunkSize, headroom }: XdpShape): void {
    // struct xdp_umem_reg { u64 address, length; u32 chunk_size, headroom, flags, metadata; }
    const region = new Int32Array(memory(32).buffer);
    putAddress(region, 0, addressOf(frames));
    putAddress(region, 2, frames.length);
    region[4] = chunkSize;
    region[5] = headroom;
    const isDone = libc().setsockopt(this.fd, SOL_XDP, XDP_UMEM_REG, region, 32) === 0;
    if (!isDone && (errno() === Errno.ENOBUFS || errno() === Errno.ENOMEM)) {
      const remedy = "run with CAP_IPC_LOCK, or as root: ulimit -l unlimited";
      throw new NicError(this.#interface, "failed", "its frames cannot be locked in memory", remedy);
    }
    this.#require(isDone, "take its frames");
  }

  /** Where the kernel has what: for each ring in bytes producer, consumer, entries, flags. */
  #offsets(): number[] {
    const value = new Int32Array(memory(128).buffer);
    this.#length[0] = 128;
    const isAsked = libc().getsockopt(this.fd, SOL_XDP, XDP_MMAP_OFFSETS, value, this.#length) === 0;
    this.#require(isAsked && this.#length[0] === 128, "tell where its rings are");
    return Array.from({ length: 16 }, (_, index) => value[index * 2]!);
  }

  #set(option: number, number: number): boolean {
    this.#value[0] = number;
    return libc().setsockopt(this.fd, SOL_XDP, option, this.#value, 4) === 0;
  }

  #get(option: number, length: number): number {
    this.#value.fill(0);
    this.#length[0] = length;
    return libc().getsockopt(this.fd, SOL_XDP, option, this.#value, this.#length) < 0 ? 0 : this.#value[0]!;
  }

  #require(isDone: boolean, what: string): void {
    if (isDone) return;
    const code = errno();
    throw new NicError(this.#interface, "failed", `the XDP socket cannot ${what} (${errnoText(code)})`);
  }
}

/** Sleeps for a moment, on this very thread. */
function rest(): void {
  // struct timespec { int64 seconds, nanoseconds; }
  const time = new Int32Array(memory(16).buffer);
  time[2] = BUSY_REST;
  libc().ppoll(null, 0, time, null);
}

function openError(name: string, code: number): NicError {
  const problem = `no XDP socket to be had (${errnoText(code)})`;
  switch (code) {
    case Errno.EPERM:
    case Errno.EACCES:
      return new NicError(name, "permission", problem, "run as root or with CAP_NET_RAW; or use raw:");
    case Errno.EAFNOSUPPORT:
      return new NicError(name, "unsupported", problem, "the kernel needs CONFIG_XDP_SOCKETS; or use raw:");
    default:
      return new NicError(name, "failed", problem);
  }
}

function bindError(name: string, queue: number, code: number): NicError {
  const problem = `queue ${queue} cannot be taken (${errnoText(code)})`;
  switch (code) {
    case Errno.EBUSY:
      return new NicError(
        name,
        "busy",
        `queue ${queue} is somebody else's`,
        "stop that, or take another: queue=N",
      );
    case Errno.EINVAL:
      return new NicError(name, "invalid", problem, `\`ethtool -l ${name}\` lists its queues: queue=N`);
    default:
      return new NicError(name, "failed", problem);
  }
}
