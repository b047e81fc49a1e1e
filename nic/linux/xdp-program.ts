/**
 * The XDP programs in front of AF_XDP: they run in the kernel for every frame that an interface receives, and choose
 * those that come to us. Instructions of eBPF (RFC 9669), as bytes.
 *
 * @module
 */
import { memory } from "./libc.ts";

/** The length of a key of the map of what is ours: an address of six bytes, or four and a mark, zeros behind it. */
export const KEY_LENGTH = 8;

/** What stands behind an IPv4 address in a key, so that it is not taken for the beginning of a MAC address. */
export const ARP_MARK = 1, ARP_MARK_AT = 6;

/** Fields of `struct xdp_md`. */
const DATA = 0, DATA_END = 4, QUEUE = 16;

const XDP_PASS = 2;
const MAP_LOOKUP = 1, REDIRECT_MAP = 51;

/** Ethernet's EtherType, ARP's target, and the ends of both headers. */
const ETHER_TYPE = 12, ETHERNET_END = 14, ARP_TARGET = 38, ARP_END = 42;
/** 0x0806 as a machine of the usual byte order loads it. */
const ARP = 0x0608;

const Code = {
  LoadWord: 0x61,
  LoadHalf: 0x69,
  StoreWord: 0x63,
  StoreImmediate: 0x62,
  Move: 0xbf,
  MoveImmediate: 0xb7,
  AddImmediate: 0x07,
  JumpIfGreater: 0x2d,
  JumpIfEqual: 0x15,
  JumpIfNot: 0x55,
  Call: 0x85,
  Exit: 0x95,
  LoadMap: 0x18,
} as const;

/** Sends every frame of a queue to its socket in the map `sockets`; where there is none, to the host. */
export function takeAll(sockets: number): Uint8Array<ArrayBuffer> {
  const code = new Assembler();
  redirect(code, 1, sockets);
  return code.bytes();
}

/**
 * Sends to the socket what is in the map `ours`: frames for a MAC address, and ARP packets whose target is an IPv4
 * address. Everything else goes to the host, as if there were no program.
 */
export function takeOurs(ours: number, sockets: number): Uint8Array<ArrayBuffer> {
  const code = new Assembler();
  const take = code.label(), pass = code.label();
  code.emit(Code.Move, 6, 1, 0, 0);
  code.emit(Code.LoadWord, 7, 6, DATA, 0);
  code.emit(Code.LoadWord, 8, 6, DATA_END, 0);
  // The verifier wants every access to lie before the end.
  beforeEnd(code, ETHERNET_END, pass);
  code.emit(Code.LoadWord, 5, 7, 0, 0);
  code.emit(Code.StoreWord, 10, 5, -8, 0);
  code.emit(Code.LoadHalf, 5, 7, 4, 0);
  code.emit(Code.StoreWord, 10, 5, -4, 0);
  lookUp(code, ours);
  code.jump(Code.JumpIfNot, 0, 0, 0, take);
  beforeEnd(code, ARP_END, pass);
  code.emit(Code.LoadHalf, 5, 7, ETHER_TYPE, 0);
  code.jump(Code.JumpIfNot, 5, 0, ARP, pass);
  code.emit(Code.LoadWord, 5, 7, ARP_TARGET, 0);
  code.emit(Code.StoreWord, 10, 5, -8, 0);
  code.emit(Code.StoreImmediate, 10, 0, -4, ARP_MARK << (ARP_MARK_AT - 4) * 8);
  lookUp(code, ours);
  code.jump(Code.JumpIfEqual, 0, 0, 0, pass);
  code.place(take);
  redirect(code, 6, sockets);
  code.place(pass);
  code.emit(Code.MoveImmediate, 0, 0, 0, XDP_PASS);
  code.emit(Code.Exit, 0, 0, 0, 0);
  return code.bytes();
}

/** Goes to `otherwise` unless the frame has so many bytes. */
function beforeEnd(code: Assembler, length: number, otherwise: Label): void {
  code.emit(Code.Move, 4, 7, 0, 0);
  code.emit(Code.AddImmediate, 4, 0, 0, length);
  code.jump(Code.JumpIfGreater, 4, 8, 0, otherwise);
}

/** Looks up the key at the end of the stack; r0 is 0 if it is not there. */
function lookUp(code: Assembler, map: number): void {
  code.loadMap(1, map);
  code.emit(Code.Move, 2, 10, 0, 0);
  code.emit(Code.AddImmediate, 2, 0, 0, -8);
  code.emit(Code.Call, 0, 0, 0, MAP_LOOKUP);
}

/** Ends with the socket of the frame's queue, or else the host; `context` is the register of `struct xdp_md`. */
function redirect(code: Assembler, context: number, sockets: number): void {
  code.emit(Code.LoadWord, 2, context, QUEUE, 0);
  code.loadMap(1, sockets);
  code.emit(Code.MoveImmediate, 3, 0, 0, XDP_PASS);
  code.emit(Code.Call, 0, 0, 0, REDIRECT_MAP);
  code.emit(Code.Exit, 0, 0, 0, 0);
}

/** A place in a program. */
interface Label {
  at: number;
}

/** Puts instructions into bytes: `struct bpf_insn { u8 code; u8 dst:4, src:4; s16 off; s32 imm; }`. */
class Assembler {
  readonly #bytes: number[] = [];
  readonly #jumps: { readonly at: number; readonly to: Label }[] = [];

  emit(code: number, destination: number, source: number, offset: number, immediate: number): void {
    this.#bytes.push(code, destination | source << 4, offset & 0xff, offset >> 8 & 0xff);
    for (let shift = 0; shift < 32; shift += 8) this.#bytes.push(immediate >> shift & 0xff);
  }

  /** A 64-bit load, which takes the place of two; source 1: the number is a map's descriptor. */
  loadMap(destination: number, map: number): void {
    this.emit(Code.LoadMap, destination, 1, 0, map);
    this.emit(0, 0, 0, 0, 0);
  }

  label(): Label {
    return { at: -1 };
  }

  place(label: Label): void {
    label.at = this.#bytes.length;
  }

  jump(code: number, destination: number, source: number, immediate: number, to: Label): void {
    this.#jumps.push({ at: this.#bytes.length, to });
    this.emit(code, destination, source, 0, immediate);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const bytes = memory(this.#bytes.length);
    bytes.set(this.#bytes);
    const view = new DataView(bytes.buffer);
    for (const { at, to } of this.#jumps) view.setInt16(at + 2, (to.at - at) / 8 - 1, true);
    return bytes;
  }
}
