/**
 * Capture files for tests, built byte by byte, so that they can be of either byte order and as wrong as a test wants.
 *
 * @module
 */
import {
  ClassicPcapWriter,
  type Direction,
  type FrameWriter,
  PcapWriter,
  type PcapWriterOptions,
} from "../../mod.ts";

/**
 * Whether a frame is an ARP announcement (RFC 5227 2.3): of an IPv4 host's start two are sent, when they are due and not
 * in answer to anything.
 */
export function isAnnouncement(frame: Uint8Array): boolean {
  const isArp = frame[12] === 8 && frame[13] === 6;
  return isArp && frame.slice(28, 32).toHex() === frame.slice(38, 42).toHex();
}

/** A number to be written: its value and its bits. */
type Field = readonly [value: number | bigint, bits: 8 | 16 | 32 | 64];

/** The numbers in a row, in one byte order. */
export function fields(little: boolean, ...fields: readonly Field[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [, bits]) => sum + bits / 8, 0)));
  let at = 0;
  for (const [value, bits] of fields) {
    if (bits === 64) view.setBigUint64(at, BigInt(value), little);
    else if (bits === 32) view.setUint32(at, Number(value), little);
    else if (bits === 16) view.setUint16(at, Number(value), little);
    else view.setUint8(at, Number(value));
    at += bits / 8;
  }
  return new Uint8Array(view.buffer);
}

/** The parts in a row. */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The bytes with zeros behind them up to whole words. */
export function pad(bytes: Uint8Array): Uint8Array {
  return join(bytes, new Uint8Array(-bytes.length & 3));
}

/** An option of pcapng. */
export function option(little: boolean, code: number, value: Uint8Array): Uint8Array {
  return join(fields(little, [code, 16], [value.length, 16]), pad(value));
}

/** A block of pcapng around a body of whole words. */
export function block(little: boolean, type: number, body: Uint8Array): Uint8Array {
  const length = body.length + 12;
  return join(fields(little, [type, 32], [length, 32]), body, fields(little, [length, 32]));
}

/** A section header. */
export function section(little: boolean, major: number = 1): Uint8Array {
  const body = fields(little, [0x1a2b3c4d, 32], [major, 16], [0, 16], [0xffff_ffff_ffff_ffffn, 64]);
  return block(little, 0x0a0d0d0a, body);
}

/** An interface description. */
export function iface(little: boolean, linkType: number, snap: number, ...options: Uint8Array[]): Uint8Array {
  return block(little, 1, join(fields(little, [linkType, 16], [0, 16], [snap, 32]), ...options));
}

/** What an enhanced packet block tells, true or not. */
export interface EnhancedFields {
  readonly interfaceId?: number;
  readonly ticks?: bigint;
  readonly captured?: number;
  readonly original?: number;
  readonly options?: readonly Uint8Array[];
}

/** An enhanced packet block. */
export function enhanced(little: boolean, data: Uint8Array, tells: EnhancedFields = {}): Uint8Array {
  const ticks = tells.ticks ?? 0n;
  const header = fields(
    little,
    [tells.interfaceId ?? 0, 32],
    [ticks >> 32n, 32],
    [ticks & 0xffff_ffffn, 32],
    [tells.captured ?? data.length, 32],
    [tells.original ?? data.length, 32],
  );
  return block(little, 6, join(header, pad(data), ...tells.options ?? []));
}

/** The header of a classic file. */
export function classicHeader(
  little: boolean,
  magic: number,
  linkType: number,
  minor: number = 4,
): Uint8Array {
  return fields(little, [magic, 32], [2, 16], [minor, 16], [0, 64], [262_144, 32], [linkType, 32]);
}

/** A record of a classic file. */
export function classicRecord(
  little: boolean,
  time: readonly [seconds: number, fraction: number],
  data: Uint8Array,
  captured: number = data.length,
  original: number = data.length,
): Uint8Array {
  return join(fields(little, [time[0], 32], [time[1], 32], [captured, 32], [original, 32]), data);
}

/** The text as UTF-8. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A frame to be written. */
export interface Written {
  readonly bytes: Uint8Array;
  readonly timestamp: number;
  readonly direction: Direction | undefined;
  readonly comment: string | undefined;
}

/** What a writer makes of the frames, each begun at some odd place of an arena. */
function written(
  list: readonly Written[],
  make: (sink: (chunk: Uint8Array) => void) => FrameWriter,
): Uint8Array {
  const chunks: Uint8Array[] = [];
  const writer = make((chunk) => chunks.push(chunk.slice()));
  const arena = new Uint8Array(4_096);
  for (const [index, { bytes, timestamp, direction, comment }] of list.entries()) {
    const at = index * 7;
    arena.set(bytes, at);
    writer.begin(arena, at, at + bytes.length, timestamp, direction);
    arena.fill(0xee);
    writer.finish(comment);
  }
  writer.end();
  return join(...chunks);
}

/** The frames as pcapng. */
export function ng(list: readonly Written[], options: PcapWriterOptions = {}): Uint8Array {
  return written(list, (sink) => new PcapWriter(sink, options));
}

/** The frames as classic pcap. */
export function classic(list: readonly Written[], options: PcapWriterOptions = {}): Uint8Array {
  return written(list, (sink) => new ClassicPcapWriter(sink, options));
}

/** A frame at time 0, of unknown direction unless told. */
export function frame(bytes: Uint8Array, more: Partial<Written> = {}): Written {
  return { bytes, timestamp: 0, direction: undefined, comment: undefined, ...more };
}
