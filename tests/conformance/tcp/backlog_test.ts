/** What strangers can make us hold before a handshake is complete: RFC 4987. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { seconds } from "../../../stack/store/time.ts";
import { familyTest, isV6, linkMss } from "../../support/family.ts";
import { expect, listening, type Options, syn, type TcpPeer } from "../../support/peer-tcp.ts";
import { stateOf } from "./states.ts";

const FULL: Options = { mss: 1_460, scale: 7, sackPermitted: true, timestamps: [5_000, 0] };

/** A listener that keeps nothing. */
const full = (options: Options = { mss: 1_000 }, tcp = {}) => listening({ backlog: 0, syn: options, tcp });

familyTest("tcp: SYNs beyond the backlog are answered, and nothing of them is kept (RFC 4987 3.6)", () => {
  const peer = listening({ backlog: 3 });
  for (let port = 1; port <= 50; port++) {
    expect(peer.send(syn(peer, { port })), [{ flags: "SA", ack: 1, port }]);
  }
  equal(peer.tcp.connections.size, 3);
  equal(peer.listener!.halfOpen, 3);
  equal(peer.tcp.counters.cookies, 47);
  const answers = peer.pass(seconds(200));
  ok(answers.every(({ port }) => port <= 3), "only what is kept is sent again");
  equal(peer.tcp.connections.size, 0);
});

familyTest(
  "tcp: a flood of SYNs leaves nothing behind, and the next honest one is served (RFC 4987 2)",
  () => {
    const peer = listening({ backlog: 8, tcp: { connections: 16 } });
    for (let port = 1; port <= 5_000; port++) peer.send(syn(peer, { port, seq: 0 }));
    equal(peer.tcp.connections.size, 8);
    const [answer] = peer.send(syn(peer, { port: 7_777 }));
    expect([answer!], [{ flags: "SA" }]);
    peer.send({ flags: "A", seq: 1, ack: 1, port: 7_777 });
    deepEqual(peer.users.map(({ heard }) => heard), [["opened"]]);
  },
);

familyTest(
  "tcp: a cookie that comes back opens the connection, with the MSS of its SYN rounded down (RFC 4987 3.6)",
  () => {
    const table = isV6()
      ? [[1_440, 1_440], [1_300, 1_220], [536, 536], [600, 536], [100, 64]] as const
      : [[1_460, 1_460], [1_400, 1_360], [536, 536], [600, 536], [100, 64]] as const;
    for (const [mss, expected] of table) {
      const peer = full({ mss });
      expect(peer.send(syn(peer)), [{ flags: "SA", mss: linkMss() }]);
      equal(stateOf(peer), "CLOSED");
      expect(peer.send({ flags: "A", seq: 1, ack: 1 }), []);
      deepEqual(peer.user.heard, ["opened"]);
      equal(peer.connection.sndMss, expected);
    }
  },
);

familyTest(
  "tcp: with timestamps a cookie keeps window scale and SACK as well, without them neither is agreed on (RFC 7323 3.2)",
  () => {
    const peer = full(FULL);
    const [answer] = peer.send(syn(peer));
    expect([answer!], [{ sackPermitted: true, scale: 9 }]);
    peer.send({ flags: "A", seq: 1, ack: 1, window: 100, timestamps: [5_001, answer!.timestamps![0]] });
    const { hasSack, hasTimestamps, sndScale, sndWnd } = peer.connection;
    deepEqual({ hasSack, hasTimestamps, sndScale, sndWnd }, {
      hasSack: true,
      hasTimestamps: true,
      sndScale: 7,
      sndWnd: 12_800,
    });

    const poor = full({ mss: 1_460, scale: 7, sackPermitted: true });
    const [plain] = poor.send(syn(poor));
    deepEqual([plain?.scale, plain?.sackPermitted, plain?.timestamps], [undefined, undefined, undefined]);
  },
);

familyTest("tcp: data may come with the cookie, and flows both ways behind it (RFC 4987 3.6)", () => {
  const peer = full();
  peer.send(syn(peer));
  expect(peer.send({ flags: "A", seq: 1, ack: 1, length: 100 }), [{ flags: "A", ack: 101 }]);
  equal(peer.user.read().length, 100);
  peer.user.write(50);
  expect(peer.flush(), [{ seq: 1, length: 50 }]);
});

familyTest(
  "tcp: the round trip of a cookie is not known, so that the first timeout is a second (RFC 6298 2.1)",
  () => {
    const peer = full();
    peer.send(syn(peer));
    peer.pass(seconds(1));
    peer.send({ flags: "A", seq: 1, ack: 1 });
    peer.user.write(50);
    peer.flush();
    deepEqual(peer.pass(seconds(1) - 1), []);
    expect(peer.pass(2), [{ seq: 1, length: 50 }]);
  },
);

