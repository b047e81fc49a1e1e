/**
 * How a stack is opened, and what of it can be refused at once.
 *
 * @module
 */
import type { Nic } from "../nic/device.ts";
import { CONGESTION_CONTROLS, type CongestionName } from "../stack/tcp/congestion/choice.ts";
import { checkSize } from "../stack/store/size.ts";
import type { Address } from "../stack/wire/address.ts";
import type { Cidr } from "../stack/wire/cidr.ts";
import type { Mac } from "../stack/wire/mac.ts";

/** How a stack is opened. */
export interface StackOptions {
  /** A NIC, which stays the caller's, or what names one, which is opened and closed: "tap:tap0". */
  readonly nic: Nic | string;
  /**
   * The own addresses with their subnets: "10.0.0.1/24", "2001:db8::1/64". "dhcp": one is leased (RFC 2131), and routes
   * with it. "slaac": they are made of the prefixes that routers advertise (RFC 4862). "link-local": an IPv4 address
   * that needs nobody (RFC 3927).
   */
  readonly addresses: readonly (Cidr | string)[];
  /** DNS servers, which are asked before those that DHCP names. */
  readonly dns?: readonly (Address | string)[];
  /** Domains to look short names up in, before those that DHCP names. */
  readonly search?: readonly string[];
  /** Default routes: the addresses of gateways on those subnets. */
  readonly gateways?: readonly (Address | string)[];
  /** The own hardware address. Default: a random one, locally administered. */
  readonly mac?: Mac | string;
  /** How many TCP connections there may be at once. Default 1,024. */
  readonly connections?: number;
  /**
   * Bytes that a connection may have received and its user not read, 4,096 at least. Default: 64 KiB to 16 MiB, twice
   * what the user reads in a round trip.
   */
  readonly receiveBuffer?: number;
  /**
   * Bytes that may be written to a connection and not be acknowledged, 4,096 at least. Default: 1 to 16 MiB, twice what
   * the path takes at once.
   */
  readonly sendBuffer?: number;
  /** The congestion control of TCP connections. Default "cubic" (RFC 9438). */
  readonly congestion?: CongestionName;
  /** Makes an interface that is not there, for as long as the stack is open. Default false. */
  readonly create?: boolean;
  /** The own name, one label, which a DHCP server is told. */
  readonly hostname?: string;
  /** With "slaac": temporary addresses besides, which are then sent from (RFC 8981). Default false. */
  readonly temporary?: boolean;
  /** Looks for others that have the addresses before using them, which takes seconds (RFC 5227, 4862). Default false. */
  readonly detectConflicts?: boolean;
  /** Gives up opening: where an address is leased, that takes as long as there is no server. */
  readonly signal?: AbortSignal;
}

/** The sizes of buffers that a connection can have. */
const BUFFER_MIN = 1 << 12, BUFFER_MAX = 1 << 30;

/** Refuses at once what else would fail at the first connection, which a stranger opens. */
export function checkOptions({ receiveBuffer, sendBuffer, congestion, hostname }: StackOptions): void {
  for (const [name, size] of Object.entries({ receiveBuffer, sendBuffer })) {
    if (size === undefined) continue;
    checkSize(name, size, BUFFER_MIN, BUFFER_MAX);
  }
  if (congestion !== undefined && !CONGESTION_CONTROLS.includes(congestion)) {
    throw new RangeError(`congestion must be one of ${CONGESTION_CONTROLS.join(", ")}, not "${congestion}"`);
  }
  // RFC 1123 2.1.
  if (hostname !== undefined && !/^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/i.test(hostname)) {
    throw new RangeError(`hostname must be up to 63 letters, digits and inner hyphens, not "${hostname}"`);
  }
}
