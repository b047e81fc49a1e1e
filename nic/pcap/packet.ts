/**
 * What a capture holds, in either format.
 *
 * @module
 */
import { Medium } from "../../stack/slot.ts";
import type { Instant } from "../../stack/store/time.ts";
import type { Direction } from "../observe.ts";

/** What the packets of an interface start with: the registry of link types that all capture programs share. */
export const LinkType = {
  /** BSD loopback: four bytes of address family. */
  Null: 0,
  /** Ethernet II or 802.3, without the frame check sequence. */
  Ethernet: 1,
  /** IPv4 or IPv6, told apart by the version field. */
  Raw: 101,
  /** Linux "cooked": what a capture on all interfaces has. */
  LinuxSll: 113,
  /** IPv4 only. */
  Ipv4: 228,
  /** IPv6 only. */
  Ipv6: 229,
} as const;
/** One of {@linkcode LinkType}'s numbers. */
export type LinkType = (typeof LinkType)[keyof typeof LinkType];

/** The link type of a NIC's frames. */
export function linkTypeOf(medium: Medium): LinkType {
  return medium === Medium.Ip ? LinkType.Raw : LinkType.Ethernet;
}

/** More bytes than any link's packet has; a file that claims more of one is broken or hostile. */
export const MAX_CAPTURED = 262_144;

/** One packet of a capture. */
export interface PcapPacket {
  /** When it passed, in microseconds since 1970; what is finer is cut off. */
  readonly timestamp: Instant;
  /** What was captured of it: a copy. */
  readonly bytes: Uint8Array;
  /** How long it was on the wire. */
  readonly originalLength: number;
  /** What it starts with: a {@linkcode LinkType}, or another number of that registry. */
  readonly linkType: number;
  /** Which way it went, where the file tells. */
  readonly direction?: Direction;
  /** What somebody noted on it; several notes are one a line. */
  readonly comment?: string;
  /** The number of its interface within its section; 0 in a classic file. */
  readonly interfaceId: number;
}

/** An interface that packets were captured on. */
export interface PcapInterface {
  /** What its packets start with. */
  readonly linkType: number;
  /** At most so many bytes of a packet were to be kept; 0: all. */
  readonly snapLength: number;
  /** Its name, where the file tells. */
  readonly name?: string;
  /** Packets it received, as its last statistics say. */
  readonly received?: number;
  /** Packets it lost for want of room, as its last statistics say. */
  readonly dropped?: number;
}
