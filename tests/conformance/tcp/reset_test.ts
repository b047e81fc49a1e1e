/** Resets: who sends them, with which numbers, and who believes them (RFC 9293 3.10.7.1 and 3.10.7.2, RFC 5961). */
import { deepEqual, equal, ok } from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { CloseReason } from "../../../stack/tcp/handler.ts";
import { Address } from "../../../stack/wire/address.ts";
import { familyTest, own, peer as peerAddress } from "../../support/family.ts";
import { established, expect, listening, OWN_PORT, settled, syn, TcpPeer } from "../../support/peer-tcp.ts";
import { inState, stateOf, STATES } from "./states.ts";

familyTest(
  "tcp: what reaches a closed port is answered with a reset whose numbers its sender believes (RFC 9293 3.10.7.1)",
  () => {
    const peer = new TcpPeer();
    const absolute = { ack: 777 };
    expect(peer.send({ flags: "S", seq: 0 }), [{ flags: "RA", seq: 0, ack: 1 }]);
    expect(peer.send({ flags: "SF", seq: 5, length: 10 }), [{ flags: "RA", seq: 0, ack: 17 }]);
    expect(peer.send({ flags: "", seq: 5, length: 10 }), [{ flags: "RA", seq: 0, ack: 15 }]);
    expect(peer.send({ flags: "F", seq: 5 }), [{ flags: "RA", seq: 0, ack: 6 }]);
    expect(peer.send({ flags: "A", seq: 5, ...absolute }), [{ flags: "R", seq: 777, ack: 0 }]);
    expect(peer.send({ flags: "SA", seq: 5, ...absolute }), [{ flags: "R", seq: 777, ack: 0 }]);
    expect(peer.send({ flags: "FA", seq: 5, length: 9, ...absolute }), [{ flags: "R", seq: 777, ack: 0 }]);
  },
);

familyTest("tcp: a reset is never answered with a reset (RFC 9293 3.10.7.1)", () => {
  for (const peer of [new TcpPeer(), listening()]) {
    for (const flags of ["R", "RA", "RS", "RSA", "RF"]) {
      expect(peer.send({ flags, seq: 3, ack: 9, length: 4 }), []);
    }
    equal(stateOf(peer), "CLOSED");
  }
});

familyTest(
  "tcp: LISTEN resets an acknowledgment, ignores a reset and drops what is neither SYN nor ACK (RFC 9293 3.10.7.2)",
  () => {
    const peer = listening();
    expect(peer.send({ flags: "A", seq: 3, ack: 9 }), [{ flags: "R", seq: 9 }]);
    expect(peer.send({ flags: "SA", seq: 3, ack: 9 }), [{ flags: "R", seq: 9 }]);
    expect(peer.send({ flags: "R", seq: 3 }), []);
    expect(peer.send({ flags: "F", seq: 3 }), []);
    expect(peer.send({ flags: "", seq: 3, length: 10 }), []);
    equal(stateOf(peer), "CLOSED");
  },
);

familyTest(
  "tcp: only a reset that is exactly next ends a connection, others in the window are challenged (RFC 5961 3.2)",
  () => {
    for (const state of STATES) {
      if (state === "TIME-WAIT") continue;
      const peer = inState(state);
      equal(peer.send({ flags: "R", seq: peer.next + 100 }).length, 1);
      equal(stateOf(peer), state);
      peer.next -= 100;
      expect(peer.send({ flags: "R", seq: peer.next }), []);
      equal(stateOf(peer), "CLOSED");
      if (state !== "SYN-RECEIVED") equal(peer.user.heard.at(-1), "Reset");
    }
  },
);

familyTest(
  "tcp: a peer that has forgotten the connection answers the challenge with the reset that counts (RFC 5961 3.2)",
  () => {
    const peer = established();
    const [challenge] = peer.send({ flags: "R", seq: 50 });
    expect(peer.send({ flags: "R", seq: challenge!.ack }), []);
    deepEqual(peer.user.heard, ["opened", "Reset"]);
  },
);

familyTest(
  "tcp: a SYN inside of a connection is challenged and changes nothing, wherever it lies (RFC 5961 4.2)",
  () => {
    for (const seq of [-1_000_000, -1, 0, 1, 2, 30_000, 65_536, 1_000_000]) {
      const peer = settled();
      expect(peer.send({ flags: "S", seq, mss: 1_000 }), [{ flags: "A", seq: 1, ack: 1 }]);
      deepEqual(peer.user.heard, ["opened"]);
    }
  },
);

familyTest("tcp: challenge ACKs are limited to two a second a connection (RFC 5961 7)", () => {
  const peer = settled();
  const blind = { flags: "R", seq: 100 };
  equal(peer.send(...Array(20).fill(blind)).length, 1, "one burst is answered once");
  equal(
    peer.send(blind).length + peer.send(blind).length + peer.send(blind).length,
    1 - 1,
    "and the budget is used up",
  );
  equal(peer.tcp.counters.limitedChallenges, 18 + 3);
  peer.pass(seconds(1));
  equal(peer.send(blind).length, 1);
});

