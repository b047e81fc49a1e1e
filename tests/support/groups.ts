/**
 * Messages of IGMP and MLD in their frames: what routers ask groups.
 *
 * @module
 */
import { Address } from "../../stack/wire/address.ts";
import { EtherType } from "../../stack/wire/ethernet.ts";
import * as igmp from "../../stack/wire/igmp.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import { concat, ethernet, ipv4 } from "./frames.ts";
import { groupMac, icmpv6, ipv6, PEER_LOCAL6 } from "./frames-v6.ts";
import { bytes6 } from "./ndp.ts";

/** Fields of a query of IGMP; what is left out is right. */
export interface Query {
  readonly group?: string;
  readonly code?: number;
  readonly version?: 1 | 2 | 3;
  readonly hopLimit?: number;
  readonly checksumError?: number;
  readonly source?: string;
  readonly destination?: string;
  /** Whether it has a router alert. Default true. */
  readonly isAlert?: boolean;
}

/** A router's query of IGMP. */
export function query(
  { group = "0.0.0.0", code = 100, version = 3, hopLimit = 1, checksumError = 0, ...rest }: Query = {},
): Uint8Array {
  const { isAlert = true, destination = "224.0.0.1", source = "10.0.0.2" } = rest;
  const options = isAlert && version > 1 ? [0x94, 4, 0, 0] : [];
  const bytes = new Uint8Array(version === 3 ? 12 : 8);
  igmp.emit(bytes, 0, igmp.Type.Query, Address.parse(group));
  bytes[1] = version === 1 ? 0 : code;
  igmp.fillChecksum(bytes, 0, bytes.length);
  bytes[3]! += checksumError;
  return ethernet(ipv4(bytes, { protocol: Protocol.Igmp, source, destination, hopLimit, options }), {
    destination: "01:00:5e:00:00:01",
    etherType: EtherType.Ipv4,
  });
}

/** The router alert of MLD, and padding (RFC 2711 2.1). */
const ALERT = Uint8Array.of(5, 2, 0, 0, 1, 0);

/** A message of MLD in its frame, with these options hop by hop; null: without the header for them. */
export function mldMessage(
  type: number,
  rest: number,
  body: Uint8Array,
  { options = ALERT, source = PEER_LOCAL6, hopLimit = 1 }: {
    readonly options?: Uint8Array | null;
    readonly source?: string;
    readonly hopLimit?: number;
  } = {},
): Uint8Array {
  const destination = "ff02::1";
  const plain = icmpv6(body, { type, rest }, source, destination);
  const whole = options === null ? plain : concat(Uint8Array.of(Protocol.Icmpv6, 0), options, plain);
  const protocol = options === null ? Protocol.Icmpv6 : Protocol.HopByHop;
  return ethernet(ipv6(whole, { source, destination, hopLimit, protocol }), {
    etherType: EtherType.Ipv6,
    destination: groupMac(destination),
  });
}

/** A router's query of MLD. */
export function query6(
  group: string = "::",
  code: number = 10_000,
  version: 1 | 2 = 2,
  more = {},
): Uint8Array {
  const body = concat(bytes6(group), new Uint8Array(version === 2 ? 4 : 0));
  return mldMessage(130, code << 16, body, more);
}
