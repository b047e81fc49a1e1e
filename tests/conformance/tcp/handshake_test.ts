/** How connections begin, and how they fail to: RFC 9293 3.5 and 3.10.7.3, in SYN-SENT and SYN-RECEIVED. */
import { deepEqual, equal, notEqual } from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { EMPTY, Sink } from "../../../stack/tcp/buffers.ts";
import { Address } from "../../../stack/wire/address.ts";
import { familyTest, ipHeader, isV6, linkMss, own } from "../../support/family.ts";
import { expect, listening, syn, TcpPeer, times } from "../../support/peer-tcp.ts";
import { stateOf } from "./states.ts";

const OPTIONS = { mss: 1_460, scale: 7, sackPermitted: true, timestamps: [100, 0] } as const;

/** A host that has sent its SYN. */
function calling(options: ConstructorParameters<typeof TcpPeer>[0] = {}): TcpPeer {
  const peer = new TcpPeer(options);
  peer.connect();
  expect(peer.flush(), [{ flags: "SEC", seq: 0, ack: 0, length: 0 }]);
  return peer;
}

familyTest(
  "tcp: a SYN offers MSS, window scale, timestamps and SACK, and its window is not scaled (RFC 9293 3.7.1, RFC 7323 2.2)",
  () => {
    const peer = new TcpPeer();
    peer.connect();
    expect(peer.flush(), [{ mss: linkMss(), scale: 9, sackPermitted: true, window: 65_535 }]);
  },
);

familyTest("tcp: a SYN-ACK repeats only the options that the SYN had (RFC 7323 1.3, RFC 2018 2)", () => {
  for (const mss of [undefined, 1_460]) {
    for (const scale of [undefined, 3]) {
      for (const sackPermitted of [undefined, true]) {
        for (const timestamps of [undefined, [7, 0] as const]) {
          const options = { mss, scale, sackPermitted, timestamps };
          const given = Object.fromEntries(
            Object.entries(options).filter(([, value]) => value !== undefined),
          );
          const peer = listening({ syn: given });
          const [answer] = peer.send(syn(peer));
          equal(answer?.flags, "SA");
          equal(answer.mss, linkMss());
          equal(answer.scale !== undefined, scale !== undefined);
          equal(answer.sackPermitted, sackPermitted);
          equal(answer.timestamps?.[1], timestamps?.[0]);
        }
      }
    }
  }
});

familyTest("tcp: our SYN is no data: what is listed as in flight and unsent is the user's", () => {
  const sizes = (peer: TcpPeer) => [...peer.tcp.list()].map(({ inFlight, unsent }) => [inFlight, unsent]);
  deepEqual(sizes(calling()), [[0, 0]]);
  const peer = listening();
  peer.send(syn(peer));
  deepEqual(sizes(peer), [[0, 0]]);
});

familyTest("tcp: a three-way handshake opens a connection for both sides (RFC 9293 3.5, figure 6)", () => {
  const peer = calling();
  expect(peer.send({ flags: "SA", seq: 0, ack: 1, ...OPTIONS, window: 1_000 }), [{
    flags: "A",
    seq: 1,
    ack: 1,
  }]);
  deepEqual(peer.user.heard, ["opened"]);
  equal(peer.connection.sndWnd, 1_000, "the window of a SYN is not scaled (RFC 7323 2.2)");
});

familyTest(
  "tcp: data that was written before the handshake leaves when it is complete (RFC 9293 3.10.2)",
  () => {
    const peer = calling();
    peer.user.write(100);
    deepEqual(peer.flush(), []);
    const [data] = peer.send({ flags: "SA", seq: 0, ack: 1, mss: 1_000 });
    expect([data!], [{ flags: "A", seq: 1, ack: 1, length: 100 }]);
  },
);

