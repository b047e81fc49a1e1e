/** Peers that lie, guess, flood and never answer: memory and work stay bounded, and nobody else is hurt. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { milliseconds, seconds } from "../../mod.ts";
import { familyTest } from "../support/family.ts";
import {
  type Answer,
  established,
  expect,
  listening,
  type Segment,
  settled,
  syn,
  type TcpPeer,
} from "../support/peer-tcp.ts";
import { broken } from "../support/tcp-invariants.ts";
import { KEEPALIVE_IDLE } from "../../stack/tcp/keepalive.ts";

/** Numbers that a stranger would guess: anywhere but where the connection is. */
function* guesses(count: number): Generator<number> {
  let word = 1;
  for (let index = 0; index < count; index++) {
    word = (Math.imul(word, 1_103_515_245) + 12_345) | 0;
    yield word;
  }
}

/** The connection works: what is sent arrives, both ways. */
function works(peer: TcpPeer, why: string): void {
  const { user, connection } = peer;
  const before = user.receive.length;
  const from = (connection.rcvNxt - peer.iss) | 0;
  peer.send({ flags: "A", seq: from, length: 100, ack: (connection.sndNxt - peer.irs) | 0 });
  equal(user.receive.length, before + 100, `${why}: the peer's data arrives`);
  equal(broken(peer.tcp, peer.now), undefined, why);
}

familyTest("tcp: 100,000 SYNs take no more than the backlog, and a client still connects (RFC 4987)", () => {
  const peer = listening({ backlog: 128, tcp: { connections: 1_000 } });
  let answers = 0;
  for (let index = 0; index < 100_000; index++) {
    // 64,000 ports, each with new numbers when it comes again.
    answers += peer.send({ flags: "S", seq: index * 7, port: 1_024 + index % 64_000, mss: 1_000 }).length;
    if (index % 1_000 === 0) peer.pass(milliseconds(1));
  }
  equal(peer.listener!.halfOpen, 128);
  equal(peer.tcp.connections.size, 128);
  ok(answers <= 101_000, `${answers} answers to 100,000 segments`);
  ok(peer.tcp.counters.cookies >= 99_000);
  // One who means well has the cookie acknowledged.
  peer.next = 0;
  const [answer] = peer.send(syn(peer, { port: 900 }));
  equal(answer?.flags, "SA");
  peer.send({ flags: "A", seq: 1, ack: 1, port: 900 });
  equal(peer.tcp.counters.cookiesAccepted, 1);
  deepEqual(peer.user.heard, ["opened"]);
  peer.send({ flags: "A", seq: 1, ack: 1, port: 900, length: 10 });
  equal(peer.user.receive.length, 10);
  // The flood's half-open connections are given up in time.
  peer.pass(seconds(200));
  equal(peer.listener!.halfOpen, 0);
  equal(peer.tcp.connections.size, 1);
});

familyTest("tcp: ACKs that guess a cookie open nothing (RFC 4987 3.6)", () => {
  const peer = listening({ backlog: 1 });
  peer.send(syn(peer, { port: 1 }), syn(peer, { port: 2 }));
  ok(peer.tcp.counters.cookies > 0);
  for (const guess of guesses(20_000)) peer.send({ flags: "A", seq: guess, ack: guess ^ 0x5555, port: 900 });
  equal(peer.tcp.counters.cookiesAccepted, 0);
  equal(peer.tcp.connections.size, 1);
});

familyTest("tcp: blind resets, SYNs and data neither end a connection nor reach its user (RFC 5961)", () => {
  for (const flags of ["R", "RA", "S", "SA", "A", "FA", "SRFA", ""]) {
    const peer = settled();
    let answers = 0;
    for (const guess of guesses(10_000)) {
      const distance = guess | 0x10_0000;
      if (peer.tcp.connections.size === 0) break;
      const from = { seq: distance, ack: distance ^ 0x1234_5678, length: flags === "A" ? 10 : 0 };
      answers += peer.send({ flags, ...from }).length;
      peer.next = 1;
    }
    deepEqual(peer.user.heard, ["opened"], flags);
    ok(answers <= 10_000, `${flags}: ${answers} answers`);
    if (flags !== "A" && flags !== "FA") ok(answers <= 4, `${flags}: ${answers} challenges in one second`);
    works(peer, `after 10,000 blind ${flags}`);
  }
});

