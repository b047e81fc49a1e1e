/** Keepalive: RFC 9293 3.8.4, RFC 1122 4.2.3.6. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { seconds } from "../../../stack/store/time.ts";
import { familyTest } from "../../support/family.ts";
import { expect, settled, times } from "../../support/peer-tcp.ts";
import { inState, stateOf } from "./states.ts";

const IDLE = seconds(7_200), INTERVAL = seconds(75);

familyTest("tcp: keepalive is off unless it is asked for (RFC 9293 3.8.4, MUST-25)", () => {
  const peer = settled();
  deepEqual(peer.pass(seconds(100_000)), []);
});

familyTest(
  "tcp: a connection that was idle for two hours is probed with an old number and no data (RFC 9293 3.8.4, MUST-27, MUST-28)",
  () => {
    const peer = settled();
    peer.connection.setKeepAlive(true);
    deepEqual(peer.pass(IDLE - seconds(1)), []);
    expect(peer.pass(seconds(2)), [{ flags: "A", seq: 0, length: 0 }]);
  },
);

familyTest("tcp: the idle time may be set, and is heeded from then on (RFC 1122 4.2.3.6, a MUST)", () => {
  const peer = settled();
  peer.connection.setKeepAlive(true, seconds(10));
  deepEqual(peer.pass(seconds(9)), []);
  expect(peer.pass(seconds(2)), [{ flags: "A", seq: 0, length: 0 }]);
  peer.send({ flags: "A" });
  deepEqual(peer.pass(seconds(9)), []);
  expect(peer.pass(seconds(2)), [{ flags: "A", seq: 0, length: 0 }]);
  peer.send({ flags: "A" });
  peer.connection.setKeepAlive(false);
  deepEqual(peer.pass(seconds(10_000)), []);
  peer.connection.setKeepAlive(true);
  expect(peer.pass(seconds(11)), [{ flags: "A", seq: 0, length: 0 }]);
});

familyTest("tcp: a peer that answers is left alone for two hours more (RFC 9293 3.8.4)", () => {
  const peer = settled();
  peer.connection.setKeepAlive(true);
  for (let index = 0; index < 20; index++) {
    const [probe, ...more] = peer.pass(IDLE + seconds(1));
    ok(probe !== undefined && more.length === 0);
    peer.send({ flags: "A" });
  }
  deepEqual(peer.user.heard, ["opened"]);
});

familyTest("tcp: anything that is heard puts the probe off (RFC 9293 3.8.4)", () => {
  const peer = settled();
  peer.connection.setKeepAlive(true);
  peer.pass(seconds(7_000));
  peer.send({ flags: "A", length: 10 });
  expect(peer.pass(seconds(7_100)), [{ flags: "A", seq: 1, ack: 11 }], "the acknowledgment alone");
  expect(peer.pass(seconds(150)), [{ flags: "A", seq: 0 }]);
});

for (
  const [what, forged] of [
    ["behind the window", { flags: "A", seq: 1 << 30 }],
    ["a reset off RCV.NXT", { flags: "R", seq: 100 }],
    ["an acknowledgment of what was never sent", { flags: "A", ack: 1 << 20 }],
    ["a SYN", { flags: "S", seq: 100 }],
  ] as const
) {
  familyTest(`tcp: what anybody could have sent does not put the probe off: ${what} (RFC 9293 3.8.4)`, () => {
    const peer = settled();
    peer.connection.setKeepAlive(true);
    peer.pass(seconds(7_000));
    peer.send(forged);
    const start = peer.now;
    const probes = peer.pass(seconds(300)).filter((segment) => segment.seq === 0);
    ok(probes.length > 0, "it is probed as if nothing had come");
    equal(Math.round(times(probes, start)[0]! / 1_000), 200);
  });
}

familyTest(
  "tcp: a peer's own probe, an old number with a right acknowledgment, is a sign of life (RFC 9293 3.8.4)",
  () => {
    const peer = settled();
    peer.connection.setKeepAlive(true);
    peer.pass(seconds(7_000));
    peer.send({ flags: "A", seq: 0 });
    const probes = peer.pass(seconds(7_100)).filter((segment) => segment.seq === 0);
    deepEqual(probes, []);
  },
);

familyTest(
  "tcp: a peer is given up that leaves nine probes unanswered, and not after one (RFC 9293 3.8.4, MUST-29)",
  () => {
    const peer = settled();
    peer.connection.setKeepAlive(true);
    const start = peer.now;
    const probes = peer.pass(IDLE + 20 * INTERVAL);
    deepEqual(times(probes, start), Array.from({ length: 9 }, (_, index) => 7_200_000 + index * 75_000));
    deepEqual(peer.user.heard, ["opened", "TimedOut"]);
    equal(stateOf(peer), "CLOSED");
  },
);

familyTest("tcp: the answer of a peer that has forgotten the connection ends it (RFC 9293 3.8.4)", () => {
  const peer = settled();
  peer.connection.setKeepAlive(true);
  peer.pass(IDLE + seconds(1));
  peer.send({ flags: "R", seq: 1 });
  deepEqual(peer.user.heard, ["opened", "Reset"]);
});

familyTest("tcp: keepalive can be switched off again (RFC 9293 3.8.4, MUST-24)", () => {
  const peer = settled();
  peer.connection.setKeepAlive(true);
  peer.pass(seconds(3_600));
  peer.connection.setKeepAlive(false);
  deepEqual(peer.pass(seconds(100_000)), []);
});

familyTest(
  "tcp: no probe is sent while data is in flight, which asks by itself (RFC 9293 3.8.4, MUST-26)",
  () => {
    const peer = settled();
    peer.connection.userTimeout = seconds(1_000_000);
    peer.connection.setKeepAlive(true);
    peer.pass(seconds(7_100));
    peer.user.write(10);
    const sent = peer.pass(seconds(1_000));
    ok(sent.length > 1 && sent.every(({ length, seq }) => length === 10 && seq === 1));
  },
);

familyTest("tcp: a half-closed connection is probed as well (RFC 9293 3.8.4)", () => {
  for (const state of ["FIN-WAIT-2", "CLOSE-WAIT"] as const) {
    const peer = inState(state);
    peer.connection.setKeepAlive(true);
    peer.pass(IDLE + 20 * INTERVAL);
    equal(stateOf(peer), "CLOSED");
    equal(peer.user.heard.at(-1), "TimedOut");
  }
});