familyTest(
  "tcp: in SYN-SENT an acknowledgment of what was not sent is reset, unless it is a reset (RFC 9293 3.10.7.3, first)",
  () => {
    const peer = calling();
    for (const ack of [0, 2, -5, 1_000]) {
      expect(peer.send({ flags: "A", seq: 9, ack }), [{ flags: "R", seq: ack }]);
      expect(peer.send({ flags: "SA", seq: 9, ack }), [{ flags: "R", seq: ack }]);
      expect(peer.send({ flags: "RA", seq: 9, ack }), []);
    }
    expect(peer.send({ flags: "SA", seq: 0, ack: 1 }), [{ flags: "A" }]);
  },
);

familyTest(
  "tcp: in SYN-SENT only a reset that acknowledges the SYN refuses the connection (RFC 9293 3.10.7.3, second)",
  () => {
    const peer = calling();
    expect(peer.send({ flags: "R", seq: 0 }, { flags: "RA", seq: 0, ack: 0 }, { flags: "R", seq: 1 }), []);
    deepEqual(peer.user.heard, []);
    expect(peer.send({ flags: "RA", seq: 0, ack: 1 }), []);
    deepEqual(peer.user.heard, ["Refused"]);
    equal(stateOf(peer), "CLOSED");
  },
);

familyTest("tcp: in SYN-SENT what is neither SYN nor RST is dropped (RFC 9293 3.10.7.3, fifth)", () => {
  const peer = calling();
  for (const flags of ["A", "FA", "", "F"]) expect(peer.send({ flags, seq: 0, ack: 1, length: 5 }), []);
  deepEqual(peer.user.heard, []);
});

familyTest("tcp: a close before the SYN is answered leaves nothing behind (RFC 9293 3.10.4)", () => {
  const peer = calling();
  peer.connection.close();
  equal(stateOf(peer), "CLOSED");
  deepEqual(peer.user.heard, ["Finished"]);
  expect(peer.send({ flags: "SA", seq: 0, ack: 1 }), [{ flags: "R", seq: 1 }]);
});

familyTest("tcp: SYNs that cross open one connection (RFC 9293 3.5, figure 7)", () => {
  const peer = calling();
  expect(peer.send({ flags: "S", seq: 0, mss: 1_000 }), [{ flags: "SA", seq: 0, ack: 1 }]);
  deepEqual(peer.user.heard, []);
  expect(peer.send({ flags: "SA", seq: 0, ack: 1, mss: 1_000 }), []);
  deepEqual(peer.user.heard, ["opened"]);
  peer.user.write(10);
  expect(peer.flush(), [{ seq: 1, length: 10 }]);
});

familyTest(
  "tcp: SYNs that cross open a connection by a plain acknowledgment as well (RFC 9293 3.10.7.4, fifth)",
  () => {
    const peer = calling();
    peer.send({ flags: "S", seq: 0, mss: 1_000 });
    expect(peer.send({ flags: "A", seq: 1, ack: 1, length: 3 }), [{ flags: "A", ack: 4 }]);
    deepEqual(peer.user.heard, ["opened", "readable"]);
  },
);

familyTest(
  "tcp: a reset in SYN-RECEIVED refuses what we opened, and takes a passive one back to LISTEN (RFC 9293 3.10.7.4, second)",
  () => {
    const active = calling();
    active.send({ flags: "S", seq: 0, mss: 1_000 });
    expect(active.send({ flags: "R", seq: 1 }), []);
    deepEqual(active.user.heard, ["Refused"]);

    const passive = listening();
    passive.send(syn(passive));
    equal(passive.listener!.halfOpen, 1);
    expect(passive.send({ flags: "R", seq: 1 }), []);
    equal(stateOf(passive), "CLOSED");
    equal(passive.listener!.halfOpen, 0);
    deepEqual(passive.users, []);
    expect(passive.send({ flags: "S", seq: 0, mss: 1_000 }), [{ flags: "SA" }]);
  },
);

familyTest(
  "tcp: a wrong acknowledgment in SYN-RECEIVED is reset and changes nothing (RFC 9293 3.10.7.4, fifth)",
  () => {
    const peer = listening();
    peer.send(syn(peer));
    for (const ack of [0, 2, -1, 5_000]) {
      expect(peer.send({ flags: "A", seq: 1, ack, length: 4 }), [{ flags: "R", seq: ack, ack: 0 }]);
    }
    equal(stateOf(peer), "SYN-RECEIVED");
    peer.send({ flags: "A", seq: 1, ack: 1 });
    deepEqual(peer.user.heard, ["opened"]);
  },
);

