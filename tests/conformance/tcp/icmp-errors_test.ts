/** ICMP errors about segments: RFC 9293 3.9.2.2, RFC 1191, RFC 5461, RFC 5927. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { seconds } from "../../../stack/store/time.ts";
import { Type, Unreachable } from "../../../stack/wire/icmpv4.ts";
import { expect, type QuoteFields, settled, TcpPeer } from "../../support/peer-tcp.ts";
import { Address } from "../../../stack/wire/address.ts";
import { familyTest, peer as peerAddress } from "../../support/family.ts";
import { stateOf } from "./states.ts";

const UNREACHABLE = Type.DestinationUnreachable;

/** A host that has sent its SYN. */
function calling(): TcpPeer {
  const peer = new TcpPeer();
  peer.connect();
  peer.flush();
  return peer;
}

/** A connection with five segments of a thousand bytes in flight. */
function flying(mss: number = 1_460): TcpPeer {
  const peer = settled({ syn: { mss } });
  peer.user.write(5 * mss);
  equal(peer.flush().length, 5);
  return peer;
}

Deno.test("tcp: an error that the peer is not there ends a connection that is being opened (RFC 9293 3.9.2.2, RFC 1122 4.2.3.9)", () => {
  for (
    const [code, reason] of [
      [Unreachable.Protocol, "Refused"],
      [Unreachable.Port, "Refused"],
      [Unreachable.HostProhibited, "Unreachable"],
      [Unreachable.AdministrativelyProhibited, "Unreachable"],
    ] as const
  ) {
    const peer = calling();
    deepEqual(peer.error(UNREACHABLE, code, 0), []);
    deepEqual(peer.user.heard, [reason]);
    equal(stateOf(peer), "CLOSED");
  }
});

Deno.test("tcp: other errors do not end the attempt, and are told when it has timed out (RFC 5461 2.1, RFC 9293 3.9.2.2, MUST-56)", () => {
  for (
    const [type, code] of [
      [UNREACHABLE, Unreachable.Net],
      [UNREACHABLE, Unreachable.Host],
      [UNREACHABLE, Unreachable.SourceRouteFailed],
      [Type.TimeExceeded, 0],
      [Type.ParameterProblem, 0],
    ] as const
  ) {
    const peer = calling();
    peer.error(type, code, 0);
    deepEqual(peer.user.heard, []);
    peer.pass(seconds(200));
    deepEqual(peer.user.heard, ["Unreachable"]);
  }
});

Deno.test("tcp: no error ends a connection that is open (RFC 5927 5.2)", () => {
  const peer = flying();
  for (let code = 0; code < 16; code++) {
    if (code !== Unreachable.FragmentationNeeded) deepEqual(peer.error(UNREACHABLE, code, 1), []);
  }
  deepEqual(peer.user.heard, ["opened"]);
  equal(peer.tcp.counters.errors, 15);
  peer.send({ flags: "A" });
  peer.pass(seconds(10_000));
  deepEqual(peer.user.heard, ["opened"], "and it is forgotten when data is acknowledged");
});

Deno.test("tcp: an error is told when an open connection times out (RFC 5461 2.1)", () => {
  const peer = flying();
  peer.error(UNREACHABLE, Unreachable.Host, 1);
  peer.pass(seconds(1_200));
  deepEqual(peer.user.heard, ["opened", "Unreachable"]);
});

Deno.test("tcp: a source quench is ignored (RFC 6633 3)", () => {
  const peer = flying();
  const { cwnd } = peer.connection.control;
  deepEqual(peer.error(Type.SourceQuench, 0, 1), []);
  equal(peer.connection.control.cwnd, cwnd);
});

Deno.test("tcp: an error counts only if it quotes a number in flight, SND.UNA up to SND.NXT (RFC 5927 4.1)", () => {
  for (
    const [seq, counts] of [[0, false], [1, true], [7_300, true], [7_301, false], [-100_000, false]] as const
  ) {
    const peer = flying();
    peer.error(UNREACHABLE, Unreachable.Host, seq);
    equal(peer.connection.softError, counts, `${seq}`);
    equal(peer.tcp.counters.strayErrors, counts ? 0 : 1);
  }
  const opening = calling();
  opening.error(UNREACHABLE, Unreachable.Port, 1);
  deepEqual(opening.user.heard, [], "of a SYN only its own number");
});

Deno.test("tcp: an error about another connection, or cut short before the number, is nobody's (RFC 792, RFC 5927 4.1)", () => {
  const wrong: QuoteFields[] = [{ ownPort: 81 }, { port: 4_999 }, { bytes: 7 }, { bytes: 0 }];
  for (const fields of wrong) {
    const peer = flying();
    peer.error(UNREACHABLE, Unreachable.Host, 1, fields);
    equal(peer.connection.softError, false);
    equal(peer.tcp.counters.strayErrors, 1);
  }
});

Deno.test("tcp: a packet that was too big lowers the MSS, and what was too big is sent again at once (RFC 1191 6.4, 6.5)", () => {
  const peer = flying();
  const { ssthresh } = peer.connection.control;
  const answers = peer.error(UNREACHABLE, Unreachable.FragmentationNeeded, 1, {
    mtu: 1_000,
    totalLength: 1_500,
  });
  equal(peer.connection.sndMss, 960);
  ok(answers.length > 5);
  expect(answers.slice(0, 3), [{ seq: 1, length: 960 }, { seq: 961, length: 500 }, {
    seq: 1_461,
    length: 960,
  }]);
  ok(answers.every(({ length }) => length <= 960));
  equal(peer.connection.control.ssthresh, ssthresh, "it is no sign of congestion (RFC 1191 6.5)");
  peer.send({ flags: "A" });
  peer.user.write(2_000);
  expect(peer.flush(), [{ length: 960 }, { length: 960 }, { length: 80 }]);
});

Deno.test("tcp: a router that does not tell its MTU makes us try the next common one (RFC 1191 5, 7.1)", () => {
  for (const [totalLength, mss] of [[1_500, 1_452], [1_492, 966], [1_006, 512]] as const) {
    const peer = flying();
    peer.error(UNREACHABLE, Unreachable.FragmentationNeeded, 1, { mtu: 0, totalLength });
    equal(peer.connection.sndMss, mss);
  }
});

Deno.test("tcp: a forged MTU neither raises the MSS nor makes us send crumbs (RFC 1191 3, RFC 5927 7.2)", () => {
  for (const [mtu, mss] of [[9_000, 1_460], [1_500, 1_460], [1_499, 1_459], [68, 512], [1, 512]] as const) {
    const peer = flying();
    peer.error(UNREACHABLE, Unreachable.FragmentationNeeded, 1, { mtu, totalLength: 1_500 });
    equal(peer.connection.sndMss, mss, `an MTU of ${mtu}`);
  }
  const peer = flying();
  peer.error(UNREACHABLE, Unreachable.FragmentationNeeded, 9_000, { mtu: 600, totalLength: 1_500 });
  equal(peer.connection.sndMss, 1_460, "nothing with that number is in flight");
});

familyTest(
  "tcp: a neighbour that is gone does not end an open connection, which says so when it has timed out (RFC 1122 4.2.3.9)",
  () => {
    const peer = settled();
    peer.host.ip.neighbours.remove(Address.parse(peerAddress()));
    peer.user.write(1_000);
    peer.pass(seconds(10));
    ok(peer.host.ip.neighbours.waiting.counters.givenUp > 0, "it was looked up in vain");
    equal(stateOf(peer), "ESTABLISHED");
    peer.pass(seconds(2_000));
    deepEqual(peer.user.heard, ["opened", "Unreachable"]);
  },
);
