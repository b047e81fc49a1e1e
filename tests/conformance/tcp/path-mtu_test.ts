/** ICMPv6 errors about segments, and paths that take less than the link: RFC 4443, RFC 4821 7.7, RFC 5927, RFC 8201. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { MIN_MSS } from "../../../stack/tcp/options.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Problem, Type, Unreachable } from "../../../stack/wire/icmpv6.ts";
import { familyTest, ipHeader, isV6, linkMss, peer as peerAddress } from "../../support/family.ts";
import { settled, syn, TcpPeer } from "../../support/peer-tcp.ts";
import { stateOf } from "./states.ts";

const { DestinationUnreachable, PacketTooBig, ParameterProblem, TimeExceeded } = Type;

/** A test that is about IPv6 only. */
function test6(name: string, body: () => void): void {
  familyTest(name, () => {
    if (isV6()) body();
  });
}

/** A connection with five full segments in flight. */
function flying(): TcpPeer {
  const peer = settled({ syn: { mss: linkMss() } });
  peer.user.write(5 * linkMss());
  equal(peer.flush().length, 5);
  return peer;
}

/** An error that says that a packet of 1,500 bytes was too long; `mtu` is what the router says. */
function tooBig(peer: TcpPeer, mtu: number, seq = 1) {
  const [type, code] = isV6() ? [PacketTooBig, 0] : [3, 4];
  return peer.error(type, code, seq, { mtu, totalLength: 1_500 });
}

test6(
  "tcp: an ICMPv6 error that the peer is not there ends a connection that is being opened (RFC 9293 3.9.2.2)",
  () => {
    for (
      const [type, code, reason] of [
        [DestinationUnreachable, Unreachable.Port, "Refused"],
        [DestinationUnreachable, Unreachable.AdministrativelyProhibited, "Unreachable"],
        [DestinationUnreachable, Unreachable.SourcePolicy, "Unreachable"],
        [DestinationUnreachable, Unreachable.RejectRoute, "Unreachable"],
        [ParameterProblem, Problem.NextHeader, "Refused"],
      ] as const
    ) {
      const peer = new TcpPeer();
      peer.connect();
      peer.flush();
      deepEqual(peer.error(type, code, 0), []);
      deepEqual(peer.user.heard, [reason]);
      equal(stateOf(peer), "CLOSED");
    }
  },
);

test6(
  "tcp: other ICMPv6 errors do not end the attempt, and are told when it has timed out (RFC 5461 2.1)",
  () => {
    for (
      const [type, code] of [
        [DestinationUnreachable, Unreachable.NoRoute],
        [DestinationUnreachable, Unreachable.Address],
        [TimeExceeded, 0],
        [ParameterProblem, Problem.Field],
      ] as const
    ) {
      const peer = new TcpPeer();
      peer.connect();
      peer.flush();
      peer.error(type, code, 0);
      deepEqual(peer.user.heard, []);
      peer.pass(seconds(200));
      deepEqual(peer.user.heard, ["Unreachable"]);
    }
  },
);

test6("tcp: no ICMPv6 error ends a connection that is open (RFC 5927 5.2)", () => {
  const peer = flying();
  for (let code = 0; code < 7; code++) deepEqual(peer.error(DestinationUnreachable, code, 1), []);
  deepEqual(peer.user.heard, ["opened"]);
});

test6("tcp: a message that tells of less than 1,280 bytes is discarded (RFC 8201 4)", () => {
  for (const mtu of [0, 68, 1_279]) {
    const peer = flying();
    tooBig(peer, mtu);
    equal(peer.connection.sndMss, linkMss(), `an MTU of ${mtu}`);
  }
});

familyTest(
  "tcp: a packet that was too big lowers the MSS, and what was too big is sent again at once (RFC 1191 6.5, RFC 8201 5.4)",
  () => {
    const peer = flying();
    peer.send({ flags: "A", ack: 2 });
    const { cwnd } = peer.connection.control;
    const answers = tooBig(peer, 1_400, 2);
    const mss = 1_380 - ipHeader();
    equal(peer.connection.sndMss, mss);
    ok(answers.length >= 5 && answers.every(({ length }) => length <= mss));
    equal(answers[0]?.seq, 2);
    equal(peer.connection.control.cwnd, cwnd, "it is no sign of congestion");
  },
);