familyTest(
  "tcp: a reset inside the window but off its start is challenged, at most twice a second (RFC 5961 3.2)",
  () => {
    const peer = settled();
    const answers: Answer[] = [];
    for (let offset = 1; offset < 60_000; offset += 100) {
      answers.push(...peer.send({ flags: "R", seq: 1 + offset }));
    }
    equal(answers.length, 2);
    peer.next = 1;
    works(peer, "after resets all over the window");
  },
);

familyTest("tcp: two hosts that disagree by one byte do not answer each other for ever", () => {
  const peer = settled();
  // Somebody has put one byte into the stream: all that the real peer now says lies one before the window.
  peer.send({ flags: "A", seq: 1, length: 1 });
  let answers = 0;
  for (let round = 0; round < 10_000; round++) answers += peer.send({ flags: "A", seq: 1 }).length;
  ok(answers <= 20, `${answers} answers to 10,000 ACKs in one moment`);
  peer.pass(seconds(1));
  ok(peer.send({ flags: "A", seq: 1 }).length === 1, "a probe is answered later all the same");
});

familyTest("tcp: segments that overlap in every way are put together right (RFC 9293 3.10.7.4)", () => {
  const peer = settled({ buffer: 65_536 });
  const length = 20_000;
  for (const guess of guesses(5_000)) {
    const seq = 1 + (guess >>> 0) % length;
    peer.send({ flags: "A", seq, length: Math.min(1 + (guess >>> 20) % 1_400, length + 1 - seq) });
  }
  peer.send({ flags: "A", seq: 1, length: 1_400 });
  for (let seq = 1; seq <= length; seq += 1_000) peer.send({ flags: "A", seq, length: 1_000 });
  const bytes = peer.user.read();
  equal(bytes.length, length);
  for (let offset = 0; offset < length; offset++) {
    if (bytes[offset] !== ((Math.imul(offset, 31) + (offset >>> 8)) & 0xff)) {
      throw new Error(`byte ${offset}`);
    }
  }
});

familyTest(
  "tcp: what is in order is never changed by what comes after, and of what is out of order the latest counts (RFC 9293 3.10.7.4 leaves it open)",
  () => {
    const peer = settled();
    peer.send({ flags: "A", seq: 1, length: 10, byte: 1 });
    peer.send({ flags: "A", seq: 6, length: 10, byte: 2 });
    peer.send({ flags: "A", seq: 21, length: 10, byte: 3 });
    peer.send({ flags: "A", seq: 26, length: 10, byte: 4 });
    peer.send({ flags: "A", seq: 19, length: 4, byte: 5 });
    // What fills the hole reaches into what is there, and is the latest.
    peer.send({ flags: "A", seq: 11, length: 10, byte: 6 });
    const runs = [[1, 10], [2, 5], [6, 5], [5, 2], [3, 3], [4, 10]];
    deepEqual([...peer.user.read()], runs.flatMap(([byte, count]) => new Array(count).fill(byte)));
  },
);

familyTest(
  "tcp: SACK blocks of all that is out, and no acknowledgment, let out no more than the window (RFC 2018 8)",
  () => {
    const peer = settled({ syn: { mss: 1_000, sackPermitted: true } });
    peer.user.write(500_000);
    let sent = peer.flush().length;
    for (let round = 0; round < 2_000; round++) {
      sent += peer.pass(100).length;
      const end = (peer.connection.sndNxt - peer.irs) | 0;
      sent += peer.send({ flags: "A", ack: 1, sack: [[1_001, end]] }).length;
    }
    ok((peer.connection.sndNxt - peer.connection.sndUna | 0) <= 65_535);
    ok(sent < 80, `${sent} segments into a window of 65`);
    equal(peer.user.send.length, 500_000, "all of it is kept");
    equal(broken(peer.tcp, peer.now), undefined);
    takesAll(peer, 500_001);
  },
);

