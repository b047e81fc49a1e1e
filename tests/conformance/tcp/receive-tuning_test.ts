/** How far our window follows the path: by what the user takes in a round trip, and by nothing that a peer can do. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { distance } from "../../../stack/tcp/sequence.ts";
import { familyTest } from "../../support/family.ts";
import { type Answer, type PeerOptions, settled, type TcpPeer } from "../../support/peer-tcp.ts";
import { check, fc } from "../../support/property.ts";

const MSS = 1_400;
const ROUND = milliseconds(50);
const START = 1 << 16;

/** The peer's clock stands still, which harms nobody; what it echoes is ours. */
const STAMPED: PeerOptions = {
  tuned: true,
  handshake: ROUND,
  syn: { mss: MSS, scale: 7, timestamps: [100, 0] },
};
const PLAIN: PeerOptions = { tuned: true, handshake: ROUND, syn: { mss: MSS, scale: 7 } };

/** A peer that sends in rounds, each of which begins when the acknowledgments of the one before have come. */
class Sender {
  readonly peer: TcpPeer;
  #echo: number | undefined;

  constructor(options: PeerOptions) {
    this.peer = settled(options);
    this.#echo = options.syn?.timestamps === undefined ? undefined : this.peer.connection.tcp.clock.millis;
  }

  /** What the window takes now. */
  get window(): number {
    const c = this.peer.connection;
    return distance(c.rcvNxt, c.rcvEdge);
  }

  get limit(): number {
    return this.peer.user.receive.limit;
  }

  /** Sends as much of `length` as the window takes, and answers how much that was. */
  round(length: number, read: (got: number) => number = () => Infinity, time: number = ROUND): number {
    const { peer } = this;
    const count = Math.min(length, this.window);
    const answers: Answer[] = [];
    for (let sent = 0; sent < count; sent += MSS) {
      const stamp = this.#echo === undefined ? {} : { timestamps: [100, this.#echo] as const };
      answers.push(...peer.send({ flags: "A", length: Math.min(MSS, count - sent), ...stamp }));
      peer.user.read(read(Math.min(MSS, count - sent)));
      answers.push(...peer.flush());
    }
    answers.push(...peer.pass(time));
    this.#echo = answers.at(-1)?.timestamps?.[0] ?? this.#echo;
    return count;
  }
}

for (const [what, options] of [["by timestamps", STAMPED], ["by the handshake", PLAIN]] as const) {
  familyTest(
    `tcp: a peer in slow start is never held back by our window (RFC 5681 3.1), told ${what}`,
    () => {
      const sender = new Sender({ ...options, tcp: { receiveWindow: 1 << 21 } });
      for (let cwnd = 10 * MSS; cwnd < 1 << 20; cwnd *= 2) equal(sender.round(cwnd), cwnd, `of ${cwnd}`);
    },
  );

  familyTest(`tcp: the window grows to what is allowed and no further, told ${what}`, () => {
    const sender = new Sender({ ...options, tcp: { receiveWindow: 300_000 } });
    for (let count = 0; count < 8; count++) sender.round(Infinity);
    equal(sender.limit, 300_000);
    ok(sender.window <= 300_000 && sender.window > 300_000 - 64, `${sender.window}`);
  });
}

familyTest("tcp: where nothing has measured the round trip, the time to fill a new window does", () => {
  const sender = new Sender({ ...PLAIN, tcp: { receiveWindow: 1 << 20 } });
  const c = sender.peer.connection;
  c.rtt.reset();
  c.tunedBuffer = undefined;
  sender.round(MSS);
  equal(c.tuning!.roundTrip, 0);
  // What a delayed acknowledgment allows is here a round trip after that.
  for (let count = 0; count < 4; count++) sender.round(Infinity, undefined, ROUND + milliseconds(40));
  ok(c.tuning!.roundTrip >= ROUND && c.tuning!.roundTrip < 2 * ROUND, `${c.tuning!.roundTrip}`);
  ok(sender.limit > 2 * START, `${sender.limit}`);
});

familyTest("tcp: the window is twice what comes in a round trip, once that is steady", () => {
  const sender = new Sender(STAMPED);
  for (const factor of [1, 1.2, 1.2, 1.2, 1.2]) sender.round(100_000 * factor);
  const { limit } = sender;
  for (let count = 0; count < 20; count++) sender.round(60_000);
  equal(sender.limit, limit, "and stays when less comes");
  ok(limit >= 240_000 && limit <= 720_000, `${limit}`);
});