familyTest(
  "tcp: a cookie that nobody was given opens nothing, and is reset once none is out (RFC 9293 3.10.7.2)",
  () => {
    const peer = full();
    peer.send(syn(peer));
    const forged = [[1, 2], [1, 0], [2, 1], [0, 1], [1, 1 + (1 << 20)]] as const;
    for (const [seq, ack] of forged) expect(peer.send({ flags: "A", seq, ack }), []);
    expect(peer.send({ flags: "A", seq: 1, ack: 1, port: 6_000 }), [], "another's");
    equal(peer.users.length, 0);
    peer.pass(seconds(130));
    for (const [seq, ack] of forged) expect(peer.send({ flags: "A", seq, ack }), [{ flags: "R", seq: ack }]);
  },
);

familyTest(
  "tcp: a cookie whose ACK is lost, and the data behind it, comes back with what is sent again (RFC 4987 3.6)",
  () => {
    const peer = full();
    peer.send(syn(peer));
    // A reset would be believed: its number is the one that the peer expects.
    expect(peer.send({ flags: "A", seq: 101, ack: 1 }), []);
    expect(peer.send({ flags: "A", seq: 101, ack: 1, length: 100 }), []);
    expect(peer.send({ flags: "A", seq: 1, ack: 1, length: 100 }), [{ flags: "A", ack: 101 }]);
    equal(peer.user.read().length, 100);
  },
);

familyTest("tcp: a cookie grows old: it is good for one to two minutes (RFC 4987 3.6)", () => {
  const young = full();
  young.send(syn(young));
  young.pass(seconds(60));
  young.send({ flags: "A", seq: 1, ack: 1 });
  equal(young.users.length, 1);
  const old = full();
  old.send(syn(old));
  old.pass(seconds(130));
  expect(old.send({ flags: "A", seq: 1, ack: 1 }), [{ flags: "R" }]);
});

familyTest(
  "tcp: a cookie for which there is no slot waits for one: its ACK is dropped (RFC 4987 3.6)",
  () => {
    const peer: TcpPeer = full({ mss: 1_000 }, { connections: 1 });
    for (const port of [1, 2]) {
      peer.send(syn(peer, { port }));
      expect(peer.send({ flags: "A", seq: 1, ack: 1, port }), []);
    }
    deepEqual([peer.users.length, peer.tcp.counters.acceptOverflows], [1, 1]);
    peer.send({ flags: "R", seq: 1, port: 1 });
    expect(peer.send({ flags: "A", seq: 1, ack: 1, port: 2, length: 10 }), [{
      flags: "A",
      ack: 11,
      port: 2,
    }]);
    equal(peer.users.length, 2);
  },
);

familyTest("tcp: a SYN that is a FIN as well is dropped (RFC 9293 3.10.7.2 has no use for one)", () => {
  const peer = listening();
  deepEqual(peer.send({ ...syn(peer), flags: "SF" }), []);
  equal(stateOf(peer), "CLOSED");
});

familyTest(
  "tcp: while nobody accepts, a handshake's ACK is dropped, and the peer served when it tries again",
  () => {
    let most = 1;
    const peer = listening({ most: () => most });
    expect(peer.send(syn(peer)), [{ flags: "SA" }]);
    most = 0;
    expect(peer.send({ flags: "A", seq: 1, ack: 1 }), []);
    expect(peer.send({ flags: "A", seq: 1, ack: 1, length: 10 }), []);
    equal(peer.users.length, 0);
    equal(peer.tcp.counters.acceptOverflows, 2);
    most = 1;
    expect(peer.send({ flags: "A", seq: 1, ack: 1, length: 10 }), [{ flags: "A", ack: 11 }]);
    equal(peer.users.length, 1);
    // Who comes while there is no room is not even answered.
    expect(peer.send(syn(peer, { port: 3 })), []);
    equal(peer.tcp.counters.synDropped, 1);
    most = 2;
    expect(peer.send(syn(peer, { port: 3 })), [{ flags: "SA", port: 3 }]);
  },
);

familyTest("tcp: nor is the ACK of a cookie refused while nobody accepts (RFC 4987 3.6)", () => {
  let most = 1;
  const peer = listening({ backlog: 0, most: () => most });
  expect(peer.send(syn(peer)), [{ flags: "SA" }]);
  most = 0;
  expect(peer.send({ flags: "A", seq: 1, ack: 1 }), []);
  equal(peer.tcp.connections.size, 0);
  equal(peer.tcp.counters.acceptOverflows, 1);
  most = 1;
  expect(peer.send({ flags: "A", seq: 1, ack: 1, length: 10 }), [{ flags: "A", ack: 11 }]);
  deepEqual(peer.user.heard.slice(0, 1), ["opened"]);
});
