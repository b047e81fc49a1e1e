/**
 * What a router has passed on, and what it has not, by reason.
 *
 * @module
 */

/** The counters of a {@linkcode Forwarder}: every packet that is received for another host ends in one of them. */
export class ForwardCounters {
  /** Packets for other hosts that came in. */
  received = 0;
  /** Packets that left; one that left in fragments counts once. */
  forwarded = 0;
  /** Fragments that packets left in. */
  fragments = 0;
  /** Put in line until their next hop's link address is known: the link's IP counts what became of them. */
  waited = 0;
  /** Those of them, or their fragments, whose next hop did not answer; their senders are told by the IP of their link. */
  undelivered = 0;
  /** Dropped: no host can have that source (RFC 1812 5.3.7). */
  martianSource = 0;
  /** Dropped: no router passes on to that destination (RFC 1812 5.3.7, RFC 3927 7, RFC 4291 2.5.6). */
  martianDestination = 0;
  /** Dropped: broadcast by its link (RFC 1812 5.3.4). */
  linkBroadcast = 0;
  /** Dropped: to all hosts of another link's subnet (RFC 2644 2). */
  directedBroadcast = 0;
  /** Dropped: it may make no more hops; its sender is told. */
  hopLimit = 0;
  /** Dropped: there is no way; its sender is told. */
  noRoute = 0;
  /** Dropped: a route says that it is not to be passed on; an unreachable one tells its sender. */
  refusedByRoute = 0;
  /** Dropped: too long for the next link, and not to be fragmented; its sender is told. */
  tooBig = 0;
  /** Dropped: its next hop's link address is not known, and it cannot wait for it. */
  unresolved = 0;
  /** Dropped: the link or the NIC refused it. */
  notSent = 0;
  /** ICMP errors about any of them that were sent. */
  errorsSent = 0;
  /** ICMP errors that were not sent: forbidden, too many, or no way to the sender. */
  errorsNotSent = 0;
}
