/**
 * The retransmission timeout (RFC 6298), and the least round trip lately, which RACK needs.
 *
 * @module
 */
import { milliseconds, seconds } from "../store/time.ts";
import { elapsed, LONGEST, type Micros } from "./clock.ts";

/** The first timeout, before anything is measured (RFC 6298 2.1). */
export const INITIAL_RTO = seconds(1);
/**
 * What a timeout is longer than the round trip, at least. RFC 6298 2.4 has a least timeout of one second instead, and
 * allows others; what it is for is a peer that delays its acknowledgments, which comes on top of the round trip.
 */
const MIN_VARIATION = milliseconds(200);
/** The least timeout that follows from it. */
export const MIN_RTO = MIN_VARIATION;
/** The longest timeout (RFC 6298 2.5: at least 60 s). */
export const MAX_RTO = seconds(120);

/** How long a least round trip counts before it is measured afresh (as in RFC 8985 6.2, windowed). */
const MIN_RTT_WINDOW = seconds(300);

/** What {@linkcode RttEstimator.minRtt} is before anything is measured. */
export const UNMEASURED = 0x7fff_ffff;

/** What is known of a path's round trip. */
export class RttEstimator {
  /** The smoothed round trip; 0 before the first measurement. */
  srtt = 0;
  /** The round trip's variation. */
  rttvar = 0;
  /** The least round trip of the last minutes; {@linkcode UNMEASURED} before the first measurement. */
  minRtt: number = UNMEASURED;
  /** How often the timeout was doubled since something was acknowledged. */
  backoff = 0;
  /** A tail loss probe has left since the last measurement: no other may (RFC 8985 7.3). */
  probed = false;
  #minRttAt: Micros = 0;
  // With fractions: where many measurements share a round trip, each may move it by less than a microsecond.
  #smoothed = 0;
  #variation = 0;
  #rto: number = INITIAL_RTO;
  /** Measurements a round trip carries: every one counts for less where there are many (RFC 7323 4.2, Appendix G). */
  #weight = 1;

  /** The timeout for what is sent now, backing off included. */
  get rto(): number {
    return Math.min(MAX_RTO, this.backoff === 0 ? this.#rto : this.#rto * 2 ** this.backoff) | 0;
  }

  /** Starts over for another connection. */
  reset(): void {
    this.srtt = 0;
    this.rttvar = 0;
    this.minRtt = UNMEASURED;
    this.backoff = 0;
    this.probed = false;
    this.#minRttAt = 0;
    this.#smoothed = this.#variation = 0;
    this.#rto = INITIAL_RTO;
    this.#weight = 1;
  }

  /** Tells how many measurements a round trip will carry: the segments in flight, halved by delayed acknowledgment. */
  expect(segmentsInFlight: number): void {
    this.#weight = Math.max(1, Math.ceil(segmentsInFlight / 2));
  }

  /** Takes a measurement of something that was sent once only (Karn), or that a timestamp tells apart. */
  measure(rtt: number, now: Micros): void {
    if (rtt < 0 || rtt > LONGEST) return;
    this.probed = false;
    const r = Math.max(1, rtt);
    if (r <= this.minRtt || isOver(elapsed(this.#minRttAt, now))) {
      this.minRtt = r;
      this.#minRttAt = now;
    }
    if (this.srtt === 0) {
      // RFC 6298 2.2
      this.#smoothed = r;
      this.#variation = r / 2;
    } else {
      // RFC 6298 2.3, with its alpha of 1/8 and beta of 1/4 spread over a round trip's measurements.
      this.#variation += (Math.abs(this.#smoothed - r) - this.#variation) / (4 * this.#weight);
      this.#smoothed += (r - this.#smoothed) / (8 * this.#weight);
    }
    this.srtt = Math.round(this.#smoothed) | 0;
    this.rttvar = Math.round(this.#variation) | 0;
    this.#rto = Math.min(MAX_RTO, this.srtt + Math.max(MIN_VARIATION, 4 * this.rttvar)) | 0;
    this.backoff = 0;
  }

  /**
   * Takes a measurement that may be of an earlier try, whose acknowledgment was lost. What is longer than the timeout
   * was, backing off aside, counts as that: or else every loss of an acknowledgment would multiply the timeout.
   */
  measureUnsure(rtt: number, now: Micros): void {
    this.measure(this.srtt === 0 ? rtt : Math.min(rtt, this.#rto), now);
  }

  /** Doubles the timeout, for one has passed (RFC 6298 5.5). */
  backOff(): void {
    if (this.rto < MAX_RTO) this.backoff++;
  }

  /** RFC 6298 5.7: the handshake's timer expired, so data starts with a timeout of 3 s unless measured. */
  afterLostSyn(): void {
    if (this.srtt === 0) this.#rto = seconds(3);
    this.backoff = 0;
  }
}

/** Whether a least round trip this old no longer counts; negative: it is older than the clock of segments tells. */
function isOver(age: number): boolean {
  return age < 0 || age > MIN_RTT_WINDOW;
}