familyTest(
  "tcp: timestamps of strangers poison nobody's connection, whatever they say (RFC 7323 5.3, RFC 5961 5.2)",
  () => {
    const peer = settled({ syn: { mss: 1_000, timestamps: [1_000, 0] } });
    for (const value of [1_001, 100_000, 0x7fff_0000, -5]) {
      // Behind the window, before it, with an acknowledgment of nothing, and without one.
      peer.send({ flags: "A", seq: 500_000, length: 10, timestamps: [value, 0] });
      peer.send({ flags: "A", seq: -500_000, length: 10, timestamps: [value, 0] });
      peer.send({ flags: "A", seq: -500_000, timestamps: [value, 0] });
      peer.send({ flags: "A", seq: 0, length: 1, ack: 5_000, timestamps: [value, 0] });
      peer.send({ flags: "A", seq: 1, length: 1, ack: 5_000, timestamps: [value, 0] });
      peer.send({ flags: "", seq: 1, length: 1, timestamps: [value, 0] });
      peer.send({ flags: "S", seq: 9, timestamps: [value, 0] });
      peer.send({ flags: "R", seq: 9, timestamps: [value, 0] });
    }
    equal(peer.connection.tsRecent, 1_000);
    peer.next = 1;
    peer.send({ flags: "A", length: 100, ack: 1, timestamps: [1_000, 0] });
    equal(peer.user.receive.length, 100, "who speaks right is heard");
  },
);

familyTest(
  "tcp: windows of one byte cost one segment a byte, and no timeout each (RFC 9293 3.8.6.2.1)",
  () => {
    const peer = settled({ window: 1 });
    peer.user.write(500);
    const start = peer.now;
    let [answer] = peer.flush();
    for (let byte = 1; byte <= 500; byte++) {
      deepEqual([answer?.seq, answer?.length], [byte, 1]);
      [answer] = peer.send({ flags: "A", ack: byte + 1, window: 1 });
    }
    equal(answer, undefined);
    deepEqual([peer.user.send.length, peer.now], [0, start]);
  },
);

familyTest("tcp: single bytes with gaps between them fill 128 ranges and no more memory", () => {
  const peer = settled();
  let answers = 0;
  for (let seq = 3; seq < 60_001; seq += 2) answers += peer.send({ flags: "A", seq, length: 1 }).length;
  ok(answers <= 30_000, `${answers} answers`);
  equal(peer.connection.ranges.ranges, 128);
  equal(peer.tcp.counters.tooManyRanges, 29_999 - 128);
  peer.send({ flags: "A", seq: 1, length: 300 });
  peer.next = 301;
  works(peer, "after 30,000 single bytes");
});

familyTest("tcp: data beyond the window and behind it is acknowledged and dropped", () => {
  const peer = settled({ buffer: 8_192 });
  for (let step = 0; step < 2_000; step++) {
    const [answer] = peer.send({ flags: "A", seq: 1 + 8_192 + step * 1_000, length: 1_000 });
    equal(answer?.ack, 1);
  }
  equal(peer.user.receive.length, 0);
  equal(peer.tcp.counters.unacceptable, 2_000);
  peer.next = 1;
  works(peer, "after data beyond the window");
});

/** Lets time pass until the host has nothing more to do, and counts what it sends. */
function silence(peer: TcpPeer, time: number): Answer[] {
  const answers = peer.pass(time);
  equal(peer.tcp.connections.size, 0, "a slot is left");
  return answers;
}

familyTest("tcp: a peer that never acknowledges is given up, after a bounded number of segments", () => {
  const peer = settled();
  peer.user.write(500_000);
  const answers = silence(peer, seconds(1_200));
  ok(answers.length < 60, `${answers.length} segments`);
  deepEqual(peer.user.heard, ["opened", "TimedOut"]);
});

familyTest("tcp: a peer that never reads is probed at growing intervals, and holds one buffer", () => {
  const peer = settled({ window: 0 });
  peer.user.write(500_000);
  let probes = 0;
  for (let round = 0; round < 3_600; round++) {
    for (const { length } of peer.pass(seconds(1))) {
      equal(length, 0);
      probes++;
      peer.send({ flags: "A", window: 0 });
    }
  }
  ok(probes >= 30 && probes < 60, `${probes} probes in an hour`);
  deepEqual(peer.user.heard, ["opened"]);
  peer.connection.abort();
  expect(peer.flush(), [{ flags: "RA" }]);
  equal(peer.tcp.connections.size, 0);
});

