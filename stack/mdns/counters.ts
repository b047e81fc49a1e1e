/**
 * What a responder counts.
 *
 * @module
 */

/** What came to an `MdnsResponder`, and what it said. */
export class MdnsCounters {
  /** Queries answered. */
  answered = 0;
  /** Messages that want nothing of us. */
  noted = 0;
  /** Messages sent. */
  sent = 0;
  /** How often the name had to become another one. */
  renamed = 0;
  /** Not answered: the asker knows the answer already (RFC 6762 7.1). */
  known = 0;
  /** Not answered: it was said a moment ago, or too much was asked of late (RFC 6762 6). */
  limited = 0;
  /** Dropped: no well-formed message. */
  malformed = 0;
  /** Dropped: from beyond the link (RFC 6762 11). */
  offLink = 0;
  /** Not sent: the NIC or a lower layer refused, or too much waits. */
  notSent = 0;
}
