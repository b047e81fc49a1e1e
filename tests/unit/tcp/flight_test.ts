import assert from "node:assert/strict";
import { Flight } from "../../../stack/tcp/flight.ts";
import { add, distance } from "../../../stack/tcp/sequence.ts";
import { check, fc } from "../../support/property.ts";

const PIECE = 512;

interface Piece {
  start: number;
  end: number;
  sentAt: number;
  sacked: boolean;
  lost: boolean;
  resent: boolean;
}

/** The same with plain objects and unbounded numbers, counted anew each time. */
class Model {
  pieces: Piece[] = [];
  una = 0;
  delivered: { at: number; end: number; resent: boolean; length: number }[] = [];

  get end(): number {
    return this.pieces.at(-1)?.end ?? this.una;
  }

  sum(test: (piece: Piece) => boolean): number {
    return this.pieces.reduce((sum, piece) => sum + (test(piece) ? piece.end - piece.start : 0), 0);
  }

  deliver(piece: Piece): void {
    if (piece.sacked) return;
    this.delivered.push({
      at: piece.sentAt,
      end: piece.end,
      resent: piece.resent,
      length: piece.end - piece.start,
    });
  }

  ack(una: number): void {
    while (this.pieces.length > 0 && this.pieces[0]!.end <= una) this.deliver(this.pieces.shift()!);
    const head = this.pieces[0];
    if (head !== undefined && head.start < una) {
      // A part delivers bytes, but is no segment that arrived.
      if (!head.sacked) {
        this.delivered.push({ at: -1, end: -Infinity, resent: true, length: una - head.start });
      }
      head.start = una;
    }
    this.una = una;
  }

  split(index: number, at: number): void {
    const piece = this.pieces[index]!;
    this.pieces.splice(index, 1, { ...piece, end: at }, { ...piece, start: at });
  }

  sack(left: number, right: number): void {
    if (left >= right || left <= this.una || right > this.end) return;
    let from = left;
    for (const edge of [left, right]) {
      const index = this.pieces.findIndex((piece) => piece.start < edge && edge < piece.end);
      const piece = this.pieces[index];
      if (piece === undefined || piece.sacked || piece.start < from && edge === right) continue;
      const isWide = edge - piece.start >= PIECE && piece.end - edge >= PIECE;
      if (isWide) this.split(index, edge);
      else if (edge === left) from = piece.end;
    }
    for (const piece of this.pieces) {
      if (piece.sacked || piece.start < left || piece.end > right) continue;
      this.deliver(piece);
      piece.sacked = true;
      piece.lost = false;
    }
  }
}

function compare(flight: Flight, model: Model, base: number): void {
  const of = (position: number) => add(base, position);
  assert.equal(flight.una, of(model.una), "una");
  assert.equal(flight.end, of(model.end), "end");
  assert.equal(flight.count, model.pieces.length, "count");
  assert.equal(flight.sacked, model.sum((piece) => piece.sacked), "sacked");
  assert.equal(flight.sackedSegments, model.pieces.filter((piece) => piece.sacked).length, "sackedSegments");
  assert.equal(flight.lost, model.sum((piece) => piece.lost), "lost");
  assert.equal(flight.pipe, model.sum((piece) => !piece.sacked && !piece.lost), "pipe");
  assert.equal(flight.firstLost(), model.pieces.findIndex((piece) => piece.lost), "firstLost");
  assert.equal(flight.lastUnreceived(), model.pieces.findLastIndex((piece) => !piece.sacked), "last");
  model.pieces.forEach((piece, index) => {
    assert.equal(flight.start(index), of(piece.start));
    assert.equal(flight.endOf(index), of(piece.end));
    assert.equal(flight.sentAt(index), piece.sentAt);
    assert.equal(flight.isReceived(index), piece.sacked);
    assert.equal(flight.isPending(index), !piece.sacked && !piece.lost);
    assert.equal(flight.wasResent(index), piece.resent);
  });
}

function compareDelivered(flight: Flight, model: Model, base: number): void {
  const whole = model.delivered.filter((piece) => piece.at >= 0);
  assert.equal(flight.delivered, model.delivered.reduce((sum, { length }) => sum + length, 0), "delivered");
  const order = (a: { at: number; end: number }, b: { at: number; end: number }) =>
    a.at - b.at || a.end - b.end;
  const newest = whole.toSorted(order).at(-1);
  assert.equal(flight.hasNewest ? flight.newestSentAt : -1, newest?.at ?? -1, "newestSentAt");
  if (newest !== undefined) {
    assert.equal(flight.newestEnd, add(base, newest.end));
    assert.equal(flight.newestResent, newest.resent);
    assert.equal(flight.highestEnd, add(base, Math.max(...whole.map(({ end }) => end))));
  }
  const once = whole.filter(({ resent }) => !resent).toSorted(order);
  assert.equal(flight.hasNewestOnce ? flight.newestOnceAt : -1, once.at(-1)?.at ?? -1, "newestOnceAt");
  if (once.length > 0) assert.equal(flight.newestOnceEnd, add(base, once.at(-1)!.end));
  assert.equal(flight.hasOldest, once.length > 0);
  if (once.length > 0) assert.equal(flight.oldestEnd, add(base, Math.min(...once.map(({ end }) => end))));
}

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("push" as const), a: fc.integer({ min: 1, max: 3_000 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("ack" as const), a: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("sack" as const), a: fc.nat(), b: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("lose" as const), a: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("resend" as const), a: fc.nat(), b: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("allLost", "noneLost", "noneSacked"), a: fc.nat() }),
  },
);