familyTest(
  "tcp: of the first window no more segments leave because they became shorter (RFC 5681 3.1)",
  () => {
    const peer = settled({ syn: { mss: linkMss() } });
    peer.user.write(100_000);
    const first = peer.flush().length;
    const answers = tooBig(peer, isV6() ? 1_280 : 600);
    equal(answers[0]?.seq, 1);
    const bytes = answers.reduce((sum, { length }) => sum + length, 0);
    ok(bytes <= first * peer.connection.sndMss, `${bytes} in ${answers.length}`);
  },
);

familyTest(
  "tcp: what was too big for its path, and waits for the window, does not end slow start (RFC 1191 6.5, RFC 8201 5.4)",
  () => {
    for (const sackPermitted of [true, false]) {
      const peer = settled({ syn: { mss: linkMss(), sackPermitted } });
      const { control } = peer.connection;
      peer.user.write(100_000);
      const sent = peer.flush().reduce((sum, { length }) => sum + length, 0);
      const cut = tooBig(peer, 1_400).reduce((sum, { length }) => sum + length, 0);
      ok(cut < sent, "the window does not take all of it at once");
      const { cwnd } = control;
      let lengths = 0;
      for (let ack = 1_361 - ipHeader(); lengths < sent - cut; ack += 1_380 - ipHeader()) {
        for (const { length } of peer.send({ flags: "A", ack })) lengths += length;
      }
      equal(control.ssthresh, Infinity);
      ok(control.cwnd > cwnd, `${control.cwnd} after ${cwnd} bytes`);
    }
  },
);

familyTest("tcp: to BBR what was too big for its path is no loss (RFC 1191 6.5, RFC 8201 5.4)", () => {
  const peer = settled({ syn: { mss: linkMss(), sackPermitted: true }, tcp: { congestion: "bbr" } });
  const { control } = peer.connection;
  let told = 0;
  Object.assign(control, { onLostSegment: () => told++, onLoss: () => told++ });
  peer.user.write(5 * linkMss());
  equal(peer.flush().length, 5);
  ok(tooBig(peer, 1_400).length >= 5);
  peer.send({ flags: "A", ack: 1_381 - ipHeader() });
  equal(told, 0);
});

familyTest(
  "tcp: what is known of a path holds for the next connection to the peer, for ten minutes (RFC 1191 6.3, RFC 8201 5.3)",
  () => {
    const peer = flying();
    tooBig(peer, 1_300);
    const known = () => peer.host.ip.pathMtus.get(Address.parse(peerAddress()), peer.now);
    equal(known(), 1_300);
    const next = (port: number) => {
      peer.send(syn(peer, { port }));
      peer.next = 1;
      peer.send({ flags: "A", seq: 1, ack: 1, port });
      return peer.connection.sndMss;
    };
    equal(next(6_000), 1_280 - ipHeader());
    peer.pass(seconds(600));
    ok(known() > 1_500);
    equal(next(6_001), linkMss());
  },
);

familyTest(
  "tcp: what was in flight as another connection heard of the path is sent again at once when a router says so (RFC 1191 6.5)",
  () => {
    const peer = flying();
    peer.host.ip.pathMtus.learn(Address.parse(peerAddress()), 1_400, 1_500, peer.now);
    peer.user.write(linkMss());
    peer.pass(milliseconds(2));
    const mss = 1_380 - ipHeader();
    equal(peer.connection.sndMss, mss);
    const answers = tooBig(peer, 1_400);
    equal(answers[0]?.seq, 1);
    ok(answers.every(({ length }) => length <= mss));
    equal(answers.reduce((sum, { length }) => sum + length, 0), 5 * linkMss());
    deepEqual(tooBig(peer, 1_400), [], "once");
  },
);

familyTest("tcp: a packet too big that is about nothing in flight changes nothing (RFC 5927 7.2)", () => {
  const peer = flying();
  tooBig(peer, 1_300, 9_000);
  tooBig(peer, 1_500);
  tooBig(peer, 9_000);
  equal(peer.connection.sndMss, linkMss());
  equal(peer.host.ip.pathMtus.size, 0);
});