familyTest(
  "tcp: a peer that shrinks its window gets what it acknowledges, and no flood (RFC 9293 3.8.6)",
  () => {
    const peer = settled();
    peer.user.write(60_000);
    const sent = peer.flush();
    peer.send({ flags: "A", ack: 1, window: 10 });
    const answers = peer.pass(seconds(20));
    ok(answers.length < 15, `${answers.length} segments into a window of 10`);
    // It takes all that follows after all.
    let acked = 1 + sent.reduce((sum, { length }) => sum + length, 0);
    for (let round = 0; round < 400 && acked < 60_001; round++) {
      for (const { seq, length } of peer.send({ flags: "A", ack: acked, window: 5_000 })) {
        acked = Math.max(acked, seq + length);
      }
      for (const { seq, length } of peer.pass(milliseconds(100))) acked = Math.max(acked, seq + length);
    }
    peer.send({ flags: "A", ack: acked });
    equal(acked, 60_001);
    equal(peer.user.send.length, 0);
  },
);

familyTest("tcp: an acknowledgment of what was never sent changes nothing (RFC 5961 5.2)", () => {
  const peer = settled();
  peer.user.write(5_000);
  peer.flush();
  const { sndUna, control: { cwnd } } = peer.connection;
  let answers = 0;
  for (let beyond = 1; beyond < 10_000; beyond += 10) {
    answers += peer.send({ flags: "A", ack: 5_001 + beyond, window: 60_000 }).length;
  }
  equal(peer.connection.sndUna, sndUna);
  equal(peer.connection.control.cwnd, cwnd);
  ok(answers <= 2, `${answers} challenges`);
});

familyTest(
  "tcp: acknowledging byte by byte opens the window no faster than whole segments (RFC 3465 2.1)",
  () => {
    const split = settled(), whole = settled();
    for (const peer of [split, whole]) peer.user.write(200_000);
    const first = split.flush();
    whole.flush();
    const end = first.at(-1)!.seq + first.at(-1)!.length;
    for (let ack = 2; ack <= end; ack++) split.send({ flags: "A", ack });
    for (let ack = 1_001; ack <= end; ack += 1_000) whole.send({ flags: "A", ack });
    ok(split.connection.control.cwnd <= whole.connection.control.cwnd + 1_000);
  },
);

familyTest("tcp: optimistic acknowledgments get no more than the buffer, and cost the liar its data", () => {
  const peer = settled();
  peer.user.write(1 << 20);
  let sent = 0;
  let answers = peer.flush();
  for (let round = 0; round < 200 && answers.length > 0; round++) {
    sent += answers.length;
    const { seq, length } = answers.at(-1)!;
    answers = peer.send({ flags: "A", ack: seq + length });
  }
  ok(sent <= Math.ceil((1 << 20) / 1_000) + 1, `${sent} segments for a MiB`);
});

const LIES: readonly (readonly (readonly [number, number])[])[] = [
  [[1, 1]],
  [[5_000, 3_000]],
  [[-5_000, -3_000]],
  [[0x7fff_0000, 0x7fff_ffff]],
  [[1, 20_000_000]],
  [[1, 2], [4, 5], [7, 8], [10, 11]],
  [[2_001, 3_001], [2_501, 3_501], [1_001, 5_001], [2_001, 2_002]],
  [[1_001, 9_001], [1_001, 9_001], [1_001, 9_001]],
  [[-1, 4_001]],
];

familyTest("tcp: SACK blocks that lie neither lose data nor start a flood (RFC 2018 8)", () => {
  for (const sack of LIES) {
    const peer = settled({ syn: { mss: 1_000, sackPermitted: true } });
    peer.user.write(100_000);
    let sent = peer.flush().length;
    for (let round = 0; round < 100; round++) sent += peer.send({ flags: "A", ack: 1, sack }).length;
    ok(sent < 200, `${sent} segments for ${JSON.stringify(sack)}`);
    equal(broken(peer.tcp, peer.now), undefined);
    equal(peer.user.send.length, 100_000, "nothing is forgotten before it is acknowledged");
    takesAll(peer, 100_001);
  }
});