Deno.test("flight: agrees with a naive model under whatever is sent, acknowledged, SACKed, lost and sent again", () => {
  const base = fc.constantFrom(0, -20_000, 0x7fffffff - 20_000, 12_345);
  check(
    fc.property(base, fc.array(step, { minLength: 1, maxLength: 120 }), (start, steps) => {
      const flight = new Flight(), model = new Model();
      flight.reset(start);
      let now = 0;
      let resent = 0;
      for (const [number, next] of steps.entries()) {
        // Several of a burst have the same time.
        if (number % 3 === 0) now += 10;
        const span = model.end - model.una;
        const edge = (value: number) => {
          const edges = model.pieces.map((piece) => piece.end);
          return value % 2 === 0 && edges.length > 0
            ? edges[(value >>> 1) % edges.length]!
            : model.una + (value >>> 1) % (span + 1);
        };
        flight.begin();
        model.delivered = [];
        const { kind, a } = next;
        const b = "b" in next ? next.b : 0;
        const index = model.pieces.length === 0 ? 0 : a % model.pieces.length;
        const piece = model.pieces[index];
        if (kind === "push") {
          model.pieces.push({
            start: model.end,
            end: model.end + a,
            sentAt: now,
            sacked: false,
            lost: false,
            resent: false,
          });
          flight.push(add(start, model.end), now);
        } else if (kind === "ack") {
          const una = edge(a);
          model.ack(una);
          flight.ackTo(add(start, una));
        } else if (kind === "sack") {
          const left = edge(a), right = edge(b);
          model.sack(left, right);
          flight.sack(add(start, left), add(start, right));
        } else if (kind === "lose" && piece !== undefined) {
          if (!piece.sacked) piece.lost = true;
          flight.markLost(index);
        } else if (kind === "resend" && piece !== undefined && !piece.sacked) {
          const whole = piece.end - piece.start;
          const length = b % 3 === 0 ? 1 + b % whole : whole;
          if (length < whole) model.split(index, piece.start + length);
          Object.assign(model.pieces[index]!, { sentAt: now, lost: false, resent: true });
          flight.resend(index, length, now);
          assert.equal(flight.resent, ++resent);
        } else if (kind === "allLost") {
          model.pieces.forEach((each) => each.lost ||= !each.sacked);
          flight.markAllLost();
        } else if (kind === "noneLost") {
          model.pieces.forEach((each) => each.lost = false);
          flight.clearLost();
        } else if (kind === "noneSacked") {
          model.pieces.forEach((each) => each.sacked = false);
          flight.clearSacked();
        }
        compare(flight, model, start);
        if (kind === "ack" || kind === "sack") compareDelivered(flight, model, start);
      }
    }),
    { runs: 1_000 },
  );
});

Deno.test("flight: a peer that SACKs single bytes does not make it grow", () => {
  const flight = new Flight();
  flight.reset(0);
  for (let i = 1; i <= 10; i++) flight.push(i * 1_460, i);
  for (let byte = 1; byte < 14_600; byte += 2) flight.sack(byte, byte + 1);
  assert.ok(flight.count <= 20, `${flight.count}`);
  assert.equal(flight.sacked, 0);
  // Even with segments of 64 KiB there are no more pieces than bytes allow.
  flight.push(14_600 + 65_536, 11);
  for (let byte = 14_601; byte < 80_000; byte += 2) flight.sack(byte, byte + 1);
  assert.ok(flight.count <= 20 + 128, `${flight.count}`);
});

Deno.test("flight: blocks at, below or beyond what is in flight say nothing (RFC 2018 3)", () => {
  const flight = new Flight();
  flight.reset(-100);
  flight.push(900, 1);
  flight.push(1_900, 1);
  for (const [left, right] of [[-100, 900], [-200, 900], [900, 1_901], [5, 5], [900, 0], [1_900, 1_900]]) {
    flight.sack(left!, right!);
  }
  assert.equal(flight.sacked, 0);
  flight.sack(900, 1_900);
  assert.equal(flight.sacked, 1_000);
  assert.ok(flight.isSacked(900, 1_900) && flight.isSacked(1_000, 1_100));
  assert.ok(!flight.isSacked(-100, 900) && !flight.isSacked(899, 1_900));
});

Deno.test("flight: an acknowledgment that is older than the last changes nothing", () => {
  const flight = new Flight();
  flight.reset(0);
  flight.push(1_000, 1);
  flight.ackTo(500);
  flight.ackTo(400);
  assert.equal(flight.una, 500);
  assert.equal(flight.pipe, 500);
});

Deno.test("flight: repairing a long flight takes time in its length, not in the square of it", () => {
  const flight = new Flight();
  const count = 50_000;
  flight.reset(0);
  for (let i = 1; i <= count; i++) flight.push(i * 100, i);
  flight.markAllLost();
  let looked = 0;
  for (let i = flight.firstLost(); i >= 0; i = flight.firstLost()) {
    flight.resend(i, 100, count + i);
    looked++;
  }
  assert.equal(looked, count);
  assert.equal(flight.lost, 0);
  assert.equal(flight.pipe, distance(0, count * 100));
});

Deno.test("flight: what is reported again and again, wherever it begins, costs no walk each time (RFC 2018 3)", () => {
  const count = 10_000, flight = new Flight();
  flight.reset(0);
  for (let index = 1; index <= count; index++) flight.push(index * 1_000, index);
  flight.sack(1_000, count * 1_000);
  const begun = performance.now();
  for (let left = 1; left < count - 1; left++) {
    flight.begin();
    for (let block = 0; block < 4; block++) flight.sack((left + block % 2) * 1_000, (count - block) * 1_000);
  }
  // 40,000 reports of 10,000 segments: a walk for each took 600 ms and more.
  const took = performance.now() - begun;
  assert.ok(took < 200, `${took} ms`);
  assert.equal(flight.sackedSegments, count - 1);
  assert.equal(flight.pastReceived(1), count);
});
