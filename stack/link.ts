/**
 * What IP and ARP need of the layer below them. Ethernet is one such link; a TUN device or a tunnel is another.
 *
 * @module
 */
import type { Failure, LayerError } from "./error.ts";
import type { Frame } from "./frame.ts";
import type { Receive, Receiver, Send, TimedSender } from "./handler.ts";
import type { LossModel } from "./loss/models.ts";
import type { NicInfo, Slot } from "./slot.ts";
import { EtherType } from "./wire/ethernet.ts";
import type { Mac } from "./wire/mac.ts";
import { TAG_LENGTH } from "./wire/vlan.ts";

/** What a link must know to build a frame around a payload. */
export interface LinkInit {
  /** The station it goes to; ignored by links that have no addresses. */
  readonly destination: Mac;
  /** What the payload is: an {@linkcode EtherType}. */
  readonly etherType: number;
  /** The payload's length in bytes. */
  readonly length: number;
  /** The longest packet that the NIC makes of it, if it is many segments in one; absent or 0: it is a single packet. */
  readonly segmentLength?: number;
}

/** Whether the link takes a payload: it is no longer than its MTU, or the NIC cuts it into segments that are not. */
export function fitsLink(init: LinkInit, info: NicInfo): boolean {
  const { length } = init;
  if (length <= info.mtu) return length >= 0;
  // IEEE 802.3 3.2.7: the tag of a VLAN makes the frame longer, and takes nothing from what it carries.
  if (init.etherType === EtherType.Vlan && length <= info.mtu + TAG_LENGTH) return true;
  const segment = init.segmentLength ?? 0;
  return segment > 0 && segment <= info.mtu && length <= (info.capabilities.segmentation ?? 0);
}

/** Whether a packet, or each of the segments that it is, is longer than a link takes. */
export function isTooLong({ length, segmentLength }: LinkInit, { mtu }: NicInfo): boolean {
  return (segmentLength === undefined || segmentLength === 0 ? length : segmentLength) > mtu;
}

/** What every state of a link packet tells. */
export interface Link {
  /** The buffer. */
  readonly frame: Frame;
  /** The NIC's state. */
  readonly info: NicInfo;
  /** The own link address. */
  readonly mac: Mac;
  /** Whether a next hop's link address must be looked up before sending: true on Ethernet, false on a TUN. */
  readonly resolves: boolean;
}

/** Where a layer counts what it hands on. */
export interface Passed {
  /** How many packets it has handed to the upper layer. */
  received: number;
}

/** A received link frame that is for us. */
export interface LinkIn extends Link {
  /** Where the links that it came through have counted it. */
  readonly passed: readonly Passed[];
  /** What the payload is. */
  readonly etherType: number;
  /** The payload's first byte in `frame.bytes`; it ends at `frame.end`. */
  readonly payloadAt: number;
  /** The station that it came from, on links that tell. Overwritten by the next packet. */
  readonly source?: Mac;
  /** Whether it was sent to a group, so that RFC 1122 3.2.2 forbids errors in answer to it. */
  readonly isGroup: boolean;
  /** Whether it was sent to another station, and is only here because the link listens to everybody. */
  readonly isOther: boolean;
  /** Turns it into a frame to send that keeps the last `init.length` bytes as payload. Refused: still In. */
  readonly reinit: (init: LinkInit) => LinkOut | Failure;
  /** Gives the buffer back; what it held is lost. */
  readonly deinit: () => LinkRaw;
  /** Has the packet, or the answer in its buffer, dropped instead of sent, if `loss` says so then. */
  readonly loseIf: (loss: LossModel) => void;
}

/** An empty buffer of the link. */
export interface LinkRaw extends Link {
  /** Writes the link's header for a payload of `init.length` bytes. Refused: still Raw. */
  readonly prepare: (init: LinkInit) => LinkOut | Failure;
  /** Has the packet, or the answer in its buffer, dropped instead of sent, if `loss` says so then. */
  readonly loseIf: (loss: LossModel) => void;
}

/** A frame whose header is written; the payload is to be filled in. */
export interface LinkOut extends Link {
  /** The payload's first byte in `frame.bytes`; it ends at `frame.end`. */
  readonly payloadAt: number;
  /** Queues it. The packet is gone, whatever the answer. */
  readonly send: () => LayerError;
  /** Takes what was prepared as if it had been received. */
  readonly intoIn: () => LinkIn;
}

/** A NIC as the way out for frames that lie in the slots of another one. */
export interface Outlet {
  /** The NIC's state. */
  readonly info: NicInfo;
  /**
   * Sends the frame before it answers: its bytes are then their owner's again. What it says of its checksum and its
   * segments is done, by the NIC or before. `Exhausted`: the NIC is full.
   */
  readonly emit: (frame: Frame) => LayerError;
}

/** A link as the way out for packets that came in elsewhere, in the buffers that they came in. */
export interface LinkOutlet extends Pick<Link, "info" | "mac" | "resolves"> {
  /**
   * Sends the last `init.length` bytes of a frame: its header takes the place of whatever is before them. The frame's
   * slot stays its owner's. `BadSize`: the payload is over the MTU, or the slot has no room for the header.
   */
  readonly transmit: (frame: Frame, init: LinkInit) => LayerError;
}

/** The endpoint of a link: what makes places for it in trees, whatever kind of link it is. */
export interface LinkEndpoint {
  /** The own link address; all zeros on a link that has no addresses. */
  readonly mac: Mac;
  /** What passed and what was dropped. */
  readonly counters: { readonly received: number; readonly sent: number };
  /** A receiver for a NIC that hands what arrives to `upper`. */
  recv(upper: Receive<LinkIn>): Receiver<Slot>;
  /** A sender for a NIC that lets `upper` fill what leaves. */
  send(upper: Send<LinkRaw>): TimedSender<Slot>;
  /** The way out through a NIC for packets of other links. */
  outlet(nic: Outlet): LinkOutlet;
}
