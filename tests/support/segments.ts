/** Segments for tests: what a {@linkcode Segment} says becomes bytes, and bytes become an {@linkcode Answer}. */
import { ok } from "node:assert/strict";
import type { Instant } from "../../stack/store/time.ts";
import * as option from "../../stack/wire/tcp-options.ts";
import * as wire from "../../stack/wire/tcp.ts";

/** The port of the host under test, and the peer's. */
export const OWN_PORT = 80,
  PEER_PORT = 5_000;

/** Options of a segment; what is absent is not sent. */
export interface Options {
  readonly mss?: number;
  readonly scale?: number;
  readonly sackPermitted?: boolean;
  /** Value and echo. */
  readonly timestamps?: readonly [number, number];
  /** Blocks of the host's numbers, relative. */
  readonly sack?: readonly (readonly [number, number])[];
}

/** A segment from the peer. */
export interface Segment extends Options {
  /** Letters of S, F, R, P, A, U, E, C. */
  readonly flags: string;
  /** Relative to the peer's first; by default what comes next. */
  readonly seq?: number;
  /** Relative to the host's first; by default all that it has sent. Only with A. */
  readonly ack?: number;
  /** So many bytes of the pattern. */
  readonly length?: number;
  /** All of them this one instead. */
  readonly byte?: number;
  /** The field, not scaled. Default 65,535. */
  readonly window?: number;
  readonly trafficClass?: number;
  readonly port?: number;
  readonly ownPort?: number;
  /** Where it goes; by default to the host. */
  readonly destination?: string;
  /** Added to the right checksum. */
  readonly checksumError?: number;
  /** The NIC has put it together from segments of so many bytes, and says so. */
  readonly segmentSize?: number;
}

/** A segment from the host. */
export interface Answer extends Options {
  /** Letters as in {@linkcode Segment}, in the order SFRAEC; PSH apart. */
  readonly flags: string;
  readonly push: boolean;
  readonly seq: number;
  /** 0 without A. */
  readonly ack: number;
  readonly length: number;
  /** The field, not scaled. */
  readonly window: number;
  readonly trafficClass: number;
  readonly port: number;
  /** When it left. */
  readonly time: Instant;
  readonly data: Uint8Array;
}

/** The letters of flags, in the order in which answers have them. */
export const LETTERS = [
  ["S", wire.Flag.Syn],
  ["F", wire.Flag.Fin],
  ["R", wire.Flag.Rst],
  ["A", wire.Flag.Ack],
  ["U", wire.Flag.Urg],
  ["E", wire.Flag.Ece],
  ["C", wire.Flag.Cwr],
] as const;

/** The bytes of options; blocks count from the host's first number `irs`. */
export function optionBytes(options: Options, irs: number): Uint8Array {
  const bytes = new Uint8Array(60);
  let at = 0;
  if (options.mss !== undefined) at = option.putMss(bytes, at, options.mss);
  if (options.scale !== undefined) at = option.putWindowScale(bytes, at, options.scale);
  if (options.sackPermitted === true) at = option.putSackPermitted(bytes, at);
  if (options.timestamps !== undefined) at = option.putTimestamps(bytes, at, ...options.timestamps);
  if (options.sack !== undefined) {
    at = option.putSack(bytes, at, options.sack.length);
    for (const [left, right] of options.sack) {
      at = option.putSackBlock(bytes, at, (irs + left) | 0, (irs + right) | 0);
    }
  }
  ok(at <= 40, "too many options for a header");
  return bytes.slice(0, at);
}

/** The options of the segment at `frame[at..)`; blocks count from the peer's first number `iss`. */
export function readOptions(frame: Uint8Array, at: number, iss: number): Options {
  const mss = option.maximumSegmentSize(frame, at), scale = option.windowScale(frame, at);
  const timestamps = option.findTimestamps(frame, at), sack = option.findSack(frame, at);
  return {
    ...(mss > 0 ? { mss } : {}),
    ...(scale >= 0 ? { scale } : {}),
    ...(option.sackPermitted(frame, at) ? { sackPermitted: true } : {}),
    ...(timestamps >= 0
      ? { timestamps: [option.timestampValue(frame, timestamps), option.timestampEcho(frame, timestamps)] }
      : {}),
    ...(sack >= 0
      ? {
        sack: Array.from({ length: option.sackBlocks(frame, sack) }, (_, block) =>
          [
            (option.sackLeft(frame, sack, block) - iss) | 0,
            (option.sackRight(frame, sack, block) - iss) | 0,
          ] as const),
      }
      : {}),
  };
}
