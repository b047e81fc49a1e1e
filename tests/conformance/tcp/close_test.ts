/** How connections end: RFC 9293 3.6, RFC 1122 4.2.2.13, RFC 1337, RFC 6191. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { milliseconds, NEVER, seconds } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import { familyTest, own, peer as peerAddress } from "../../support/family.ts";
import {
  established,
  expect,
  type Options,
  OWN_PORT,
  PEER_PORT,
  settled,
  syn,
  type TcpPeer,
} from "../../support/peer-tcp.ts";
import { inState, stateOf } from "./states.ts";

const TIME_WAIT = seconds(60);

familyTest(
  "tcp: the first to close goes through FIN-WAIT-1, FIN-WAIT-2 and TIME-WAIT (RFC 9293 3.6, figure 12)",
  () => {
    const peer = settled();
    peer.connection.close();
    expect(peer.flush(), [{ flags: "FA", seq: 1, ack: 1 }]);
    equal(stateOf(peer), "FIN-WAIT-1");
    expect(peer.send({ flags: "A", ack: 2 }), []);
    equal(stateOf(peer), "FIN-WAIT-2");
    expect(peer.send({ flags: "FA", ack: 2 }), [{ flags: "A", seq: 2, ack: 2 }]);
    equal(stateOf(peer), "TIME-WAIT");
    deepEqual(peer.user.heard, ["opened", "peerClosed", "Finished"]);
    peer.pass(TIME_WAIT + milliseconds(1));
    equal(stateOf(peer), "CLOSED");
    expect(peer.send({ flags: "A", ack: 2 }), [{ flags: "R", seq: 2 }]);
  },
);

familyTest(
  "tcp: the second to close goes through CLOSE-WAIT and LAST-ACK, and is gone at once (RFC 9293 3.6, figure 12)",
  () => {
    const peer = settled();
    expect(peer.send({ flags: "FA" }), [{ flags: "A", ack: 2 }]);
    equal(stateOf(peer), "CLOSE-WAIT");
    peer.connection.close();
    expect(peer.flush(), [{ flags: "FA", seq: 1, ack: 2 }]);
    equal(stateOf(peer), "LAST-ACK");
    expect(peer.send({ flags: "A", ack: 2 }), []);
    equal(stateOf(peer), "CLOSED");
    deepEqual(peer.user.heard, ["opened", "peerClosed", "Finished"]);
  },
);

familyTest("tcp: sides that close at once go through CLOSING to TIME-WAIT (RFC 9293 3.6, figure 13)", () => {
  const peer = settled();
  peer.connection.close();
  peer.flush();
  expect(peer.send({ flags: "FA", ack: 1 }), [{ flags: "A", seq: 2, ack: 2 }]);
  equal(stateOf(peer), "CLOSING");
  deepEqual(peer.send({ flags: "A", ack: 2 }), [], "an acknowledgment is not acknowledged");
  equal(stateOf(peer), "TIME-WAIT");
});

familyTest(
  "tcp: a FIN that acknowledges ours goes from FIN-WAIT-1 to TIME-WAIT (RFC 9293 3.10.7.4, eighth)",
  () => {
    const peer = settled();
    peer.connection.close();
    peer.flush();
    expect(peer.send({ flags: "FA", ack: 2 }), [{ flags: "A", seq: 2, ack: 2 }]);
    equal(stateOf(peer), "TIME-WAIT");
  },
);

familyTest(
  "tcp: a FIN follows the last byte of what is buffered, however long that takes (RFC 9293 3.10.4)",
  () => {
    const peer = settled();
    peer.user.write(2_500);
    peer.connection.close();
    expect(peer.flush(), [{ length: 1_000 }, { length: 1_000 }, { flags: "FA", seq: 2_001, length: 500 }]);
    peer.send({ flags: "A", ack: 2_501 });
    equal(stateOf(peer), "FIN-WAIT-1", "the data is acknowledged, the FIN is not");
    peer.send({ flags: "A", ack: 2_502 });
    equal(stateOf(peer), "FIN-WAIT-2");
  },
);

familyTest("tcp: a half-closed connection still receives (RFC 9293 3.6.1)", () => {
  for (const state of ["FIN-WAIT-1", "FIN-WAIT-2"] as const) {
    const peer = inState(state);
    const ack = state === "FIN-WAIT-1" ? 1 : 2;
    peer.send({ flags: "A", ack, length: 500 }, { flags: "A", ack, length: 1_000 });
    equal(peer.user.read().length, 1_500);
    equal(peer.tcp.counters.unacceptable, 0);
  }
});

familyTest("tcp: a half-closed connection still sends (RFC 9293 3.6.1)", () => {
  const peer = inState("CLOSE-WAIT");
  peer.user.write(300);
  expect(peer.flush(), [{ flags: "A", seq: 1, length: 300, ack: 2 }]);
  peer.send({ flags: "A", ack: 301 });
  peer.connection.close();
  expect(peer.flush(), [{ flags: "FA", seq: 301 }]);
});

familyTest(
  "tcp: a second close does nothing, and what is written after the first is not sent (RFC 9293 3.10.4)",
  () => {
    const peer = settled();
    peer.connection.close();
    peer.connection.close();
    expect(peer.flush(), [{ flags: "FA" }]);
    peer.connection.close();
    peer.user.write(10);
    deepEqual(peer.flush(), []);
  },
);

familyTest("tcp: a FIN out of order takes effect when what is before it has come (RFC 9293 3.10.7.4)", () => {
  const peer = settled();
  expect(peer.send({ flags: "FA", seq: 101, length: 50 }), [{ flags: "A", ack: 1 }]);
  deepEqual(peer.user.heard, ["opened"]);
  expect(peer.send({ flags: "A", seq: 1, length: 100 }), [{ flags: "A", ack: 152 }]);
  deepEqual(peer.user.heard, ["opened", "readable", "peerClosed"]);
  equal(peer.user.receive.length, 150);
});

familyTest("tcp: a FIN that comes again is acknowledged again (RFC 9293 3.10.7.4)", () => {
  for (const state of ["CLOSE-WAIT", "CLOSING", "LAST-ACK"] as const) {
    const peer = inState(state);
    for (let times = 0; times < 5; times++) {
      expect(peer.send({ flags: "FA", seq: 1, ack: 1 }), [{ flags: "A", ack: 2 }], state);
    }
  }
});

familyTest("tcp: a FIN that is not acknowledged is sent again (RFC 9293 3.8.1)", () => {
  const peer = settled();
  peer.connection.close();
  peer.flush();
  const again = peer.pass(seconds(2));
  ok(again.length > 1);
  for (const { flags, seq } of again) deepEqual([flags, seq], ["FA", 1]);
});

// Orphans: nobody is there any more.

familyTest(
  "tcp: an orphan in FIN-WAIT-2 ends after a minute, and what comes later is reset (RFC 9293 3.6, RFC 1122 4.2.2.13)",
  () => {
    for (const early of [true, false]) {
      const peer = inState(early ? "FIN-WAIT-1" : "FIN-WAIT-2");
      peer.tcp.orphan(peer.connection);
      if (early) peer.send({ flags: "A", ack: 2 });
      peer.pass(seconds(59));
      equal(stateOf(peer), "FIN-WAIT-2");
      peer.pass(seconds(2));
      equal(stateOf(peer), "CLOSED");
      deepEqual(peer.user.heard, ["opened", "Finished"]);
      expect(peer.send({ flags: "FA", ack: 2 }), [{ flags: "R", seq: 2 }]);
    }
  },
);

familyTest(
  "tcp: the minute of an orphan counts from when it became one, however long nothing happened before (RFC 9293 3.6)",
  () => {
    const peer = inState("FIN-WAIT-2");
    peer.now += seconds(1_000);
    peer.host.at(peer.now);
    peer.tcp.orphan(peer.connection);
    peer.pass(seconds(59));
    equal(stateOf(peer), "FIN-WAIT-2");
    peer.pass(seconds(2));
    equal(stateOf(peer), "CLOSED");
  },
);

familyTest("tcp: a connection that is not orphaned may stay in FIN-WAIT-2 for ever (RFC 9293 3.6)", () => {
  const peer = inState("FIN-WAIT-2");
  deepEqual(peer.pass(seconds(100_000)), []);
  equal(stateOf(peer), "FIN-WAIT-2");
  peer.send({ flags: "A", ack: 2, length: 5 });
  equal(peer.user.receive.length, 5);
});

familyTest("tcp: data for an orphan is reset, its FIN is not (RFC 1122 4.2.2.13, RFC 2525 2.17)", () => {
  const peer = inState("FIN-WAIT-2");
  peer.tcp.orphan(peer.connection);
  expect(peer.send({ flags: "A", ack: 2, length: 5 }), [{ flags: "RA", seq: 2 }]);
  equal(stateOf(peer), "CLOSED");

  const other = inState("FIN-WAIT-2");
  other.tcp.orphan(other.connection);
  expect(other.send({ flags: "FA", ack: 2 }), [{ flags: "A" }]);
  equal(stateOf(other), "TIME-WAIT");
});

familyTest("tcp: an orphan whose peer is gone ends with the user timeout (RFC 9293 3.8.3)", () => {
  const peer = settled();
  peer.user.write(100);
  peer.connection.close();
  peer.tcp.orphan(peer.connection);
  peer.pass(seconds(1_200));
  deepEqual(peer.user.heard, ["opened", "TimedOut"]);
});

familyTest(
  "tcp: an abort loses what is buffered and tells the peer (SO_LINGER of 0; RFC 9293 3.10.5)",
  () => {
    const peer = settled();
    peer.user.write(100_000);
    peer.connection.abort();
    expect(peer.flush(), [{ flags: "RA", seq: 1, length: 0 }]);
    deepEqual(peer.user.heard, ["opened", "Aborted"]);
  },
);

familyTest("tcp: behind a FIN there is no text, whichever comes first (RFC 9293 3.10.7.4, eighth)", () => {
  for (const fin of [{ seq: 1, length: 100 }, { seq: 51, length: 50 }, { seq: 101 }]) {
    for (const isFirst of [true, false]) {
      for (const beyond of [{ seq: 90, length: 100 }, { seq: 101, length: 50 }, { seq: 301, length: 50 }]) {
        const peer = settled({ syn: { mss: 1_000, sackPermitted: true } });
        const end = { flags: "FA", ...fin }, more = { flags: "A", ...beyond };
        // As an attacker's data would: it is held, with a hole before it, when the end is known.
        peer.send(...(isFirst ? [end, more] : [more, end]));
        if (fin.seq !== 1) peer.send({ flags: "A", seq: 1, length: 100 });
        const [answer] = peer.send(end);
        deepEqual(peer.user.heard, ["opened", "readable", "peerClosed"]);
        equal(peer.user.receive.length, 100);
        equal(stateOf(peer), "CLOSE-WAIT");
        expect([answer!], [{ flags: "A", ack: 102 }]);
        peer.send(more);
        equal(peer.user.receive.length, 100);
        // Nor is what had been held reported any more (RFC 2018 3).
        const [said] = peer.send({ flags: "A", seq: 90, length: 1 });
        ok((said?.sack ?? []).every(([, right]) => right <= 101), "only the duplicate is");
      }
    }
  }
});

// TIME-WAIT.

familyTest(
  "tcp: in TIME-WAIT a FIN that comes again is acknowledged and the wait begins anew (RFC 9293 3.10.7.4, eighth)",
  () => {
    const peer = inState("TIME-WAIT");
    peer.pass(seconds(50));
    expect(peer.send({ flags: "FA", seq: 1, ack: 2 }), [{ flags: "A", seq: 2, ack: 2 }]);
    peer.pass(seconds(59));
    equal(stateOf(peer), "TIME-WAIT");
    peer.pass(seconds(2));
    equal(stateOf(peer), "CLOSED");
  },
);

familyTest(
  "tcp: TIME-WAIT is over in time on a host at rest, and the ports are free again (RFC 9293 3.6)",
  () => {
    const peer = inState("TIME-WAIT");
    const { tcp, host } = peer;
    const options = {
      address: Address.parse(peerAddress()),
      port: PEER_PORT,
      localAddress: Address.parse(own()),
      localPort: OWN_PORT,
      sendBuffer: peer.user.send,
      receiveBuffer: peer.user.receive,
      handler: {},
    };
    equal(tcp.connect(options), undefined);
    // As a poll cycle does where nothing arrives.
    while (host.deadline < NEVER) {
      host.at(host.deadline);
      host.transmit(64);
    }
    equal(tcp.timeWaits.size, 0);
    equal(tcp.now, peer.now + TIME_WAIT);
    ok(tcp.connect(options) !== undefined);
  },
);

familyTest("tcp: a reset does not end TIME-WAIT, wherever it lies (RFC 1337 3, F1)", () => {
  const peer = inState("TIME-WAIT");
  for (const seq of [1, 2, 3, 1_000]) expect(peer.send({ flags: "R", seq }), []);
  equal(stateOf(peer), "TIME-WAIT");
});

familyTest(
  "tcp: an old segment in TIME-WAIT is answered with where both sides are, and does no harm (RFC 1337 2)",
  () => {
    const peer = inState("TIME-WAIT");
    expect(peer.send({ flags: "A", seq: 1, ack: 1, length: 10 }), [{
      flags: "A",
      seq: 2,
      ack: 2,
      length: 0,
    }]);
    equal(stateOf(peer), "TIME-WAIT");
  },
);

familyTest("tcp: a SYN that is not newer is not taken in TIME-WAIT (RFC 9293 3.6.1, RFC 6191 2)", () => {
  const peer = inState("TIME-WAIT");
  for (const seq of [-100_000, -1, 1]) {
    peer.pass(seconds(1));
    expect(peer.send({ flags: "S", seq, mss: 1_000 }), [{ flags: "A", seq: 2, ack: 2 }]);
  }
});

familyTest(
  "tcp: a SYN with a greater number opens a new connection from TIME-WAIT, whose numbers are greater too (RFC 9293 3.6.1, MAY-2)",
  () => {
    const peer = inState("TIME-WAIT");
    const { irs } = peer;
    expect(peer.send({ flags: "S", seq: 500, mss: 1_000 }), [{ flags: "SA", ack: 501 }]);
    ok(((peer.irs - irs) | 0) > 65_535, "beyond the old connection's window");
    peer.send({ flags: "A", seq: 501, ack: 1, length: 5 });
    deepEqual(peer.users[1]?.heard, ["opened", "readable"]);
    equal(stateOf(peer), "ESTABLISHED");
    equal(peer.tcp.timeWaits.size, 0);
  },
);

familyTest(
  "tcp: with timestamps a newer one opens a connection from TIME-WAIT, whatever its number, and an older one does not (RFC 6191 2)",
  () => {
    const options: Options = { mss: 1_000, timestamps: [1_000, 0] };
    for (const [value, flags] of [[2_000, "SA"], [999, "A"]] as const) {
      const peer = established({ syn: options });
      const stamp = { timestamps: [1_500, 0] } as const;
      peer.connection.close();
      peer.flush();
      peer.send({ flags: "FA", ack: 2, ...stamp });
      equal(stateOf(peer), "TIME-WAIT");
      expect(peer.send({ flags: "S", seq: -50_000, mss: 1_000, timestamps: [value, 0] }), [{ flags }]);
    }
  },
);

familyTest(
  "tcp: a cookie opens from TIME-WAIT only if its number is greater than the old connection's (RFC 9293 3.6.1, RFC 4987 3.6)",
  () => {
    let taken = 0, refused = 0;
    for (let seq = 500; seq < 540; seq++) {
      const peer = inState("TIME-WAIT", { backlog: 1 });
      const { irs } = peer;
      // Another handshake is under way, and there is room for one.
      peer.send(syn(peer, { port: 6_000 }));
      peer.irs = irs;
      const [answer] = peer.send({ flags: "S", seq, mss: 1_000 });
      if (answer?.flags === "SA") {
        taken++;
        ok(((peer.irs - irs) | 0) > 65_535, "beyond the old connection's window");
        equal(peer.tcp.timeWaits.size, 0);
      } else {
        refused++;
        expect([answer!], [{ flags: "A", seq: 2, ack: 2 }]);
        equal(peer.tcp.counters.cookies, 0);
        equal(peer.tcp.synCookies.mayComeBack(peer.now), false);
        equal(peer.tcp.timeWaits.size, 1);
      }
    }
    ok(taken > 0 && refused > 0, `${taken} taken, ${refused} refused`);
  },
);

familyTest("tcp: TIME-WAIT needs no connection: its slot is free at once", () => {
  const peer = inState("TIME-WAIT", { tcp: { connections: 1 } });
  equal(peer.tcp.connections.size, 0);
  expect(peer.send(syn(peer as TcpPeer, { port: 6_000 })), [{ flags: "SA" }]);
});

familyTest(
  "tcp: a SYN that nobody would take does not end TIME-WAIT, however new it is (RFC 9293 3.6.1, RFC 1337 1)",
  () => {
    let room = 1;
    for (const isListening of [false, true]) {
      room = 1;
      const peer = inState("TIME-WAIT", { most: () => room });
      if (!isListening) peer.listener!.close();
      expect(peer.send({ flags: "S", seq: 500, mss: 1_000 }), [{ flags: "A", seq: 2, ack: 2 }]);
      equal(stateOf(peer), "TIME-WAIT");
      if (!isListening) continue;
      room = 2;
      expect(peer.send({ flags: "S", seq: 500, mss: 1_000 }), [{ flags: "SA", ack: 501 }]);
    }
  },
);

familyTest(
  "tcp: a host that takes no timestamps goes by the SYN's number in TIME-WAIT, whatever the SYN offers (RFC 6191 2)",
  () => {
    for (const [seq, flags] of [[-100_000, "A"], [500, "SA"]] as const) {
      const peer = inState("TIME-WAIT", { tcp: { timestamps: false } });
      expect(peer.send({ flags: "S", seq, mss: 1_000, timestamps: [9_000, 0] }), [{ flags }]);
    }
  },
);
