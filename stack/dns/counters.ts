/**
 * What a resolver counts.
 *
 * @module
 */

/** What a resolver has asked and heard. */
export class ResolverCounters {
  /** Responses that answered a query. */
  received = 0;
  /** Queries sent over UDP. */
  sent = 0;
  /** Queries sent over TCP. */
  overTcp = 0;
  /** Questions answered from memory. */
  remembered = 0;
  /** Queries that no server answered in time. */
  timeouts = 0;
  /** Not sent: no way to the server, or the NIC refused. */
  notSent = 0;
  /** Dropped: no well-formed message. */
  malformed = 0;
  /** Dropped: it does not belong to the query, as a forged one. */
  stray = 0;
  /** Responses that say nothing: a failure of the server, a refusal, a referral. */
  useless = 0;
  /** Questions refused: too many are open. */
  refused = 0;
}
