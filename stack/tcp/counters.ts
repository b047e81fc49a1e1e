/**
 * What passed a TCP endpoint, and what did not, by reason.
 *
 * @module
 */

/** One field a reason. */
export class TcpCounters {
  /** Segments whose checksum is right. */
  received = 0;
  /** Of these, segments that came right behind another one of their connection, and were taken with that (a run). */
  joined = 0;
  /** Segments queued on the NIC. */
  sent = 0;
  /** Segments that were sent again. */
  retransmitted = 0;
  /** Connections that were opened by peers. */
  accepted = 0;
  /** Connections that were opened by us. */
  connected = 0;
  /** Dropped: a packet of another protocol. */
  otherProtocol = 0;
  /** Dropped: shorter than its header. */
  truncated = 0;
  /** Dropped: the header tells a length shorter than itself. */
  malformed = 0;
  /** Dropped: the checksum is wrong. */
  wrongChecksum = 0;
  /** Dropped: sent to a group, which no connection can have (RFC 9293 3.9.2.3). */
  toGroup = 0;
  /** Segments that belong to no connection: answered with RST, or dropped. */
  stray = 0;
  /** Resets sent. */
  resets = 0;
  /** Segments outside of their connection's window: answered with an ACK, or dropped. */
  unacceptable = 0;
  /** Challenge ACKs (RFC 5961). */
  challenges = 0;
  /** Challenge ACKs not sent: there were too many of late. */
  limitedChallenges = 0;
  /** SYNs answered with a cookie because the backlog was full. */
  cookies = 0;
  /** Connections opened by a cookie. */
  cookiesAccepted = 0;
  /** SYNs dropped: nobody has room for the connection. */
  synDropped = 0;
  /** ACKs that would complete a handshake, dropped for the same reason. */
  acceptOverflows = 0;
  /** Data dropped: more out-of-order ranges than a connection keeps. */
  tooManyRanges = 0;
  /** Segments that TIME-WAIT took. */
  inTimeWait = 0;
  /** Timeouts that sent something again. */
  timeouts = 0;
  /** Paths that were taken for black holes of long segments (RFC 4821 7.7). */
  blackHoles = 0;
  /** Tail loss probes. */
  probes = 0;
  /** Times that losses were found and repaired without a timeout. */
  recoveries = 0;
  /** Timeouts or recoveries that were taken back. */
  undone = 0;
  /** ICMP errors about segments in flight. */
  errors = 0;
  /** ICMP errors that are about no segment in flight: forged, or too late. */
  strayErrors = 0;
  /** Not sent: a lower layer refused. */
  notSent = 0;
}
