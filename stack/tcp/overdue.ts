/**
 * RFC 8985 6.2, step 5: what is in flight for too long after something sent later has arrived. It is gone through in
 * order of time, from where the last acknowledgment has left off to the first that is to be waited for, so that each
 * segment is looked at once or twice, and not with each acknowledgment.
 *
 * @module
 */
import { elapsed, type Micros } from "./clock.ts";
import type { Flight } from "./flight.ts";
import type { Losses } from "./loss.ts";
import { firstResent, isNewer } from "./send-order.ts";

/**
 * Marks as lost what left once, before what has arrived last, and `patience` ago. Answers how long from now on to wait
 * until that holds for all that left before it; 0: it does.
 */
export function markOverdue(c: Losses, now: Micros, patience: number): number {
  const { flight } = c;
  const { order } = flight;
  let index = flight.pastReceived(flight.indexFrom(order.from));
  let waits = false;
  for (; index < flight.count; index = flight.pastReceived(index + 1)) {
    if (!isFirst(flight, index)) continue;
    if (!isOvertaken(c, index)) break;
    waits = patience - elapsed(flight.sentAt(index), now) > 0;
    if (waits) break;
    flight.markLost(index);
  }
  order.from = flight.start(index);
  if (!waits) {
    order.edge = order.from;
    return 0;
  }
  const last = lastOvertaken(c, index);
  return patience - elapsed(flight.sentAt(last), now);
}

/** The last pending segment that left once, before what has arrived last; the one numbered `first` is such a one. */
function lastOvertaken(c: Losses, first: number): number {
  const { flight } = c;
  const { order } = flight;
  let last = Math.max(first, flight.indexFrom(order.last));
  let edge = flight.pastReceived(Math.max(first, flight.indexFrom(order.edge)));
  for (; edge < flight.count; edge = flight.pastReceived(edge + 1)) {
    if (!isFirst(flight, edge)) continue;
    if (!isOvertaken(c, edge)) break;
    last = edge;
  }
  while (last > first && !isFirst(flight, last)) last--;
  order.edge = flight.start(edge);
  order.last = flight.start(last);
  return last;
}

/** The same of what left more than once, by when it did so last. */
export function markOverdueAgain(c: Losses, now: Micros, patience: number): number {
  const { order } = c.flight;
  let from = order.resentFrom;
  for (; from < order.count; from++) {
    if (pendingOf(c.flight, from) < 0) continue;
    const sentAt = order.sentAt(from);
    if (elapsed(sentAt, c.rackSentAt) <= 0 || patience - elapsed(sentAt, now) > 0) break;
    markAll(c, from);
  }
  order.resentFrom = from;
  if (from === order.count) return 0;
  let edge = Math.max(from, order.resentEdge);
  for (; edge < order.count && elapsed(order.sentAt(edge), c.rackSentAt) > 0; edge++) order.resentLast = edge;
  order.resentEdge = edge;
  const left = patience - elapsed(c.rackSentAt, now);
  let waits = false;
  // Of what left at the same time the ends decide, and those need not be in order.
  for (let same = edge; same < order.count && order.sentAt(same) === c.rackSentAt; same++) {
    if (left <= 0) markAll(c, same);
    else if (isAnyOvertaken(c, same)) waits = true;
  }
  if (waits) return left;
  let last = order.resentLast;
  while (last >= from && pendingOf(c.flight, last) < 0) last--;
  order.resentLast = last;
  return last < from ? 0 : patience - elapsed(order.sentAt(last), now);
}

/** Whether the segment numbered `index` is pending, and left once. */
function isFirst(flight: Flight, index: number): boolean {
  return flight.isPending(index) && !flight.wasResent(index);
}

/** Whether something that left later has arrived. */
function isOvertaken(c: Losses, index: number): boolean {
  return isNewer(c.rackSentAt, c.rackEnd, c.flight.sentAt(index), c.flight.endOf(index));
}

/** The number of the first segment from `index` on that is pending since the retransmission `which`; -1: there is none. */
function pendingFrom(flight: Flight, which: number, index: number): number {
  const end = flight.order.endOf(which);
  const sentAt = flight.order.sentAt(which);
  let at = firstResent(flight, index, end, sentAt);
  while (at >= 0 && !flight.isPending(at)) at = firstResent(flight, at + 1, end, sentAt);
  return at;
}

function pendingOf(flight: Flight, which: number): number {
  return pendingFrom(flight, which, flight.indexFrom(flight.order.startOf(which)));
}

function markAll(c: Losses, which: number): void {
  let at = pendingOf(c.flight, which);
  for (; at >= 0; at = pendingFrom(c.flight, which, at + 1)) if (isOvertaken(c, at)) c.flight.markLost(at);
}

function isAnyOvertaken(c: Losses, which: number): boolean {
  let at = pendingOf(c.flight, which);
  while (at >= 0 && !isOvertaken(c, at)) at = pendingFrom(c.flight, which, at + 1);
  return at >= 0;
}