familyTest(
  "tcp: the acknowledgment that completes a handshake may carry data and FIN (RFC 9293 3.10.7.4)",
  () => {
    const peer = listening();
    peer.send(syn(peer));
    expect(peer.send({ flags: "FA", seq: 1, ack: 1, length: 10 }), [{ flags: "A", ack: 12 }]);
    deepEqual(peer.user.heard, ["opened", "readable", "peerClosed"]);
    equal(stateOf(peer), "CLOSE-WAIT");
  },
);

familyTest(
  "tcp: data on a SYN is not lost: what is not kept is not acknowledged (RFC 9293 3.10.7.2, 3.10.7.3)",
  () => {
    const peer = listening();
    expect(peer.send({ ...syn(peer), length: 20 }), [{ flags: "SA", ack: 1 }]);
    peer.send({ flags: "A", seq: 1, ack: 1, length: 20 });
    equal(peer.user.receive.length, 20);

    const active = calling();
    expect(active.send({ flags: "SA", seq: 0, ack: 1, length: 20 }), [{ flags: "A", ack: 21 }]);
    equal(active.user.receive.length, 20);
  },
);

familyTest("tcp: a SYN that comes again is answered again, with the same numbers (RFC 9293 3.10.7.4)", () => {
  const peer = listening();
  const [first] = peer.send(syn(peer));
  const { irs } = peer;
  peer.pass(milliseconds(300));
  const [second] = peer.send(syn(peer));
  equal(peer.irs, irs);
  deepEqual([second?.flags, second?.ack, second?.mss], [first?.flags, first?.ack, first?.mss]);
});

familyTest(
  "tcp: a peer that was restarted finds its way through the old half-open connection (RFC 9293 3.5.1)",
  () => {
    const peer = listening();
    peer.send(syn(peer));
    const [challenge] = peer.send({ flags: "S", seq: 200_000, mss: 1_000 });
    expect([challenge!], [{ flags: "A", seq: 1, ack: 1 }]);
    expect(peer.send({ flags: "R", seq: challenge!.ack }), []);
    expect(peer.send({ flags: "S", seq: 200_000, mss: 1_000 }), [{ flags: "SA", ack: 200_001 }]);
  },
);

familyTest(
  "tcp: a SYN is sent again after 1, 2, 4 ... seconds and given up after two minutes (RFC 6298 2.1, 5.5, RFC 1122 4.2.3.5)",
  () => {
    const peer = new TcpPeer();
    peer.connect();
    const start = peer.now;
    const sent = peer.pass(seconds(200));
    deepEqual(times(sent, start), [0, 1_000, 3_000, 7_000, 15_000, 31_000, 63_000]);
    for (const { flags, seq } of sent) deepEqual([flags.slice(0, 1), seq], ["S", 0]);
    deepEqual(peer.user.heard, ["TimedOut"]);
    equal(stateOf(peer), "CLOSED");
  },
);

familyTest(
  "tcp: a SYN-ACK is sent again, and the half-open connection given up in the end (RFC 9293 3.8.3)",
  () => {
    const peer = listening();
    const start = peer.now;
    const sent = [...peer.send(syn(peer)), ...peer.pass(seconds(200))];
    deepEqual(times(sent, start), [0, 1_000, 3_000, 7_000, 15_000, 31_000]);
    for (const { flags, seq, ack } of sent) deepEqual([flags, seq, ack], ["SA", 0, 1]);
    equal(peer.listener!.halfOpen, 0);
    equal(stateOf(peer), "CLOSED");
  },
);

