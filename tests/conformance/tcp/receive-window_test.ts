/** Our window, as the peer is told of it: RFC 9293 3.8.6, RFC 7323 2. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { milliseconds } from "../../../stack/store/time.ts";
import { IntoBytes } from "../../../stack/tcp/buffers.ts";
import { familyTest, linkMss } from "../../support/family.ts";
import { type Answer, expect, type PeerOptions, settled, TcpPeer } from "../../support/peer-tcp.ts";
import { check, fc } from "../../support/property.ts";
import { patternAt } from "../../support/tcp.ts";

const BUFFER = 8_192;

/** Fills the window to its last byte, in segments of a thousand. */
function fill(peer: TcpPeer): Answer[] {
  const answers: Answer[] = [];
  for (;;) {
    const c = peer.connection;
    const room = (c.rcvEdge - c.rcvNxt) | 0;
    if (room === 0) return answers;
    answers.push(...peer.send({ flags: "A", length: Math.min(1_000, room) }), ...peer.pass(milliseconds(50)));
  }
}

familyTest("tcp: a reader that does not read closes the window to the last byte (RFC 9293 3.8.6)", () => {
  const peer = settled({ buffer: BUFFER });
  const answers = fill(peer);
  deepEqual(answers.map(({ ack, window }) => ack + window), answers.map(() => BUFFER + 1), "the edge stays");
  equal(answers.at(-1)?.window, 0);
  equal(peer.user.receive.length, BUFFER);
});

familyTest("tcp: a scaled window closes to nothing as well, whatever the rounding (RFC 7323 2.4)", () => {
  const peer = settled({ buffer: 1 << 20, syn: { mss: 1_000, scale: 3 } });
  equal(peer.connection.rcvScale, 5);
  let last: Answer | undefined;
  for (let sent = 0; sent < 1 << 20; sent += 999) {
    const [answer] = [...peer.send({ flags: "A", length: Math.min(999, (1 << 20) - sent) })].slice(-1);
    last = answer ?? last;
  }
  [last] = [...peer.pass(milliseconds(50)), last].slice(0, 1);
  equal(peer.user.receive.length, 1 << 20);
  expect(peer.send({ flags: "A", seq: peer.next - 1, length: 1 }), [{ window: 0 }]);
  expect(peer.send({ flags: "A", length: 1 }), [{ window: 0, ack: (1 << 20) + 1 }]);
});

/** Has `bytes` filled by a peer that sends no more than `step` of them at once, and no more than is offered. */
function fillWhole(peer: TcpPeer, bytes: Uint8Array, step: number): void {
  const c = peer.connection, buffer = new IntoBytes(bytes), size = bytes.length;
  equal(c.rcvScale, 9);
  c.receiveBuffer = buffer;
  c.rcvRoom = size;
  c.ackNow = true;
  c.flush();
  peer.flush();
  for (let turn = 0; turn < 500 && buffer.length < size; turn++) {
    const window = (c.rcvEdge - c.rcvNxt) | 0;
    ok(window > 0, `${size - buffer.length} bytes are left`);
    peer.send({ flags: "A", seq: 1 + buffer.length, length: Math.min(window, step) });
    peer.pass(milliseconds(50));
  }
  equal(buffer.length, size);
  equal((c.rcvEdge - c.rcvNxt) | 0, 0);
}

familyTest(
  "tcp: a buffer that is smaller than a unit of the scaled window is filled to its last byte (RFC 7323 2.2)",
  () => {
    for (const size of [1, 300, 511, 1_024]) {
      const peer = settled({ syn: { mss: 1_000, scale: 3 } });
      const bytes = new Uint8Array(size);
      fillWhole(peer, bytes, 1_000);
      for (let at = 0; at < size; at++) equal(bytes[at], patternAt(at));
    }
  },
);

familyTest(
  "tcp: the rest of a buffer that is no whole number of units is offered as well (RFC 7323 2.2)",
  () => {
    for (const size of [1_300, 10_001, 100_300]) {
      for (const step of [1_000, 777]) {
        const peer = settled({ syn: { mss: 1_000, scale: 3 } });
        fillWhole(peer, new Uint8Array(size), step);
      }
    }
  },
);

familyTest(
  "tcp: a closed window does not open by less than a segment or half of the buffer (RFC 9293 3.8.6.2.2)",
  () => {
    const peer = settled({ buffer: BUFFER });
    fill(peer);
    peer.user.read(999);
    deepEqual(peer.flush(), []);
    expect(
      peer.send({ flags: "A", seq: peer.next - 1 }),
      [{ window: 0 }],
      "a probe is not told of a crumb either",
    );
    peer.user.read(1);
    const c = peer.connection;
    expect(peer.send({ flags: "A", seq: peer.next - 1 }), [{ window: 1_000 }]);
    equal((c.rcvEdge - c.rcvNxt) | 0, 1_000);
  },
);

familyTest(
  "tcp: half of a small buffer opens the window though it is less than a segment (RFC 9293 3.8.6.2.2)",
  () => {
    const peer = settled({ buffer: 4_096, syn: { mss: linkMss() } });
    const most = linkMss();
    for (const length of [most, most, 4_096 - 2 * most]) peer.send({ flags: "A", length });
    equal(peer.connection.rcvMss, most);
    equal(peer.user.receive.length, 4_096);
    peer.user.read(1_459);
    deepEqual(peer.flush(), []);
    peer.user.read(589);
    expect(peer.flush(), [{ flags: "A", window: 2_048 }]);
  },
);

