/**
 * The options of a segment, read once into one reused object.
 *
 * @module
 */
import * as wire from "../wire/tcp-options.ts";
import * as tcp from "../wire/tcp.ts";

/** The MSS of a peer that sends none over IPv4 (RFC 9293 3.7.1). */
export const DEFAULT_MSS_V4 = 536;
/** The MSS of a peer that sends none over IPv6 (RFC 9293 3.7.1). */
export const DEFAULT_MSS_V6 = 1220;
/** A peer that announces less wants to make us send headers only (CVE-2019-11479). */
export const MIN_MSS = 64;
/** A window is never scaled by more (RFC 7323 2.3). */
export const MAX_WINDOW_SCALE = 14;
/** A header with timestamps, two bytes of padding, and nothing else. */
const TIMESTAMPS_ONLY = tcp.HEADER_LENGTH + wire.TIMESTAMPS_LENGTH;

/** What a segment's options say. */
export class SegmentOptions {
  /** The largest segment that the sender takes; 0: it does not say. */
  mss = 0;
  /** By how much the sender's windows are shifted; -1: it does not scale. */
  windowScale = -1;
  /** Whether the sender takes SACK. */
  sackPermitted = false;
  /** Whether there is a timestamp. */
  hasTimestamp = false;
  /** The sender's clock. */
  tsValue = 0;
  /** The latest of our clock that the sender has seen. */
  tsEcho = 0;
  /** The SACK option's first byte, for {@linkcode wire.sackLeft}; -1: there is none. */
  sackAt = -1;
  /** How many SACK blocks there are. */
  sackBlocks = 0;

  /** Reads the options of the segment at `bytes[at..)`, whose header was checked. What is malformed is not there. */
  read(bytes: Uint8Array, at: number, isSyn: boolean): void {
    this.mss = 0;
    this.windowScale = -1;
    this.sackPermitted = false;
    this.hasTimestamp = false;
    this.tsValue = this.tsEcho = 0;
    this.sackAt = -1;
    this.sackBlocks = 0;
    if (tcp.headerLength(bytes, at) === tcp.HEADER_LENGTH) return;
    if (isSyn) this.#readSyn(bytes, at);
    const timestamps = wire.findTimestamps(bytes, at);
    if (timestamps >= 0) {
      this.hasTimestamp = true;
      this.tsValue = wire.timestampValue(bytes, timestamps);
      this.tsEcho = wire.timestampEcho(bytes, timestamps);
    }
    // RFC 7323 appendix A: mostly timestamps are all there is. Beside them a header this long has no place for SACK.
    if (timestamps >= 0 && tcp.headerLength(bytes, at) === TIMESTAMPS_ONLY) return;
    this.sackAt = wire.findSack(bytes, at);
    if (this.sackAt >= 0) this.sackBlocks = wire.sackBlocks(bytes, this.sackAt);
  }

  #readSyn(bytes: Uint8Array, at: number): void {
    this.mss = Math.max(0, wire.maximumSegmentSize(bytes, at));
    // RFC 7323 2.3: a larger shift is taken as the largest.
    this.windowScale = Math.min(MAX_WINDOW_SCALE, wire.windowScale(bytes, at));
    this.sackPermitted = wire.sackPermitted(bytes, at);
  }
}
