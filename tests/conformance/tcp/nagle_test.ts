/** When little data is sent: RFC 9293 3.7.4 and 3.8.6.2.1, with Minshall's change, and corking. */
import { deepEqual, equal } from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { familyTest } from "../../support/family.ts";
import { expect, settled } from "../../support/peer-tcp.ts";

familyTest("tcp: while a short segment is out further short ones are gathered (RFC 9293 3.7.4)", () => {
  const peer = settled();
  peer.user.write(10);
  expect(peer.flush(), [{ seq: 1, length: 10, push: true }]);
  for (let index = 0; index < 20; index++) {
    peer.user.write(10);
    deepEqual(peer.flush(), []);
  }
  expect(peer.send({ flags: "A", ack: 11 }), [{ seq: 11, length: 200 }]);
});

familyTest(
  "tcp: what has been gathered leaves as soon as it fills a segment, and is never longer (RFC 9293 3.7.4)",
  () => {
    const peer = settled();
    peer.user.write(10);
    peer.flush();
    peer.user.write(2_500);
    expect(peer.flush(), [{ seq: 11, length: 1_000 }, { seq: 1_011, length: 1_000 }]);
    expect(peer.send({ flags: "A", ack: 11 }), [{ seq: 2_011, length: 500 }]);
  },
);

familyTest(
  "tcp: a short end of data goes although full segments are out (Minshall's change to RFC 9293 3.7.4)",
  () => {
    const peer = settled();
    peer.user.write(2_100);
    expect(peer.flush(), [{ length: 1_000 }, { length: 1_000 }, { length: 100 }]);
  },
);

familyTest("tcp: without delay every write leaves at once (RFC 9293 3.7.4, MUST-17)", () => {
  const peer = settled();
  peer.connection.noDelay = true;
  for (let index = 0; index < 5; index++) {
    peer.user.write(10);
    expect(peer.flush(), [{ seq: 1 + index * 10, length: 10 }]);
  }
});

familyTest("tcp: writes of one moment leave as one segment (RFC 9293 3.7.4)", () => {
  const peer = settled();
  peer.connection.noDelay = true;
  for (let index = 0; index < 5; index++) peer.user.write(10);
  expect(peer.flush(), [{ seq: 1, length: 50 }]);
});

familyTest("tcp: the last data of a closed connection is not held back (RFC 9293 3.7.4)", () => {
  const peer = settled();
  peer.user.write(10);
  peer.flush();
  peer.user.write(10);
  peer.connection.close();
  expect(peer.flush(), [{ flags: "FA", seq: 11, length: 10 }]);
});

familyTest("tcp: a corked connection sends whole segments, the rest when it is uncorked", () => {
  const peer = settled();
  peer.connection.cork = true;
  peer.user.write(900);
  deepEqual(peer.flush(), []);
  peer.user.write(1_300);
  expect(peer.flush(), [{ seq: 1, length: 1_000 }, { seq: 1_001, length: 1_000 }]);
  peer.connection.cork = false;
  peer.connection.flush();
  expect(peer.flush(), [{ seq: 2_001, length: 200 }]);
});

familyTest("tcp: a close pulls the cork, and so does a timeout", () => {
  const peer = settled();
  peer.connection.cork = true;
  peer.user.write(100);
  deepEqual(peer.pass(milliseconds(100)), []);
  expect(peer.pass(milliseconds(150)), [{ seq: 1, length: 100 }]);
  peer.send({ flags: "A" });
  peer.user.write(50);
  deepEqual(peer.flush(), []);
  peer.connection.close();
  expect(peer.flush(), [{ flags: "FA", length: 50 }]);
});

familyTest(
  "tcp: a whole write is not held back where the peer's window is smaller than a segment (RFC 9293 3.8.6.2.1)",
  () => {
    const peer = settled({ window: 500 });
    peer.connection.cork = true;
    peer.user.write(600);
    expect(peer.flush(), [{ seq: 1, length: 500 }]);
  },
);

