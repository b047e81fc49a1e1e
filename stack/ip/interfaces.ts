/**
 * An IP packet as its handlers see it, in each of its states.
 *
 * @module
 */
import type { Failure, LayerError } from "../error.ts";
import type { Frame } from "../frame.ts";
import type { LinkIn } from "../link.ts";
import type { LossModel } from "../loss/models.ts";
import type { NicInfo } from "../slot.ts";
import type { Address } from "../wire/address.ts";
import type { Ip } from "./endpoint.ts";
import type { IpInit } from "./init.ts";

/** What every state of an IP packet tells. */
export interface IpBase {
  /** The endpoint. */
  readonly ip: Ip;
  /** The buffer. */
  readonly frame: Frame;
  /** The NIC's state. */
  readonly info: NicInfo;
}

/** What is known once there is a header. */
export interface IpHeader extends IpBase {
  /** Whether it is an IPv4 packet; an IPv6 packet otherwise. */
  readonly isV4: boolean;
  /** Where it comes from. Overwritten by the next packet: copy what must last. */
  readonly source: Address;
  /** Where it goes. Overwritten by the next packet: copy what must last. */
  readonly destination: Address;
  /** What the payload is: a {@linkcode Protocol}. */
  readonly protocol: number;
  /** The payload's first byte in `frame.bytes`; it ends at `frame.end`. */
  readonly payloadAt: number;
}

/** A received IP packet that is for us: its header is valid, its payload whole. */
export interface IpIn extends IpHeader {
  /** The link's packet below, for what is the link's own. */
  readonly link: LinkIn;
  /** The header's first byte in `frame.bytes`. */
  readonly headerAt: number;
  /** Where in `frame.bytes` the byte lies that says what the payload is. */
  readonly protocolAt: number;
  /** Hops it might still have made. */
  readonly hopLimit: number;
  /** The DSCP and ECN bits. */
  readonly trafficClass: number;
  /** Whether it was sent to more than one host, by the link or by IP: no error may answer it (RFC 1122 3.2.2). */
  readonly isGroup: boolean;
  /** Turns it into a packet to send that keeps the last `init.length` bytes as payload. Refused: still In. */
  readonly reinit: (init: IpInit) => IpOut | Failure;
  /** Gives the buffer back; what it held is lost. */
  readonly deinit: () => IpRaw;
  /** Has the packet, or the answer in its buffer, dropped instead of sent, if `loss` says so then. */
  readonly loseIf: (loss: LossModel) => void;
}

/** An empty buffer. */
export interface IpRaw extends IpBase {
  /**
   * Finds the route and the neighbour and writes the headers. A packet that is longer than its path's MTU gets a longer
   * buffer, the Out packet's `frame`, and is sent in fragments. One whose neighbour's link address is not known waits for
   * that once it is sent. Refused: still Raw.
   */
  readonly prepare: (init: IpInit) => IpOut | Failure;
  /** Has the packet, or the answer in its buffer, dropped instead of sent, if `loss` says so then. */
  readonly loseIf: (loss: LossModel) => void;
}

/** A packet whose headers are written; the payload is to be filled in. */
export interface IpOut extends IpHeader {
  /** Completes the header and queues the packet. It is gone, whatever the answer. */
  readonly send: () => LayerError;
  /** Takes what was prepared as if it had been received. */
  readonly intoIn: () => IpIn;
}