familyTest(
  "tcp: data is refused whose acknowledgment is too old or of what was never sent (RFC 5961 5.2)",
  () => {
    for (const ack of [-70_000, 2, 100_000]) {
      const peer = settled();
      expect(peer.send({ flags: "A", seq: 1, ack, length: 100 }), [{ flags: "A", seq: 1, ack: 1 }]);
      equal(peer.user.receive.length, 0, `an acknowledgment of ${ack}`);
    }
    const peer = settled();
    expect(peer.send({ flags: "A", seq: 1, ack: -60_000, length: 100 }), []);
    equal(peer.user.receive.length, 100, "an old one within the largest window is fine");
  },
);

familyTest(
  "tcp: an abort sends one reset where the peer knows of the connection, and none where it is over (RFC 9293 3.10.5)",
  () => {
    for (const state of STATES) {
      if (state === "TIME-WAIT" || state === "SYN-RECEIVED") continue;
      const peer = inState(state);
      const isOver = state === "CLOSING" || state === "LAST-ACK";
      peer.connection.abort();
      const answers = peer.flush();
      equal(stateOf(peer), "CLOSED");
      equal(peer.user.heard.at(-1), "Aborted");
      if (isOver) deepEqual(answers, []);
      else {
        equal(answers.length, 1);
        ok(answers[0]!.flags.startsWith("R"));
        equal(answers[0]!.seq, peer.expected, "SND.NXT");
      }
      expect(peer.send({ flags: "A", ack: 5 }), [{ flags: "R", seq: 5 }]);
    }
  },
);

familyTest(
  "tcp: an abort before the SYN is answered leaves nothing behind and says nothing (RFC 9293 3.10.5)",
  () => {
    const peer = new TcpPeer();
    const c = peer.connect();
    peer.flush();
    c.abort();
    deepEqual(peer.flush(), []);
    equal(stateOf(peer), "CLOSED");
    deepEqual(peer.user.heard, ["Aborted"]);
  },
);

familyTest("tcp: after an abort nothing that arrives is the user's, even before the reset has left", () => {
  const peer = settled();
  peer.connection.abort();
  expect(peer.send({ flags: "A", length: 10 }), [{ flags: "RA" }]);
  deepEqual(peer.user.heard, ["opened", "Aborted"]);
  equal(peer.user.receive.length, 0);
});

familyTest("tcp: a connection whose reset cannot leave is gone all the same", () => {
  const peer = listening({ knowsPeer: false });
  peer.connect();
  peer.flush();
  peer.host.knows(peerAddress(), "02:00:00:00:00:02");
  peer.pass(milliseconds(10));
  peer.send({ flags: "SA", seq: 0, ack: 1 });
  equal(stateOf(peer), "ESTABLISHED");
  peer.host.ip.neighbours.remove(Address.parse(peerAddress()));
  peer.connection.abort();
  peer.pass(seconds(10));
  equal(stateOf(peer), "CLOSED");
});

familyTest("tcp: closing a listener resets the handshakes under way (RFC 9293 3.10.4)", () => {
  const peer = listening();
  peer.send(syn(peer));
  peer.listener!.close();
  expect(peer.flush(), [{ flags: "RA", seq: 1, ack: 1 }]);
  equal(stateOf(peer), "CLOSED");
  expect(peer.send(syn(peer)), [{ flags: "RA" }]);
});

familyTest("tcp: every connection on an address that goes is reset, one that is being opened as well", () => {
  const peer = listening();
  const address = Address.parse(own());
  peer.connect();
  peer.flush();
  for (const port of [1_001, 1_002, 1_003]) peer.send(syn(peer, { port, ownPort: OWN_PORT }));
  equal(peer.tcp.connections.size, 4);
  equal(peer.tcp.abortOn(address), 3);
  deepEqual(peer.user.heard, ["Aborted"]);
  expect(peer.flush(), [1_001, 1_002, 1_003].map((port) => ({ flags: "RA", port })));
  equal(peer.tcp.connections.size, 0);
});

familyTest("tcp: once an address is gone its connections end without a word, all of them", () => {
  const peer = listening();
  for (const port of [1_001, 1_002, 1_003]) peer.send(syn(peer, { port }));
  equal(peer.tcp.abortOn(Address.parse(own()), false), 0);
  equal(peer.tcp.connections.size, 0);
  expect(peer.flush(), []);
});

familyTest("tcp: whoever ends connections as they are listed reaches all, whichever go at once", () => {
  const peer = listening();
  for (const port of [1_001, 1_002, 1_003, 1_004]) peer.send(syn(peer, { port }));
  const c = [...peer.tcp.connections];
  const seen: number[] = [];
  for (const { remotePort } of peer.tcp.list()) {
    seen.push(remotePort);
    if (remotePort === 1_001) { for (const which of [0, 1]) peer.tcp.end(c[which]!, CloseReason.Aborted); }
    if (remotePort === 1_003) peer.tcp.end(c[2]!, CloseReason.Aborted);
  }
  deepEqual(seen, [1_001, 1_003, 1_004]);
});