familyTest(
  "tcp: after a lost SYN the first window is one segment, and the timeout three seconds (RFC 6928 2, RFC 6298 5.7)",
  () => {
    const peer = new TcpPeer();
    peer.connect();
    peer.pass(milliseconds(1_500));
    peer.send({ flags: "SA", seq: 0, ack: 1, mss: 1_000 });
    peer.user.write(5_000);
    const start = peer.now;
    const sent = peer.pass(milliseconds(2_999));
    expect(sent, [{ seq: 1, length: 1_000 }]);
    expect(peer.pass(milliseconds(2)), [{ seq: 1, length: 1_000, time: start + seconds(3) }]);
  },
);

familyTest("tcp: a connect to a neighbour that does not answer ends, and says why (RFC 9293 3.8.3)", () => {
  const peer = new TcpPeer({ knowsPeer: false });
  peer.connect();
  deepEqual(peer.pass(seconds(2.9)), []);
  deepEqual(peer.user.heard, []);
  deepEqual(peer.pass(seconds(0.2)), []);
  deepEqual(peer.user.heard, ["Unreachable"]);
  equal(stateOf(peer), "CLOSED");
});

familyTest(
  "tcp: the MSS of a peer that announces none is 536 or 1220, and none is taken for less than 64 (RFC 9293 3.7.1)",
  () => {
    const most = linkMss();
    const least = isV6() ? 1_220 : 536;
    for (
      const [mss, expected] of [[undefined, least], [1, 64], [64, 64], [1_460, most], [9_000, most]] as const
    ) {
      const peer = listening({ syn: mss === undefined ? {} : { mss } });
      peer.send(syn(peer));
      peer.send({ flags: "A", seq: 1, ack: 1 });
      equal(peer.connection.sndMss, expected, `announced: ${mss}`);
    }
  },
);

familyTest("tcp: a window scale above 14 counts as 14 (RFC 7323 2.3)", () => {
  const peer = listening({ syn: { mss: 1_000, scale: 255 } });
  peer.send(syn(peer));
  peer.send({ flags: "A", seq: 1, ack: 1, window: 2 });
  equal(peer.connection.sndWnd, 2 << 14);
});

familyTest(
  "tcp: initial numbers go on with the clock for one peer and are others for each (RFC 6528 3)",
  () => {
    const numbers = [5_000, 5_000, 5_001].map((port, index) => {
      const peer = listening({ start: 1_000_000 + index * 4_000 });
      peer.send(syn(peer, { port }));
      return peer.irs;
    });
    equal((numbers[1]! - numbers[0]!) | 0, 1_000);
    notEqual(Math.abs(numbers[2]! - numbers[1]!) < 100_000, true);
  },
);

familyTest(
  "tcp: a segment to a broadcast address, or with a wrong checksum, is dropped in silence (RFC 9293 3.9.2.3, 3.1)",
  () => {
    const peer = listening();
    const group = isV6() ? "ff02::1" : "10.0.0.255";
    deepEqual(peer.send({ ...syn(peer), destination: group }), []);
    deepEqual(peer.send({ ...syn(peer), checksumError: 1 }), []);
    deepEqual([peer.tcp.counters.toGroup, peer.tcp.counters.wrongChecksum], [1, 1]);
    equal(peer.send(syn(peer)).length, 1);
  },
);

familyTest(
  "tcp: a SYN announces what the link takes, where that is less than its NIC does (RFC 9293 3.7.1)",
  () => {
    const peer = new TcpPeer();
    peer.flush();
    peer.host.ip.pathMtus.setLinkMtu(!isV6(), 1_300);
    peer.connect();
    equal(peer.flush()[0]?.mss, 1_280 - ipHeader());
  },
);

familyTest("tcp: nobody can connect to a group, or to no address (RFC 9293 3.9.2.3, MUST-46)", () => {
  const peer = new TcpPeer();
  const user = { sendBuffer: EMPTY, receiveBuffer: new Sink(0), handler: {} };
  const localAddress = Address.parse(own());
  for (const group of isV6() ? ["ff02::1", "::"] : ["224.0.0.1", "255.255.255.255", "0.0.0.0"]) {
    const address = Address.parse(group);
    equal(peer.tcp.connect({ address, port: 80, localAddress, ...user }), undefined, group);
  }
  deepEqual(peer.flush(), []);
});
