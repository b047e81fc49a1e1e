/**
 * What becomes of a frame on a link with faults.
 *
 * @module
 */

/**
 * What happened to a frame. Every frame that enters a pipe ends in `Passed` or in one of the five reasons for a drop;
 * what else happened to it on the way comes before.
 */
export const Fate = {
  /** It has come out at the other end. */
  Passed: 0,
  /** Dropped: a loss model took it. */
  Lost: 1,
  /** Dropped: the queue was full, or there was no buffer left. */
  Overflow: 2,
  /** Dropped: it was longer than the link's MTU. */
  TooLong: 3,
  /** Dropped: the link was down. */
  Down: 4,
  /** This is the copy of the frame before it. */
  Duplicated: 5,
  /** It is held back, to let others pass. */
  Reordered: 6,
  /** One of its bits was flipped. */
  Corrupted: 7,
  /** It got ECN's mark. */
  Marked: 8,
} as const;

/** One of {@linkcode Fate}'s numbers. */
export type Fate = (typeof Fate)[keyof typeof Fate];

const NAMES = [
  "passed",
  "lost",
  "overflow",
  "too long",
  "down",
  "duplicated",
  "reordered",
  "corrupted",
  "marked",
] as const;

/** The fate in words, for printing. */
export function fateName(fate: Fate): string {
  return NAMES[fate];
}

/** How many frames had which {@linkcode Fate}. */
export class PipeCounters {
  /** Frames that came out at the other end, copies included. */
  passed = 0;
  /** Dropped: a loss model took them. */
  lost = 0;
  /** Dropped: the queue was full, or there was no buffer left. */
  overflow = 0;
  /** Dropped: they were longer than the link's MTU. */
  tooLong = 0;
  /** Dropped: the link was down. */
  down = 0;
  /** Copies that were made. */
  duplicated = 0;
  /** Frames that were held back, to let others pass. */
  reordered = 0;
  /** Frames of which one bit was flipped. */
  corrupted = 0;
  /** Frames that got ECN's mark. */
  marked = 0;

  /** Counts one frame. */
  count(fate: Fate): void {
    if (fate === Fate.Passed) this.passed++;
    else if (fate === Fate.Lost) this.lost++;
    else if (fate === Fate.Overflow) this.overflow++;
    else if (fate === Fate.TooLong) this.tooLong++;
    else if (fate === Fate.Down) this.down++;
    else if (fate === Fate.Duplicated) this.duplicated++;
    else if (fate === Fate.Reordered) this.reordered++;
    else if (fate === Fate.Corrupted) this.corrupted++;
    else this.marked++;
  }
}