familyTest("tcp: a peer that fills our buffer makes nothing grow while the user does not read", () => {
  const sender = new Sender(STAMPED);
  for (let count = 0; count < 50; count++) sender.round(Infinity, () => 0);
  deepEqual([sender.limit, sender.window], [START, 0]);
});

familyTest("tcp: nor does it while the user reads slowly", () => {
  const sender = new Sender(STAMPED);
  for (let count = 0; count < 200; count++) {
    sender.round(Infinity, () => 0);
    sender.peer.user.read(3_000);
  }
  equal(sender.limit, START);
});

familyTest("tcp: nor does little data, however long it comes", () => {
  const sender = new Sender(STAMPED);
  for (let count = 0; count < 500; count++) sender.round(10_000);
  equal(sender.limit, START);
});

familyTest("tcp: nor does data of many round trips that are taken for one", () => {
  // The peer thinks for ten seconds before each answer, so that its echoes are old.
  const sender = new Sender(STAMPED);
  for (let count = 0; count < 20; count++) {
    sender.peer.pass(seconds(10));
    for (let turn = 0; turn < 4; turn++) sender.round(8_000);
  }
  equal(sender.limit, START);
});

familyTest("tcp: a window grows as well after hours of silence", () => {
  // 36 minutes are negative, and 72 next to nothing, on a clock of 32 bits.
  for (const minutes of [36, 50, 72, 600]) {
    const sender = new Sender({ ...PLAIN, tcp: { receiveWindow: 1 << 20 } });
    sender.round(MSS);
    sender.peer.pass(seconds(60 * minutes));
    for (let count = 0; count < 6; count++) sender.round(Infinity);
    equal(sender.limit, 1 << 20);
  }
});

familyTest("tcp: a buffer of a given size keeps it, whatever is read (RFC 9293 3.8.6)", () => {
  for (const buffer of [4_096, START, 100_000]) {
    const sender = new Sender({ ...STAMPED, tuned: false, buffer });
    for (let count = 0; count < 8; count++) sender.round(Infinity);
    const slack = (1 << sender.peer.connection.rcvScale) - 1;
    equal(sender.limit, buffer);
    ok(sender.window <= buffer && sender.window >= buffer - slack, `${sender.window}`);
  }
});

familyTest(
  "tcp: what buffers have grown by has a bound, shared out by eighths, and is given back at the end",
  () => {
    const bufferGrowth = 1 << 20;
    const peer = settled({ ...STAMPED, tcp: { bufferGrowth } });
    const { tcp } = peer;
    const { growth } = tcp;
    const sender = new Sender({ ...STAMPED, tcp: { bufferGrowth } });
    for (let count = 0; count < 12; count++) sender.round(Infinity);
    const own = sender.peer.tcp.growth;
    const grown = sender.limit - START;
    ok(grown > bufferGrowth / 10 && grown <= bufferGrowth / 8, `${grown}`);
    equal(own.granted, grown);
    // What others have leaves less for this one.
    growth.grow(peer.connection, { limit: 0, most: Infinity, grow: () => {} }, 1 << 30);
    equal(growth.granted, bufferGrowth / 8);
    growth.grow(peer.connection, { limit: 0, most: Infinity, grow: () => {} }, 1 << 30);
    equal(growth.granted, bufferGrowth / 8, "a connection has one share");
    sender.peer.connection.abort();
    sender.peer.flush();
    equal(own.granted, 0);
  },
);

familyTest("tcp: a window that grows never shrinks, and there is room for all of it (RFC 9293 3.8.6)", () => {
  const step = fc.record({
    send: fc.oneof(fc.integer({ min: 1, max: 40_000 }), fc.constant(Infinity)),
    read: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.constant(Infinity)),
    time: fc.integer({ min: 1, max: 200 }),
  });
  check(
    fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), fc.boolean(), (steps, stamped) => {
      const sender = new Sender({ ...(stamped ? STAMPED : PLAIN), tcp: { receiveWindow: 1 << 17 } });
      const { connection: c, user } = sender.peer;
      const slack = (1 << c.rcvScale) - 1;
      let edge = c.rcvEdge;
      for (const { send, read, time } of steps) {
        sender.round(send, () => read, milliseconds(time));
        ok(distance(edge, c.rcvEdge) >= -slack, `by ${distance(edge, c.rcvEdge)}`);
        if (distance(edge, c.rcvEdge) > 0) edge = c.rcvEdge;
        ok(sender.window <= user.receive.window, "there is room for what was offered");
        ok(sender.limit <= 1 << 17, `${sender.limit}`);
      }
    }),
    { runs: 30 },
  );
});
