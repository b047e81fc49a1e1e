/**
 * Congestion marks through a tunnel (RFC 6040), in packets of both families.
 *
 * @module
 */
import { get16 } from "../wire/bytes.ts";
import { update16 } from "../wire/checksum.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as ipv6 from "../wire/ipv6.ts";

/** The codepoints of RFC 3168 5. */
const NOT_ECT = 0, ECT1 = 1, CE = 3, ECN = 3;

/** The traffic class of the packet at `at`. */
export function innerTrafficClass(bytes: Uint8Array, at: number, isV4: boolean): number {
  return isV4 ? ipv4.trafficClass(bytes, at) : ipv6.trafficClass(bytes, at);
}

/**
 * RFC 6040 4.2: gives a packet that comes out of a tunnel the mark that the outer header brought. False: it must be
 * dropped, because it was marked and its sender does not know what that means.
 */
export function takeMark(bytes: Uint8Array, at: number, isV4: boolean, outer: number): boolean {
  const traffic = innerTrafficClass(bytes, at, isV4);
  const inner = traffic & ECN;
  const mark = outer & ECN;
  if (mark === CE) {
    if (inner === NOT_ECT) return false;
    setTrafficClass(bytes, at, isV4, traffic | CE);
  } else if (mark === ECT1 && inner !== NOT_ECT && inner !== CE) {
    setTrafficClass(bytes, at, isV4, (traffic & ~ECN) | ECT1);
  }
  return true;
}

function setTrafficClass(bytes: Uint8Array, at: number, isV4: boolean, traffic: number): void {
  if (!isV4) {
    ipv6.setTrafficClass(bytes, at, traffic);
    return;
  }
  const word = get16(bytes, at);
  ipv4.setTrafficClass(bytes, at, traffic);
  ipv4.setHeaderChecksum(bytes, at, update16(ipv4.headerChecksum(bytes, at), word, get16(bytes, at)));
}
