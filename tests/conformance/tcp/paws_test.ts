/** Timestamps: RFC 7323 3 to 5. */
import { deepEqual, equal } from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { familyTest } from "../../support/family.ts";
import {
  type Answer,
  established,
  expect,
  type PeerOptions,
  settled,
  type TcpPeer,
} from "../../support/peer-tcp.ts";

const START = 1_000_000;
const STAMPED: PeerOptions = { syn: { mss: 1_000, timestamps: [START, 0] } };

const data = (peer: TcpPeer, value: number, fields: object = {}) =>
  peer.send({ flags: "A", length: 10, timestamps: [value, 0], ...fields });

const echo = (answers: readonly Answer[]) => answers.map(({ timestamps }) => timestamps?.[1]);

familyTest(
  "tcp: once agreed on, every segment carries a timestamp, and none otherwise (RFC 7323 3.2)",
  () => {
    const peer = established(STAMPED);
    peer.user.write(2_000);
    const answers = [...peer.flush(), ...data(peer, START + 1)];
    equal(answers.length, 4);
    for (const { timestamps, length } of answers) {
      equal(timestamps !== undefined, true);
      equal(length <= 988, true, "the option takes its room from the segment (RFC 7323 3.2, RFC 6691)");
    }
    const without = established();
    without.user.write(2_000);
    deepEqual(without.flush().map(({ timestamps, length }) => [timestamps, length]), [
      [undefined, 1_000],
      [undefined, 1_000],
    ]);
  },
);

familyTest("tcp: the clock of timestamps runs at a millisecond (RFC 7323 5.4)", () => {
  const peer = established(STAMPED);
  const [one] = data(peer, START + 1);
  peer.pass(milliseconds(1_234));
  const [other] = data(peer, START + 2);
  equal((other!.timestamps![0] - one!.timestamps![0]) | 0, 1_234);
});

familyTest("tcp: a segment without a timestamp is dropped in silence, but for a reset (RFC 7323 3.2)", () => {
  const peer = established(STAMPED);
  expect(peer.send({ flags: "A", length: 10 }), []);
  expect(peer.send({ flags: "FA", seq: 1 }), []);
  equal(peer.user.receive.length, 0);
  deepEqual(peer.user.heard, ["opened"]);
  peer.send({ flags: "R", seq: 1 });
  deepEqual(peer.user.heard, ["opened", "Reset"]);
});

familyTest(
  "tcp: a segment whose timestamp is older than the last is acknowledged and dropped (RFC 7323 5.3, R1)",
  () => {
    const peer = established(STAMPED);
    data(peer, START + 100);
    for (const value of [START + 99, START - 5, (START + 100 + 2 ** 31 + 1) | 0]) {
      expect(peer.send({ flags: "A", seq: 11, length: 10, timestamps: [value, 0] }), [{
        flags: "A",
        ack: 11,
      }]);
    }
    equal(peer.user.receive.length, 10);
    expect(data(peer, START + 100, { seq: 11 }), [{ flags: "A", ack: 21 }], "the same is not older");
  },
);

familyTest("tcp: an old timestamp does not protect from a reset (RFC 7323 5.2)", () => {
  const peer = established(STAMPED);
  data(peer, START + 100);
  peer.send({ flags: "R", timestamps: [START, 0] });
  equal(peer.user.heard.at(-1), "Reset");
});

familyTest("tcp: a timestamp of 24 days ago says nothing any more (RFC 7323 5.5)", () => {
  const day = seconds(24 * 3_600);
  for (const [days, taken] of [[23, 10], [25, 20]] as const) {
    const peer = established(STAMPED);
    data(peer, START + 100);
    peer.pass(days * day);
    data(peer, START + 50, { seq: 11 });
    equal(peer.user.receive.length, taken);
  }
});

familyTest(
  "tcp: the echo is of the segment that the last acknowledgment spans: of the first one with delayed acknowledgments (RFC 7323 4.3)",
  () => {
    const peer = settled(STAMPED);
    deepEqual(data(peer, START + 10), []);
    deepEqual(echo([...data(peer, START + 20), ...peer.pass(milliseconds(50))]), [START + 10]);
  },
);

familyTest(
  "tcp: the echo is not of a segment behind a hole, but of the one that fills it (RFC 7323 4.3)",
  () => {
    const peer = settled(STAMPED);
    deepEqual(echo(data(peer, START + 30, { seq: 11 })), [START]);
    deepEqual(echo(data(peer, START + 40, { seq: 1 })), [START + 40]);
  },
);

familyTest("tcp: timestamps compare as numbers that wrap (RFC 7323 5.2)", () => {
  const peer = established({ syn: { mss: 1_000, timestamps: [0x7fff_fff0, 0] } });
  data(peer, 0x7fff_ffff);
  data(peer, 0x8000_0005 | 0);
  equal(peer.user.receive.length, 20);
  data(peer, 0x7fff_ffff, { seq: 21 });
  equal(peer.user.receive.length, 20, "that one is old now");
});

familyTest("tcp: a timestamp beyond the window is not remembered (RFC 7323 4.3, 5.3)", () => {
  const peer = established(STAMPED);
  expect(data(peer, START + 5_000, { seq: 200_000 }), [{ flags: "A", ack: 1 }]);
  expect(data(peer, START + 10, { seq: 1 }), [{ flags: "A", ack: 11 }]);
});
