/**
 * What IGMP and MLD count.
 *
 * @module
 */

/** What passed a `Membership` endpoint, and what did not, by reason. */
export class MembershipCounters {
  /** Queries taken. */
  queries = 0;
  /** Reports of other hosts, which spare our own in old versions. */
  reports = 0;
  /** Reports and leaves queued on the NIC. */
  sent = 0;
  /** Dropped: too short, of a wrong checksum or of no known type. */
  malformed = 0;
  /** Dropped: from another link, without a router alert, or from whoever may not ask (RFC 3376 9.1, RFC 3810 6.2). */
  badQuery = 0;
}
