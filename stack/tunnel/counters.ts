/**
 * What passed a tunnel, and what did not, by reason.
 *
 * @module
 */

/** The counters of a {@linkcode Tunnel}: every packet of its protocols ends in one of them. */
export class TunnelCounters {
  /** Packets that were unwrapped and handed to the upper layer. */
  received = 0;
  /** Packets that were wrapped and have left. */
  sent = 0;
  /** Dropped: of a protocol that is none of this tunnel's. */
  otherProtocol = 0;
  /** Dropped: not from the tunnel's other end, or not to ours. */
  wrongPeer = 0;
  /** Dropped: too short for what it should hold. */
  truncated = 0;
  /** Dropped: a GRE header that cannot be taken: another version, or reserved bits (RFC 2784 2.3). */
  badHeader = 0;
  /** Dropped: GRE's checksum is wrong. */
  wrongChecksum = 0;
  /** Dropped: what is inside is no IP packet, or not of the version that was announced. */
  wrongVersion = 0;
  /** Dropped: marked as congested on the way, but whoever sent it cannot be told (RFC 6040 4.2). */
  congested = 0;
  /** Dropped: a packet between the tunnel's own ends, which would be wrapped for ever (RFC 2003 3.1). */
  recursive = 0;
  /** Not sent: the layer below refused. */
  notSent = 0;
  /** ICMP errors about packets of ours (RFC 2003 4). */
  errors = 0;
}
