/**
 * What NDP counts.
 *
 * @module
 */

/** What passed an `Ndp` endpoint, and what did not, by reason. */
export class NdpCounters {
  /** Messages taken. */
  received = 0;
  /** Messages queued on the NIC. */
  sent = 0;
  /** Solicitations for an own address. */
  requests = 0;
  /** Router advertisements taken. */
  routerAdvertisements = 0;
  /** Redirects followed. */
  redirects = 0;
  /** Dropped: it may have come from another link, since its hop limit is not 255 (RFC 4861 11.2). */
  badHopLimit = 0;
  /** Dropped: too short, a code, or options that are not whole. */
  malformed = 0;
  /** Dropped: addresses that such a message cannot have (RFC 4861 6.1, 7.1, 8.1). */
  badAddress = 0;
  /** Dropped: about an address that is none of ours, or of nobody whom we look for. */
  notForUs = 0;
  /** Dropped: a router solicitation, which routers take. */
  forRouters = 0;
  /** Dropped: a redirect from who is not the first hop there, or to where no redirect may lead (RFC 4861 8.1). */
  badRedirect = 0;
  /** Not taken: more routers, prefixes, redirects or DNS servers than are kept. */
  overLimit = 0;
  /** Answers lost: too many waited. */
  unanswered = 0;
  /** Own addresses that somebody else turned out to have before they were used (RFC 4862 5.4). */
  duplicates = 0;
  /** Claims of others to an own address that is in use. */
  conflicts = 0;
}
