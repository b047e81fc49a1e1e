/**
 * The standard congestion control: slow start, one segment a round trip, half the flight on loss (RFC 5681), counted
 * in bytes (RFC 3465).
 *
 * @module
 */
import type { Micros } from "../clock.ts";
import {
  afterIdle,
  type CongestionControl,
  initialWindow,
  slowStart,
  thresholdAfterIdle,
} from "./control.ts";
import { HyStart } from "./hystart.ts";

/** RFC 5681, with RFC 3465's byte counting. */
export class NewReno implements CongestionControl {
  readonly name: string = "newreno";
  cwnd: number = 0;
  ssthresh: number = Infinity;
  readonly pacingRate: number = 0;
  #mss = 0;
  #acked = 0;
  #isAfterTimeout = false;
  readonly #hystart = new HyStart();
  #priorCwnd = 0;
  #priorSsthresh = Infinity;

  reset(mss: number): void {
    this.#mss = mss;
    this.cwnd = initialWindow(mss);
    this.ssthresh = Infinity;
    this.#acked = 0;
    this.#isAfterTimeout = false;
    this.#priorCwnd = 0;
    this.#priorSsthresh = Infinity;
    this.#hystart.reset();
  }

  setMss(mss: number): void {
    this.#mss = mss;
  }

  onRoundTrip(rtt: number, una: number, end: number): void {
    if (this.ssthresh === Infinity) this.#hystart.onRoundTrip(rtt, una, end);
  }

  onAck(acked: number, _srtt: number, _now: Micros, isLimited: boolean): void {
    if (!isLimited) {
      // A queue that others have made says nothing about this window.
      this.#hystart.reset();
      return;
    }
    if (this.#hystart.isOver && this.ssthresh === Infinity) this.ssthresh = this.cwnd;
    if (this.cwnd < this.ssthresh) {
      this.cwnd += this.ssthresh === Infinity
        ? this.#hystart.growth(acked, this.#mss)
        : slowStart(acked, this.#mss, this.#isAfterTimeout);
      return;
    }
    this.#isAfterTimeout = false;
    // RFC 3465 2.1: a segment for each window of bytes acknowledged.
    this.#acked += Math.min(acked, this.cwnd);
    if (this.#acked < this.cwnd) return;
    this.#acked -= this.cwnd;
    this.cwnd += this.#mss;
  }

  onLoss(inFlight: number, _now: Micros): void {
    this.#remember();
    this.ssthresh = Math.max(Math.floor(inFlight / 2), 2 * this.#mss);
    this.#acked = 0;
  }

  onTimeout(inFlight: number, _now: Micros): void {
    this.#remember();
    this.ssthresh = Math.max(Math.floor(inFlight / 2), 2 * this.#mss);
    this.cwnd = this.#mss;
    this.#acked = 0;
    this.#isAfterTimeout = true;
  }

  onRecovered(): void {
    this.cwnd = this.ssthresh;
  }

  onIdle(timeouts: number, _now: Micros): void {
    this.ssthresh = thresholdAfterIdle(this.ssthresh, this.cwnd);
    this.cwnd = afterIdle(this.cwnd, this.#mss, timeouts);
    this.#hystart.reset();
    this.#acked = 0;
  }

  undo(): void {
    if (this.#priorCwnd === 0) return;
    this.cwnd = Math.max(this.cwnd, this.#priorCwnd);
    this.ssthresh = Math.max(this.ssthresh, this.#priorSsthresh);
    this.#priorCwnd = 0;
    this.#isAfterTimeout = false;
  }

  #remember(): void {
    this.#priorCwnd = this.cwnd;
    this.#priorSsthresh = this.ssthresh;
  }
}
