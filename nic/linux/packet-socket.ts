/**
 * Packet sockets (packet(7)): all frames of an interface, received through a ring that is shared with the kernel
 * (Documentation/networking/packet_mmap.rst, TPACKET_V2).
 *
 * @module
 */
import type { Mac } from "../../stack/wire/mac.ts";
import { NicError } from "../error.ts";
import type { Instruction } from "../filter/instruction.ts";
import { Errno, errnoText } from "./errno.ts";
import { errno, libc, memory } from "./libc.ts";
import { addressOf, Mapping, putAddress } from "./mapping.ts";
import { interfaceIndex, interfaceName } from "./netif.ts";

const AF_PACKET = 17, SOCK_RAW = 3, SOCK_NONBLOCK = 0o4000, SOCK_CLOEXEC = 0o2000000, ETH_P_ALL = 0x0300;
const SOL_SOCKET = 1, SO_ERROR = 4, SO_ATTACH_FILTER = 26, SO_LOCK_FILTER = 44;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1, PACKET_RX_RING = 5, PACKET_STATISTICS = 6, PACKET_VERSION = 10;
const PACKET_RESERVE = 12, PACKET_VNET_HDR = 15, PACKET_FANOUT = 18, PACKET_IGNORE_OUTGOING = 23;
const FANOUT_HASH = 0, FANOUT_UNIQUE_ID = 0x2000, FANOUT_IGNORE_OUTGOING = 0x4000;
const TPACKET_V2 = 1;

/** What a packet socket may ask of the interface's own filter. */
export const Membership = { Promiscuous: 1, AllGroups: 2, Station: 3 } as const;

/** Blocks of the ring, frames in each, and the longest that a frame of the ring can be. */
export interface RingShape {
  /** How many blocks there are. */
  readonly blocks: number;
  /** A block's length in bytes: a multiple of a page. */
  readonly blockSize: number;
  /** A frame's length in bytes, with what the kernel says of it: a multiple of 16. */
  readonly frameSize: number;
  /** Bytes to be left free before each frame. */
  readonly reserve: number;
}

/** A socket that another thread has opened and closes. */
export interface LentSocket {
  /** The descriptor. */
  readonly fd: number;
  /** See {@linkcode PacketSocket.hasHeader}. */
  readonly hasHeader: boolean;
}

/** A packet socket on an interface. It receives from {@linkcode PacketSocket.bind} on. */
export class PacketSocket {
  /** The descriptor. */
  readonly fd: number;
  /** Whether every frame has a `struct virtio_net_hdr` before it, in both directions. */
  readonly hasHeader: boolean;
  readonly #interface: string;
  readonly #index: number;
  readonly #value: Int32Array<ArrayBuffer> = new Int32Array(memory(8).buffer);
  readonly #length: Int32Array<ArrayBuffer> = new Int32Array(memory(4).buffer);

  /** Opens one for the interface `name`, or uses one that is lent. Throws {@linkcode NicError}. */
  constructor(name: string, lent?: LentSocket) {
    this.#interface = name;
    this.#index = interfaceIndex(name);
    if (this.#index === 0) {
      throw new NicError(name, "not-found", "no such interface", "list them with: ip link");
    }
    if (lent !== undefined) {
      this.fd = lent.fd;
      this.hasHeader = lent.hasHeader;
      return;
    }
    // With protocol 0 nothing is received before the ring is there.
    this.fd = libc(name).socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (this.fd < 0) throw openError(name, errno());
    this.hasHeader = this.#set(PACKET_VNET_HDR, 1);
  }

  /** Gives it a ring to receive through. */
  ring({ blocks, blockSize, frameSize, reserve }: RingShape): Mapping {
    this.#require(this.#set(PACKET_VERSION, TPACKET_V2), "have rings of version 2");
    this.#require(this.#set(PACKET_RESERVE, reserve), "keep room before frames");
    const frames = blocks * Math.floor(blockSize / frameSize);
    this.#require(this.#set(PACKET_RX_RING, blockSize, blocks, frameSize, frames), "make its ring");
    return this.map({ blocks, blockSize });
  }

