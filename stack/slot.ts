/**
 * What a NIC hands to the stack: slots, each with a frame and the NIC's word on it. The devices themselves are
 * outside the stack and know only these types and the handlers'.
 *
 * @module
 */
import type { LayerError } from "./error.ts";
import type { Frame } from "./frame.ts";
import type { LossModel } from "./loss/models.ts";
import type { Instant } from "./store/time.ts";

/** Who deals with one protocol's checksum in each direction. */
export interface ChecksumPolicy {
  /** On receive: true, the stack verifies it; false, the NIC has done so, or nobody needs to. */
  readonly verify: boolean;
  /** On send: true, the stack computes it; false, the NIC does. */
  readonly fill: boolean;
  /** On send, where the stack does not: the NIC wants the pseudo-header's sum in its place, and to be told where it is. */
  readonly partial?: boolean;
}

/** What a NIC does by itself, per protocol. */
export interface Capabilities {
  /** The IPv4 header's checksum. */
  readonly ipv4: ChecksumPolicy;
  /** ICMPv4's checksum. */
  readonly icmpv4: ChecksumPolicy;
  /** ICMPv6's checksum. */
  readonly icmpv6: ChecksumPolicy;
  /** UDP's checksum, over both families. */
  readonly udp: ChecksumPolicy;
  /** TCP's checksum, over both families. */
  readonly tcp: ChecksumPolicy;
  /**
   * The longest IP packet of TCP that the NIC cuts into segments by itself, whose checksums it then computes from a
   * partial one; absent: none.
   */
  readonly segmentation?: number;
}

const MANUAL: ChecksumPolicy = Object.freeze({ verify: true, fill: true });
const PARTIAL: ChecksumPolicy = Object.freeze({ verify: true, fill: false, partial: true });
const IGNORED: ChecksumPolicy = Object.freeze({ verify: false, fill: false });

/** A NIC that does nothing by itself: the stack verifies and fills every checksum. */
export const ALL_MANUAL: Capabilities = Object.freeze({
  ipv4: MANUAL,
  icmpv4: MANUAL,
  icmpv6: MANUAL,
  udp: MANUAL,
  tcp: MANUAL,
});

/** A link that cannot corrupt frames, such as memory: no checksum is verified or filled. */
export const ALL_IGNORED: Capabilities = Object.freeze({
  ipv4: IGNORED,
  icmpv4: IGNORED,
  icmpv6: IGNORED,
  udp: IGNORED,
  tcp: IGNORED,
});

/**
 * A NIC that completes the checksums of TCP and UDP and cuts TCP into segments; what it has verified on receive, each
 * frame says for itself.
 */
export const OFFLOADING: Capabilities = Object.freeze({
  ipv4: MANUAL,
  icmpv4: MANUAL,
  icmpv6: MANUAL,
  udp: PARTIAL,
  tcp: PARTIAL,
  segmentation: 0xffff,
});

/** What the frames of a NIC are. */
export const Medium = {
  /** Ethernet frames, without the frame check sequence. */
  Ethernet: 0,
  /** IP packets of either family, without anything before them. */
  Ip: 1,
} as const;

/** One of {@linkcode Medium}'s numbers. */
export type Medium = (typeof Medium)[keyof typeof Medium];

/** What the NIC knows during a burst. One object a NIC, so it costs nothing a packet. */
export interface NicInfo {
  /** When the burst arrived, or is being sent. */
  readonly timestamp: Instant;
  /** What the NIC does by itself. */
  readonly capabilities: Capabilities;
  /** The largest payload of the link's frames in bytes: 1500 on plain Ethernet. */
  readonly mtu: number;
  /** What the frames are. */
  readonly medium: Medium;
  /** Whether the link ends in this very host, so that own and loopback addresses are no forgery on it. */
  readonly isLoopback: boolean;
}

/**
 * One buffer of a NIC, lent for the length of a handler's call. On receive its frame holds what arrived; on send
 * it waits to be filled. Either way {@linkcode Slot.queue} makes it leave.
 */
export interface Slot {
  /** The bytes. */
  readonly frame: Frame;
  /** The NIC's state. */
  readonly info: NicInfo;
  /** Whether the handler has asked for the frame to be sent. */
  readonly queued: boolean;
  /** Whether it is going to be: it is queued, and no loss model has taken it. */
  readonly leaves: boolean;
  /** Asks the NIC to send the frame as it is now. `Illegal`: this NIC cannot send this buffer. */
  readonly queue: () => LayerError;
  /** Has the NIC drop the frame instead of sending it, if `loss` says so when it is queued. */
  readonly loseIf: (loss: LossModel) => void;
}
