/**
 * RACK (RFC 8985 6): what was sent sufficiently long before something that has arrived is lost.
 *
 * @module
 */
import { type Instant, milliseconds, NEVER } from "../store/time.ts";
import { Recovery } from "./connection.ts";
import type { Losses } from "./loss.ts";
import { after, before, upTo } from "./sequence.ts";

/** So many segments out of order are taken for a loss, unless the path is known to reorder (RFC 8985 6.2, step 4). */
const DUPLICATE_THRESHOLD = 3;
/** RFC 8985 6.2, step 4: recoveries after which a wider reordering window is given up. */
const PERSIST = 16;

/**
 * Steps 2 and 3: learns from what the acknowledgment has delivered. `echoAge` is how long ago the segment left whose
 * timestamp is echoed; negative: unknown.
 */
export function rackUpdate(c: Losses, now: Instant, echoAge: Instant): void {
  const { flight } = c;
  if (flight.newestSentAt < 0) return;
  if (!flight.newestResent || !isAmbiguous(c, now, flight.newestSentAt, echoAge)) {
    advance(c, now, flight.newestSentAt, flight.newestEnd);
  } else if (flight.newestOnceAt >= 0) advance(c, now, flight.newestOnceAt, flight.newestOnceEnd);
  // Step 3: an original that arrives behind a later one was overtaken.
  if (flight.hasOldest && before(flight.oldestEnd, c.rackForwardAck)) c.reorderSeen = true;
  if (after(flight.highestEnd, c.rackForwardAck)) c.rackForwardAck = flight.highestEnd;
}

/** Step 2: what was sent twice may have arrived the first time, and then says nothing about the second. */
function isAmbiguous(c: Losses, now: Instant, sentAt: Instant, echoAge: Instant): boolean {
  // Out of order the echo is of an earlier segment (RFC 7323 4.3), and says nothing.
  const isInOrder = upTo(c.flight.newestEnd, c.flight.una);
  if (isInOrder && echoAge >= 0 && isEchoOlder(now, echoAge, sentAt)) return true;
  return now - sentAt < c.rtt.minRtt;
}

/** Whether the echoed timestamp is older than `sentAt`, on the millisecond clock of timestamps. */
export function isEchoOlder(now: Instant, echoAge: Instant, sentAt: Instant): boolean {
  const tick = milliseconds(1);
  return Math.floor(now / tick) - Math.floor(echoAge / tick) < Math.floor(sentAt / tick);
}

function advance(c: Losses, now: Instant, sentAt: Instant, end: number): void {
  if (c.rackSentAt >= 0 && !wasSentBefore(c.rackSentAt, c.rackEnd, sentAt, end)) return;
  c.rackSentAt = sentAt;
  c.rackEnd = end;
  c.rackRtt = now - sentAt;
}

/** RACK_sent_after, turned round: of what was sent at once, the later number was sent later. */
function wasSentBefore(aAt: Instant, aEnd: number, bAt: Instant, bEnd: number): boolean {
  return aAt < bAt || (aAt === bAt && before(aEnd, bEnd));
}

/**
 * Step 5: marks as lost what the reordering window has passed for. Answers when more will be; NEVER: nothing is
 * waited for.
 */
export function rackDetect(c: Losses, now: Instant): Instant {
  if (c.rackSentAt < 0) return NEVER;
  const { flight } = c;
  const patience = c.rackRtt + reorderingWindow(c);
  let last = -1;
  for (let index = 0; index < flight.count; index++) {
    const sentAt = flight.sentAt(index);
    if (!wasSentBefore(sentAt, flight.endOf(index), c.rackSentAt, c.rackEnd)) {
      // What comes behind was sent later still, unless this one's time is that of a retransmission.
      if (!flight.wasResent(index)) break;
      continue;
    }
    if (!flight.isPending(index)) continue;
    if (sentAt + patience <= now) flight.markLost(index);
    else last = Math.max(last, sentAt + patience);
  }
  return last < 0 ? NEVER : last;
}

/** RFC 8985 6.3: on a timeout the first segment is lost, and whatever was sent long enough ago. */
export function rackMarkOnTimeout(c: Losses, now: Instant): void {
  const { flight } = c;
  const patience = c.rackRtt + reorderingWindow(c);
  for (let index = 0; index < flight.count; index++) {
    if (index === 0 || flight.sentAt(index) + patience <= now) flight.markLost(index);
  }
}

/** Step 4: how long a segment may be overtaken before it is taken for lost. */
export function reorderingWindow(c: Losses): Instant {
  if (!c.reorderSeen && (c.recovery !== Recovery.None || c.flight.sackedSegments >= DUPLICATE_THRESHOLD)) {
    return 0;
  }
  if (c.rtt.minRtt === NEVER) return 0;
  return Math.min(Math.floor(c.reorderWindows * c.rtt.minRtt / 4), c.rtt.srtt);
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