familyTest("tcp: reading from a full buffer tells the peer, without being asked (RFC 9293 3.8.6.2.2)", () => {
  const peer = settled({ buffer: BUFFER });
  fill(peer);
  peer.user.read(5_000);
  expect(peer.flush(), [{ flags: "A", ack: BUFFER + 1, window: 5_000 }]);
  peer.user.read();
  expect(peer.flush(), [{ flags: "A", window: BUFFER }]);
});

familyTest(
  "tcp: a window that is open is not announced anew for each byte that is read (RFC 9293 3.8.6.2.2)",
  () => {
    const peer = settled({ buffer: BUFFER });
    peer.send({ flags: "A", length: 1_000 });
    peer.pass(milliseconds(50));
    for (let index = 0; index < 1_000; index++) {
      peer.user.read(1);
      deepEqual(peer.flush(), []);
    }
  },
);

familyTest("tcp: no more is offered than the endpoint allows (RFC 9293 3.8.6)", () => {
  const peer = settled({ buffer: 4_096, tcp: { receiveWindow: 2_000 } });
  const { rcvEdge, rcvNxt } = peer.connection;
  equal((rcvEdge - rcvNxt) | 0, 2_000);
});

/** What the peer has been told: an acknowledgment and the edge that goes with it. */
function edges(answers: readonly Answer[], scale: number): number[] {
  return answers.map(({ flags, ack, window }) => ack + (flags.includes("S") ? window : window << scale));
}

familyTest(
  "tcp: whatever arrives and is read, the window never shrinks, nor opens by crumbs, nor offers what there is no room for (RFC 9293 3.8.6)",
  () => {
    const step = fc.record({
      segment: fc.integer({ min: 1, max: 1_460 }),
      read: fc.integer({ min: 0, max: 3_000 }),
    });
    const settings: PeerOptions[] = [
      { buffer: 4_096 },
      { buffer: 1 << 16 },
      { buffer: 1 << 17, syn: { mss: 1_460, scale: 4 } },
    ];
    check(
      fc.property(
        fc.constantFrom(...settings),
        fc.array(step, { minLength: 1, maxLength: 60 }),
        (options, steps) => {
          const peer = settled(options);
          const c = peer.connection;
          const scale = Math.max(0, c.rcvScale);
          const slack = (1 << scale) - 1;
          let edge = ((c.rcvEdge - peer.iss) | 0) - slack;
          for (const { segment, read } of steps) {
            const room = Math.max(0, (c.rcvEdge - c.rcvNxt) | 0);
            const before = c.rcvEdge;
            const answers = room === 0 ? [] : peer.send({ flags: "A", length: Math.min(segment, room) });
            peer.user.read(read);
            answers.push(...peer.pass(milliseconds(50)));
            for (const told of edges(answers, scale)) {
              ok(told >= edge - slack, `the edge was ${edge}, and is ${told}`);
              edge = Math.max(edge, told);
            }
            ok(
              ((c.rcvEdge - c.rcvNxt) | 0) <= peer.user.receive.window + slack,
              "there is room for what was offered",
            );
            const opened = (c.rcvEdge - before) | 0;
            // Rounding may take back a little (RFC 7323 2.4).
            ok(opened >= -slack, `opened by ${opened}`);
            ok(
              opened <= slack || opened + slack >= Math.min(c.rcvMss, options.buffer! >> 1),
              `opened by ${opened}`,
            );
          }
        },
      ),
      { runs: 150 },
    );
  },
);

familyTest(
  "tcp: a probe with a byte of data finds no room in a closed window, but its acknowledgment and its window count (RFC 9293 3.10.7.4)",
  () => {
    const peer = settled({ buffer: BUFFER });
    peer.user.write(3_000);
    peer.flush();
    fill(peer);
    peer.send({ flags: "A", ack: 1, window: 0 });
    const received = peer.user.receive.length;
    const { unacceptable } = peer.tcp.counters;
    expect(peer.send({ flags: "A", length: 1, ack: 3_001, window: 5_000 }), [
      { flags: "A", ack: BUFFER + 1, window: 0 },
    ]);
    const c = peer.connection;
    deepEqual([peer.user.send.length, c.sndWnd, peer.user.receive.length], [0, 5_000, received]);
    equal(peer.tcp.counters.unacceptable, unacceptable);
    // One that is off the edge by a byte is nobody's probe.
    peer.user.write(100);
    peer.flush();
    expect(peer.send({ flags: "A", seq: BUFFER + 2, length: 1, ack: 3_101, window: 9 }), [{ window: 0 }]);
    equal(peer.user.send.length, 100);
  },
);

familyTest(
  "tcp: the end of a peer finds room in a closed window, its data does not (RFC 9293 3.10.7.4)",
  () => {
    const peer = settled({ buffer: BUFFER });
    fill(peer);
    expect(peer.send({ flags: "FA", length: 1 }), [{ ack: BUFFER + 1, window: 0 }]);
    deepEqual(peer.user.heard.at(-1), "readable");
    expect(peer.send({ flags: "FA", seq: BUFFER + 1 }), [{ ack: BUFFER + 2, window: 0 }]);
    deepEqual(peer.user.heard.at(-1), "peerClosed");
    equal(peer.user.read().length, BUFFER);
  },
);
