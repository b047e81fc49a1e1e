/**
 * RACK (RFC 8985 6): what was sent sufficiently long before something that has arrived is lost.
 *
 * @module
 */
import { elapsed, LONGEST, type Micros } from "./clock.ts";
import { Recovery } from "./connection.ts";
import type { Losses } from "./loss.ts";
import { markOverdue, markOverdueAgain } from "./overdue.ts";
import { UNMEASURED } from "./rtt.ts";
import { isNewer } from "./send-order.ts";
import { after, before, upTo } from "./sequence.ts";

/** So many segments out of order are taken for a loss, unless the path is known to reorder (RFC 8985 6.2, step 4). */
const DUPLICATE_THRESHOLD = 3;
/** RFC 8985 6.2, step 4: recoveries after which a wider reordering window is given up. */
const PERSIST = 16;

/**
 * Steps 2 and 3: learns from what the acknowledgment has delivered. `echoAge` is how long ago the segment left at least
 * whose timestamp is echoed; negative: unknown.
 */
export function rackUpdate(c: Losses, now: Micros, echoAge: number): void {
  const { flight } = c;
  if (!flight.hasNewest) return;
  if (!flight.newestResent || !isAmbiguous(c, now, flight.newestSentAt, echoAge)) {
    advance(c, now, flight.newestSentAt, flight.newestEnd);
  } else if (flight.hasNewestOnce) advance(c, now, flight.newestOnceAt, flight.newestOnceEnd);
  // Step 3: an original that arrives behind a later one was overtaken.
  if (flight.hasOldest && before(flight.oldestEnd, c.rackForwardAck)) c.reorderSeen = true;
  if (after(flight.highestEnd, c.rackForwardAck)) c.rackForwardAck = flight.highestEnd;
}

/** Step 2: what was sent twice may have arrived the first time, and then says nothing about the second. */
function isAmbiguous(c: Losses, now: Micros, sentAt: Micros, echoAge: number): boolean {
  // Out of order the echo is of an earlier segment (RFC 7323 4.3), and says nothing.
  const isInOrder = upTo(c.flight.newestEnd, c.flight.una);
  if (isInOrder && echoAge >= 0 && isEchoOlder(now, echoAge, sentAt)) return true;
  return elapsed(sentAt, now) < c.rtt.minRtt;
}

/** Whether what left `echoAge` ago at least, as far as the millisecond of its timestamp tells, left before `sentAt`. */
export function isEchoOlder(now: Micros, echoAge: number, sentAt: Micros): boolean {
  return elapsed(sentAt, now) < echoAge;
}

function advance(c: Losses, now: Micros, sentAt: Micros, end: number): void {
  if (c.hasRack && !isNewer(sentAt, end, c.rackSentAt, c.rackEnd)) return;
  c.hasRack = true;
  c.rackSentAt = sentAt;
  c.rackEnd = end;
  c.rackRtt = Math.max(0, elapsed(sentAt, now));
}

/**
 * Step 5: marks as lost what the reordering window has passed for. Answers how long from now on to wait
 * until more will be; 0: nothing is waited for.
 */
export function rackDetect(c: Losses, now: Micros): number {
  if (!c.hasRack) {
    c.flight.order.restart(c.flight.una);
    return 0;
  }
  const patience = c.rackRtt + reorderingWindow(c);
  return Math.max(markOverdue(c, now, patience), markOverdueAgain(c, now, patience));
}

/** RFC 8985 6.3: on a timeout the first segment is lost, and whatever was sent long enough ago. */
export function rackMarkOnTimeout(c: Losses, now: Micros): void {
  const { flight } = c;
  const patience = c.rackRtt + reorderingWindow(c);
  for (let index = 0; index < flight.count; index++) {
    const age = elapsed(flight.sentAt(index), now);
    if (index === 0 || age >= patience || age < 0) flight.markLost(index);
  }
}

/** What was delivered so long ago that the clock of segments has come halfway round says nothing any more. */
export function rackForget(c: Pick<Losses, "flight" | "hasRack" | "rackSentAt">, now: Micros): void {
  const age = elapsed(c.rackSentAt, now);
  if (age >= 0 && age <= LONGEST) return;
  c.hasRack = false;
  c.flight.order.restart(c.flight.una);
}

/** Step 4: how long a segment may be overtaken before it is taken for lost. */
export function reorderingWindow(c: Losses): number {
  if (!c.reorderSeen && (c.recovery !== Recovery.None || c.flight.sackedSegments >= DUPLICATE_THRESHOLD)) {
    return 0;
  }
  if (c.rtt.minRtt === UNMEASURED) return 0;
  return Math.min(Math.floor(c.reorderWindows * c.rtt.minRtt / 4), c.rtt.srtt) | 0;
}

/** Step 4: a duplicate was reported, so something was sent again for nothing: more patience, once a round trip. */
export function rackOnDuplicate(c: Losses): void {
  if (c.inReorderRound && before(c.flight.una, c.reorderRound)) return;
  c.inReorderRound = true;
  c.reorderRound = c.flight.end;
  c.reorderWindows++;
  c.reorderPersist = PERSIST;
}

/** Step 4: a recovery has ended; after a number of them without duplicates patience is what it was. */
export function rackOnRecovered(c: Losses): void {
  c.reorderPersist--;
  if (c.reorderPersist <= 0) c.reorderWindows = 1;
}
