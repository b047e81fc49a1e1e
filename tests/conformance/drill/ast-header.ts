/**
 * Headers that a drill script writes both around packets and as arguments of calls.
 *
 * @module
 */

/** The fields of a GRE header (RFC 2784, RFC 2890). */
export interface GreHeader {
  readonly flags: number;
  readonly sum: number;
  readonly offset: number;
  readonly key: number;
  readonly sequence: number;
}

/** An entry of an MPLS label stack (RFC 3032). */
export interface MplsLabel {
  readonly label: number;
  readonly trafficClass: number;
  readonly isBottom: boolean;
  readonly ttl: number;
}