familyTest("tcp: a peer that takes back what it has SACKed is sent it again (RFC 2018 8)", () => {
  const peer = settled({ syn: { mss: 1_000, sackPermitted: true } });
  peer.user.write(50_000);
  const sent = peer.flush();
  const { seq, length } = sent.at(-1)!;
  peer.send({ flags: "A", ack: 1, sack: [[1_001, seq + length]] });
  peer.send({ flags: "A", ack: 1_001 });
  takesAll(peer, 50_001, 1_001);
});

/** Lets an honest peer without SACK take what comes in order, until all has come. */
function takesAll(peer: TcpPeer, end: number, from = 1): void {
  let acked = from;
  const take = (answers: readonly Answer[]) => {
    for (const { seq, length } of answers) if (seq <= acked) acked = Math.max(acked, seq + length);
  };
  take(peer.flush());
  for (let round = 0; round < 3_000 && acked < end; round++) {
    take(peer.send({ flags: "A", ack: acked }));
    take(peer.pass(milliseconds(100)));
  }
  peer.send({ flags: "A", ack: acked });
  equal(acked, end, "not everything came");
  equal(peer.user.send.length, 0);
}

familyTest("tcp: data byte by byte is taken, with no more answers than segments", () => {
  const peer = established();
  let answers = 0;
  for (let seq = 1; seq <= 20_000; seq++) answers += peer.send({ flags: "A", seq, length: 1 }).length;
  ok(answers <= 20_000);
  equal(peer.user.receive.length, 20_000);
});

familyTest(
  "tcp: a peer that asks for segments of no size gets none of less than 24 bytes (CVE-2019-11479)",
  () => {
    for (const mss of [0, 1, 40, 63]) {
      const peer = settled({ syn: { mss, sackPermitted: true, timestamps: [1, 0] } });
      peer.user.write(1_000);
      const sizes = peer.flush().map(({ length }) => length);
      ok(sizes.slice(0, -1).every((size) => size >= 24), `${sizes}`);
    }
  },
);

familyTest("tcp: half-open, closing and orphaned connections of a silent peer come to an end", () => {
  const half = listening();
  half.send(syn(half));
  ok(silence(half, seconds(200)).length <= 6);
  const closing = settled();
  closing.connection.close();
  closing.flush();
  ok(silence(closing, seconds(1_200)).length < 40);
  const orphan = settled();
  orphan.connection.close();
  orphan.flush();
  orphan.send({ flags: "A" });
  orphan.tcp.orphan(orphan.connection);
  equal(silence(orphan, seconds(61)).length, 0);
  const idle = settled();
  idle.connection.setKeepAlive(true);
  ok(silence(idle, KEEPALIVE_IDLE + seconds(800)).length <= 9);
});

familyTest("tcp: data for a user who is gone is answered with a reset (RFC 1122 4.2.2.13)", () => {
  const peer = settled();
  peer.connection.close();
  peer.flush();
  peer.send({ flags: "A" });
  peer.tcp.orphan(peer.connection);
  const answers = peer.send({ flags: "A", length: 10 });
  ok(answers.some(({ flags }) => flags.includes("R")));
  equal(peer.tcp.connections.size, 0);
});

familyTest(
  "tcp: an echo of marks of congestion in every segment reduces the window once a window (RFC 3168 6.1.2)",
  () => {
    const peer = settled({ syn: { mss: 1_000 }, window: 65_535 });
    peer.connection.hasEcn = true;
    peer.user.write(100_000);
    const first = peer.flush();
    for (let index = 0; index < 1_000; index++) peer.send({ flags: "AE", ack: 1 });
    const { seq, length } = first.at(-1)!;
    ok(peer.connection.control.cwnd >= (seq + length - 1) / 2 - 1_000);
    takesAll(peer, 100_001);
  },
);

familyTest("tcp: resets are not answered, nor is anything that belongs to nobody answered twice", () => {
  const peer = listening();
  const strays: Segment[] = [
    { flags: "R", ownPort: 99 },
    { flags: "RA", ownPort: 99 },
    { flags: "R" },
    { flags: "RA", seq: 5, ack: 7 },
  ];
  for (const stray of strays) equal(peer.send(stray).length, 0, stray.flags);
  for (const flags of ["S", "SA", "A", "F", "", "FPU", "SFRAUEC"]) {
    ok(peer.send({ flags, seq: 5, ownPort: 99 }).length <= 1, flags);
  }
  equal(peer.tcp.connections.size, 0);
});