familyTest(
  "tcp: a path that swallows full segments in silence gets shorter ones (RFC 4821 7.7, RFC 8899 4.3)",
  () => {
    const peer = settled({ syn: { mss: linkMss() } });
    peer.user.write(4 * linkMss());
    peer.flush();
    // What is longer than 1,280 bytes is lost, time and again.
    const mss = 1_260 - ipHeader();
    let arrived: number | undefined;
    for (let second = 0; second < 60 && arrived === undefined; second++) {
      for (const { seq, length } of peer.pass(seconds(1))) if (seq === 1 && length <= mss) arrived = second;
    }
    ok(arrived !== undefined && arrived < 20, `after ${arrived} s`);
    equal(peer.connection.sndMss, mss);
    equal(peer.tcp.counters.blackHoles, 1);
    const answers = peer.send({ flags: "A", ack: 1 + mss });
    ok(answers.length > 0 && answers.every(({ length }) => length <= mss));
  },
);

familyTest("tcp: timeouts of segments that every path takes are no black hole", () => {
  const peer = settled({ syn: { mss: 1_200 } });
  peer.user.write(1_200);
  peer.flush();
  peer.pass(seconds(60));
  equal(peer.connection.sndMss, 1_200);
  equal(peer.tcp.counters.blackHoles, 0);
});

familyTest(
  "tcp: a segment that its path is known to refuse is cut anew, and leaves in 2 ms (RFC 1191 6.4)",
  () => {
    const peer = settled({ syn: { mss: linkMss() } });
    const { now } = peer;
    // Another connection to the peer has heard of it.
    peer.host.ip.pathMtus.learn(Address.parse(peerAddress()), 1_400, 1_500, now);
    peer.user.write(3 * linkMss());
    deepEqual(peer.flush(), []);
    const mss = 1_380 - ipHeader();
    equal(peer.connection.sndMss, mss);
    deepEqual(peer.pass(milliseconds(2) - 1), []);
    const answers = peer.pass(1);
    ok(answers.every(({ length, time }) => length <= mss && time === now + milliseconds(2)));
    equal(answers.reduce((sum, { length }) => sum + length, 0), 3 * linkMss());
  },
);

familyTest(
  "tcp: where the link has become shorter than anybody said, half of the MSS is tried, and half of that",
  () => {
    const peer = settled({ syn: { mss: linkMss() } });
    const c = peer.connection;
    peer.user.write(linkMss());
    equal(peer.flush().length, 1);
    peer.host.nic.info.mtu = 500;
    peer.user.write(linkMss());
    const halved = (times: number) => Math.floor(linkMss() / 2 ** times);
    // It is tried again after 2 ms, then after twice as long each time.
    for (const [wait, times] of [[0, 1], [2, 2]] as const) {
      deepEqual(peer.pass(milliseconds(wait)), []);
      equal(c.sndMss, halved(times));
    }
    const answers = peer.pass(milliseconds(4));
    ok(
      answers.length >= 3 && answers.every(({ length }) => length <= halved(2)),
      `${answers.length} segments`,
    );
    equal(answers[0]?.seq, 1 + linkMss());
    // What had left before was too long as well: it is lost, and sent again in pieces.
    const again = peer.pass(seconds(2)).filter(({ seq }) => seq === 1);
    ok(again.length > 0 && again.every(({ length }) => length <= halved(2)), `${again.length} times`);
    deepEqual(peer.user.heard, ["opened"]);
  },
);

familyTest(
  "tcp: a link that takes no segment at all is asked ever more seldom, and the user timeout ends it",
  () => {
    const peer = settled({ syn: { mss: linkMss() }, tcp: { userTimeout: seconds(10) } });
    peer.host.nic.info.mtu = 30;
    peer.user.write(1);
    let tries = 0;
    for (let ms = 0; ms < 9_000; ms++) {
      const { sndMss } = peer.connection;
      deepEqual(peer.pass(milliseconds(1)), []);
      if (peer.connection.sndMss < sndMss) tries++;
    }
    ok(tries >= 3 && peer.connection.sndMss === MIN_MSS, `${tries} tries, ${peer.connection.sndMss} bytes`);
    peer.pass(seconds(3));
    deepEqual(peer.user.heard, ["opened", "TimedOut"]);
    equal(peer.tcp.connections.size, 0);
  },
);
