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

/** How far the checksum of a frame's TCP or UDP has come, where a NIC deals with it (Linux' skb->ip_summed). */
export const Checksum = {
  /** Whoever made the frame has filled it in; nobody has verified it. */
  Unverified: 0,
  /** The NIC has verified it. */
  Verified: 1,
  /** Its field holds the pseudo-header's sum; the rest is added by the NIC that puts the frame on a wire. */
  Partial: 2,
} as const;

/** One of {@linkcode Checksum}'s numbers. */
export type Checksum = (typeof Checksum)[keyof typeof Checksum];

/** What a frame is that is too long for the wire: so many segments of one flow behind the headers of the first. */
export const Segmentation = {
  /** It is one packet. */
  None: 0,
  /** TCP over IPv4. */
  TcpV4: 1,
  /** TCP over IPv6. */
  TcpV6: 2,
  /** Datagrams of UDP, over either. */
  Udp: 3,
} as const;

/** One of {@linkcode Segmentation}'s numbers. */
export type Segmentation = (typeof Segmentation)[keyof typeof Segmentation];

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
  /** How far its checksum is. A frame that is made anew, or turned into an answer, starts with `Unverified`. */
  checksum: Checksum = Checksum.Unverified;
  /** Where what a partial checksum covers begins: its protocol's header. It ends with the frame. */
  checksumAt: number = 0;
  /** Where the checksum's field lies in that header. */
  checksumField: number = 0;
  /** Whether it is many segments in one. A frame that is made anew, or turned into an answer, is not. */
  segmentation: Segmentation = Segmentation.None;
  /** If it is, how much payload each of them has, the last one perhaps less. */
  segmentSize: number = 0;

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
    this.checksum = Checksum.Unverified;
    this.segmentation = Segmentation.None;
    return true;
  }

  /** Leaves the checksum of the header at `at`, whose field is `field` bytes into it, to the NIC. */
  leaveChecksum(at: number, field: number): void {
    this.checksum = Checksum.Partial;
    this.checksumAt = at;
    this.checksumField = field;
  }

  /** Whether nobody need verify the checksum of the header at `at`: the NIC has, or it never was on a wire. */
  hasTrusted(at: number): boolean {
    return this.checksum === Checksum.Verified ||
      (this.checksum === Checksum.Partial && this.checksumAt === at);
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
    this.checksum = Checksum.Unverified;
    this.segmentation = Segmentation.None;
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

  /**
   * {@linkcode Frame.reframe} for the same packet behind another link's header: what was said of its checksum and its
   * segments stays true.
   */
  rewrap(length: number): boolean {
    const { checksum, segmentation, end } = this;
    if (!this.reframe(length)) return false;
    this.checksum = checksum;
    this.segmentation = segmentation;
    this.checksumAt += this.end - end;
    return true;
  }
}
