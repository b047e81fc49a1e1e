/**
 * What an acknowledgment says about a path, for congestion controls that follow a model of it
 * (draft-ietf-ccwg-bbr 4.1, delivery rate samples).
 *
 * @module
 */
import type { Micros } from "../clock.ts";

/** One object for all acknowledgments of a connection: what is to be kept must be copied. */
export class DeliverySample {
  /** When the acknowledgment came. */
  now: Micros = 0;
  /** Bytes that it has delivered. */
  acked: number = 0;
  /** Bytes that were found to be lost with it, or since the one before. */
  lost: number = 0;
  /** Bytes delivered since the connection began: the low 32 bits. */
  delivered: number = 0;
  /** What that was when the newest segment delivered left. */
  priorDelivered: number = 0;
  /** Whether there is such a segment, without which the fields below say nothing. */
  hasRate: boolean = false;
  /** Bytes a second at which data was delivered over its flight; 0: the flight was too short to tell. */
  rate: number = 0;
  /** Bytes delivered meanwhile. */
  flightDelivered: number = 0;
  /** Bytes lost meanwhile. */
  flightLost: number = 0;
  /** Bytes in flight when it left. */
  flightSize: number = 0;
  /** The sender had no more to send, so that the path may carry more than it says. */
  isAppLimited: boolean = false;
  /** Its round trip in microseconds; negative: unknown. */
  rtt: number = -1;
  /** Bytes in flight now. */
  inFlight: number = 0;
  /** The window was what held the sender back. */
  isWindowLimited: boolean = false;
}

/** One segment that is taken for lost. One object for all of a connection. */
export class LostSegment {
  /** Its bytes. */
  length: number = 0;
  /** Bytes in flight when it left, itself among them. */
  flightSize: number = 0;
  /** Bytes lost since, itself among them. */
  flightLost: number = 0;
  /** The sender had no more to send when it left. */
  isAppLimited: boolean = false;
  /** It does not follow the one that was lost before it: another range of the stream is missing. */
  isApart: boolean = false;
  /** Bytes delivered since the connection began: the low 32 bits. */
  delivered: number = 0;
}
