/**
 * What a packet that is to be sent is made of, and what of it no link could send.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { Origin } from "../host/neighbour-queue.ts";
import type { Address } from "../wire/address.ts";
import * as ipv4 from "../wire/ipv4.ts";

/** Hops a packet may make unless its sender says otherwise (RFC 1700). */
export const DEFAULT_HOP_LIMIT = 64;

/** What the length fields can tell: IPv4's counts the header, IPv6's does not. */
const LENGTH_MAX_V4 = 65_535 - ipv4.HEADER_LENGTH, LENGTH_MAX_V6 = 65_535;

/** What `IpRaw.prepare` and `IpIn.reinit` need. */
export interface IpInit {
  /** The own address it comes from; unspecified (`::` or 0.0.0.0): chosen by the next hop. */
  readonly source: Address;
  /** Where it goes. */
  readonly destination: Address;
  /** What the payload is: a {@linkcode Protocol}. */
  readonly protocol: number;
  /** The payload's length in bytes. */
  readonly length: number;
  /** Hops it may make; absent: {@linkcode DEFAULT_HOP_LIMIT}, or for IPv6 `ip.hopLimitV6`. */
  readonly hopLimit?: number | undefined;
  /** The DSCP and ECN bits; absent: 0. */
  readonly trafficClass?: number;
  /**
   * True: an unspecified source is sent as it is, by a host that has no address yet (RFC 1122 3.2.1.3 a), to a
   * broadcast address or a group; nothing can be answered so.
   */
  readonly fromNobody?: boolean;
  /** The longest payload of the packets that the NIC makes of it, if it is many in one; absent or 0: it is one. */
  readonly segmentLength?: number;
  /** True: refused (`BadSize`) where it is longer than its path takes, rather than sent in fragments. */
  readonly dontFragment?: boolean;
  /** False: refused (`Unreachable`) where it would have to wait for its neighbour's link address, which is asked for. */
  readonly mayWait?: boolean;
  /** Who is told if it has waited for its neighbour's link address in vain; absent: nobody. */
  readonly origin?: Origin;
}

/** What no link could send: a length that the header cannot hold, or a hop limit of 0 (RFC 1122 3.2.1.7). */
export function checkInit(init: IpInit): LayerError {
  const most = init.destination.isV4 ? LENGTH_MAX_V4 : LENGTH_MAX_V6;
  if (init.length < 0 || init.length > most) return LayerError.BadSize;
  const hopLimit = init.hopLimit ?? DEFAULT_HOP_LIMIT;
  return hopLimit < 1 || hopLimit > 255 ? LayerError.Illegal : LayerError.None;
}
