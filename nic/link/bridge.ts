/**
 * The switch in the middle of a simulated network: which port leads to which station (IEEE 802.1D 7.7).
 *
 * @module
 */
import { get16, get32 } from "../../stack/wire/bytes.ts";
import * as ethernet from "../../stack/wire/ethernet.ts";

/** To every port but the one that the frame came through. */
export const FLOOD = -1;
/** To no port. */
export const NOWHERE = -2;

/** How many stations are remembered; one more takes another one's place. A power of two. */
const STATIONS = 1024;

/** The group bit in a frame's first byte. */
const GROUP = 0x01;

/** Learns where stations are from the frames they send. What it does not know goes to all. */
export class Bridge {
  readonly #high = new Int32Array(STATIONS);
  readonly #low = new Int32Array(STATIONS);
  readonly #ports = new Int32Array(STATIONS).fill(FLOOD);

  /** Where the frame `bytes[start..end)` from `port` goes to: a port, {@linkcode FLOOD} or {@linkcode NOWHERE}. */
  forward(bytes: Uint8Array, start: number, end: number, port: number): number {
    if (end - start < ethernet.HEADER_LENGTH) return NOWHERE;
    this.#learn(bytes, start + ethernet.SOURCE, port);
    const at = start + ethernet.DESTINATION;
    if ((bytes[at]! & GROUP) !== 0) return FLOOD;
    const to = this.#find(get16(bytes, at), get32(bytes, at + 2));
    return to === port ? NOWHERE : to;
  }

  #learn(bytes: Uint8Array, at: number, port: number): void {
    if ((bytes[at]! & GROUP) !== 0) return;
    const high = get16(bytes, at);
    const low = get32(bytes, at + 2);
    const place = hash(high, low);
    this.#high[place] = high;
    this.#low[place] = low;
    this.#ports[place] = port;
  }

  #find(high: number, low: number): number {
    const place = hash(high, low);
    return this.#high[place] === high && this.#low[place] === low ? this.#ports[place]! : FLOOD;
  }
}

/** One place a station: two that share one are flooded to in turn, which is slower but right. */
function hash(high: number, low: number): number {
  const mixed = Math.imul(low ^ high, 0x9e3779b1);
  return (mixed ^ (mixed >>> 16)) & (STATIONS - 1);
}
