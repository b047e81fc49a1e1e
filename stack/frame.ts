/**
 * The buffer below a packet: one slot of a big arena, and where in the slot the current frame lies.
 *
 * @module
 */

/**
 * Free bytes kept before a new frame, so that headers grow by moving {@linkcode Frame.start}, not the payload. Two more
 * than a multiple of four: behind Ethernet's 14 the IP header is then aligned, which checksums are faster over.
 */
export const HEADROOM = 130;

/**
 * A frame in its slot: `bytes[start..end)` inside `bytes[base..limit)`. The memory never changes, only the two
 * indices do; every layer reads and writes `bytes` at absolute offsets.
 */
export class Frame {
  /** The arena that all slots of a NIC share. */
  readonly bytes: Uint8Array;
  /** The slot's first byte. */
  readonly base: number;
  /** One past the slot's last byte. */
  readonly limit: number;
  /** The frame's first byte. */
  start: number;
  /** One past the frame's last byte. */
  end: number;

  /** The slot `bytes[base..limit)`, with an empty frame behind the headroom. */
  constructor(bytes: Uint8Array, base: number = 0, limit: number = bytes.length) {
    if (base < 0 || limit > bytes.length || limit - base <= HEADROOM) {
      throw new RangeError(`a frame's slot must lie in its arena and be longer than ${HEADROOM} bytes`);
    }
    this.bytes = bytes;
    this.base = base;
    this.limit = limit;
    this.start = this.end = base + HEADROOM;
  }

  /** The frame's length in bytes. */
  get length(): number {
    return this.end - this.start;
  }

  /** Makes a new frame of `length` bytes behind the headroom; what it holds is undefined. False: too long, unchanged. */
  resize(length: number): boolean {
    const start = this.base + HEADROOM;
    if (length < 0 || start + length > this.limit) return false;
    this.start = start;
    this.end = start + length;
    return true;
  }

  /** Cuts the frame's tail off, so that it ends at `end`: link padding, or what an ICMP error need not quote. */
  truncate(end: number): void {
    if (end >= this.start && end < this.end) this.end = end;
  }

  /**
   * Makes the frame `length` bytes long and keeps the tail that old and new have in common: a shorter header in
   * front of the same payload, or a longer one. Moves bytes only when the headroom is used up. All or nothing:
   * false when the slot is too small, and then nothing has changed.
   */
  reframe(length: number): boolean {
    if (length < 0 || length > this.limit - this.base) return false;
    const start = this.end - length;
    if (start >= this.base) {
      this.start = start;
      return true;
    }
    const shift = this.base - start;
    this.bytes.copyWithin(this.start + shift, this.start, this.end);
    this.start = this.base;
    this.end += shift;
    return true;
  }
}