familyTest("tcp: PSH is on the last segment of what there is (RFC 9293 3.9.1.2)", () => {
  const peer = settled();
  peer.user.write(2_500);
  deepEqual(peer.flush().map(({ push }) => push), [false, false, true]);
});

// Acknowledgments.

familyTest(
  "tcp: an acknowledgment is delayed by less than half a second, and for one segment at most (RFC 9293 3.8.6.3, RFC 5681 4.2)",
  () => {
    const peer = settled();
    deepEqual(peer.send({ flags: "A", length: 1_000 }), []);
    const start = peer.now;
    const [late] = peer.pass(seconds(1));
    expect([late!], [{ flags: "A", ack: 1_001 }]);
    equal(late!.time - start, milliseconds(40));
    deepEqual(peer.send({ flags: "A", length: 1_000 }), []);
    expect(peer.send({ flags: "A", length: 1_000 }), [{ flags: "A", ack: 3_001 }]);
    deepEqual(peer.pass(seconds(1)), [], "and the timer is off");
  },
);

familyTest(
  "tcp: every second full segment is acknowledged, also once full ones have become smaller (RFC 5681 4.2)",
  () => {
    for (const [length, flags] of [[900, "A"], [536, "AP"], [300, "A"]] as const) {
      const peer = settled();
      expect(peer.send({ flags: "A", length: 1_000 }, { flags: "A", length: 1_000 }), [{ ack: 2_001 }]);
      // Two of one size tell; what they bring is acknowledged within the time of one.
      for (let turn = 0; turn < 2; turn++) peer.send({ flags, length });
      peer.pass(milliseconds(40));
      for (let turn = 0; turn < 4; turn++) {
        deepEqual(peer.send({ flags, length }), [], `${length}: the first`);
        expect(peer.send({ flags, length }), [{ flags: "A" }], `${length}: the second`);
      }
      peer.send({ flags: "A", length: 1_000 });
      equal(peer.connection.rcvMss, 1_000, "and a longer one is the full one again");
    }
  },
);

familyTest(
  "tcp: messages of one size are no full segments, nor is what differs in size (RFC 5681 4.2)",
  () => {
    const peer = settled();
    peer.send({ flags: "A", length: 1_000 });
    for (const length of [535, 535, 535, 1, 1]) peer.send({ flags: "AP", length });
    for (const length of [900, 899, 1_000, 899, 63, 63, 63]) peer.send({ flags: "A", length });
    equal(peer.connection.rcvMss, 1_000);
  },
);

familyTest("tcp: data takes the acknowledgment along (RFC 9293 3.8.6.3)", () => {
  const peer = settled();
  peer.send({ flags: "A", length: 10 });
  peer.user.write(5);
  expect(peer.flush(), [{ flags: "A", ack: 11, length: 5 }]);
  peer.send({ flags: "A" });
  deepEqual(peer.pass(seconds(1)), []);
});

familyTest("tcp: what is out of order, or fills a hole, is acknowledged at once (RFC 5681 4.2)", () => {
  const peer = settled();
  expect(peer.send({ flags: "A", seq: 11, length: 10 }), [{ flags: "A", ack: 1 }]);
  expect(peer.send({ flags: "A", seq: 31, length: 10 }), [{ flags: "A", ack: 1 }]);
  expect(peer.send({ flags: "A", seq: 1, length: 10 }), [{ flags: "A", ack: 21 }]);
  expect(peer.send({ flags: "A", seq: 21, length: 10 }), [{ flags: "A", ack: 41 }]);
});

familyTest("tcp: a burst of segments is acknowledged once (RFC 9293 3.8.6.3 allows to gather them)", () => {
  const peer = settled();
  const burst = Array.from(
    { length: 10 },
    (_, index) => ({ flags: "A", seq: 1 + index * 1_000, length: 1_000 }),
  );
  expect(peer.send(...burst), [{ flags: "A", ack: 10_001 }]);
});