  /** The ring that it has been given. */
  map({ blocks, blockSize }: Pick<RingShape, "blocks" | "blockSize">): Mapping {
    return new Mapping(this.#interface, this.fd, blocks * blockSize);
  }

  /** Has the kernel drop what the program does not pass, for good: nobody can replace it then. */
  filter(program: readonly Instruction[], lock: boolean): void {
    // struct sock_filter { u16 code; u8 jt, jf; u32 k; }, struct sock_fprog { u16 length; struct sock_filter *filter; }
    const instructions = memory(program.length * 8);
    const view = new DataView(instructions.buffer);
    program.forEach(({ code, jt, jf, k }, index) => {
      view.setUint16(index * 8, code, true);
      view.setUint8(index * 8 + 2, jt);
      view.setUint8(index * 8 + 3, jf);
      view.setUint32(index * 8 + 4, k >>> 0, true);
    });
    const head = new Int32Array(memory(16).buffer);
    head[0] = program.length;
    putAddress(head, 2, addressOf(instructions));
    const isSet = libc().setsockopt(this.fd, SOL_SOCKET, SO_ATTACH_FILTER, head, 16) === 0;
    this.#require(isSet, "attach a filter");
    if (lock) {
      const one = Int32Array.of(1);
      this.#require(libc().setsockopt(this.fd, SOL_SOCKET, SO_LOCK_FILTER, one, 4) === 0, "lock its filter");
    }
  }

  /** Starts receiving. What the host itself sends is left out, where the kernel can; a filter does the rest. */
  bind(): void {
    this.#set(PACKET_IGNORE_OUTGOING, 1);
    this.#require(this.#bind(ETH_P_ALL), "receive from it");
  }

  /**
   * Makes one of several sockets of it, over which the kernel shares frames out by the hash of their flows; `group` is
   * what this answered for the first of them. It must be bound.
   */
  shareOut(group: number | undefined): number {
    const type = (FANOUT_HASH | FANOUT_IGNORE_OUTGOING | (group === undefined ? FANOUT_UNIQUE_ID : 0)) << 16;
    this.#require(this.#set(PACKET_FANOUT, type | (group ?? 0)), "share its frames with others");
    this.#length[0] = 4;
    const isAsked = libc().getsockopt(this.fd, SOL_PACKET, PACKET_FANOUT, this.#value, this.#length) === 0;
    this.#require(isAsked, "tell with whom it shares frames");
    return this.#value[0]! & 0xffff;
  }

  /** Asks the interface to receive more than what is for the host; `mac`: this station too. False: it cannot. */
  join(membership: number, mac?: Mac): boolean {
    // struct packet_mreq { int index; u16 type, address_length; u8 address[8]; }
    const request = memory(16);
    const view = new DataView(request.buffer);
    view.setInt32(0, this.#index, true);
    view.setUint16(4, membership, true);
    view.setUint16(6, 6, true);
    mac?.write(request, 8);
    return libc().setsockopt(this.fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, request, 16) === 0;
  }

  /** The interface's present name: it may have been renamed. Undefined: it has been removed. */
  interfaceName(): string | undefined {
    return interfaceName(this.#index);
  }

  /** The error that waits at the socket, an errno, which is taken away by asking; 0: none. */
  takeError(): number {
    this.#length[0] = 4;
    const isAsked = libc().getsockopt(this.fd, SOL_SOCKET, SO_ERROR, this.#value, this.#length) === 0;
    return isAsked ? this.#value[0]! : Errno.EBADF;
  }

  /** How many frames the ring had no room for since this was last asked. */
  takeDrops(): number {
    // struct tpacket_stats { unsigned packets, drops; }
    this.#length[0] = 8;
    const isAsked =
      libc().getsockopt(this.fd, SOL_PACKET, PACKET_STATISTICS, this.#value, this.#length) === 0;
    return isAsked ? this.#value[1]! >>> 0 : 0;
  }

  /** Receives nothing more and gives the descriptor back; the interface forgets what it was asked for. */
  close(): void {
    this.#bind(0);
    libc().close(this.fd);
  }

  #bind(protocol: number): boolean {
    // struct sockaddr_ll { u16 family, protocol; int index; u16 type; u8 packet_type, length; u8 address[8]; }
    const address = memory(20);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_PACKET, true);
    view.setUint16(2, protocol, true);
    view.setInt32(4, this.#index, true);
    return libc().bind(this.fd, address, 20) === 0;
  }

  #set(option: number, ...values: number[]): boolean {
    const value = Int32Array.from(values);
    return libc().setsockopt(this.fd, SOL_PACKET, option, value, value.byteLength) === 0;
  }

  #require(isDone: boolean, what: string): void {
    if (isDone) return;
    const code = errno();
    throw new NicError(this.#interface, "failed", `the packet socket cannot ${what} (${errnoText(code)})`);
  }
}

function openError(name: string, code: number): NicError {
  const problem = `no packet socket to be had (${errnoText(code)})`;
  switch (code) {
    case Errno.EPERM:
    case Errno.EACCES: {
      const remedy = "run as root or with CAP_NET_RAW, or in a user namespace: unshare -Urn ...";
      return new NicError(name, "permission", problem, remedy);
    }
    case Errno.EAFNOSUPPORT:
      return new NicError(name, "unsupported", problem, "the kernel needs CONFIG_PACKET: modprobe af_packet");
    default:
      return new NicError(name, "failed", problem);
  }
}
