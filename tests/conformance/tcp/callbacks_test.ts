/** Users who abort from within what they are told: RFC 9293 3.10.5 holds from that moment on. */
import { deepEqual, equal } from "node:assert/strict";
import type { Connection } from "../../../stack/tcp/connection.ts";
import { familyTest } from "../../support/family.ts";
import { expect, listening, settled, syn, type TcpPeer } from "../../support/peer-tcp.ts";

/** Has the user abort when it hears of `event`, and note whatever it hears afterwards. */
function abortAt(peer: TcpPeer, event: "readable" | "writable"): string[] {
  const later: string[] = [];
  let isOver = false;
  const c = peer.connection;
  const note = (what: string) => (): void => {
    if (isOver) later.push(what);
    else if (what === event) {
      isOver = true;
      c.abort();
    }
  };
  c.handler = {
    readable: note("readable"),
    writable: note("writable"),
    peerClosed: note("peerClosed"),
    closed: () => later.push("closed"),
  };
  return later;
}

familyTest(
  "tcp: a user that aborts when data comes hears nothing of the FIN behind it (RFC 9293 3.10.5)",
  () => {
    const peer = settled();
    const later = abortAt(peer, "readable");
    expect(peer.send({ flags: "FA", seq: 1, length: 10 }), [{ flags: "RA", seq: 1 }]);
    deepEqual(later, ["closed"]);
    equal(peer.tcp.connections.size, 0);
  },
);

familyTest(
  "tcp: a half-closed connection that is aborted when data comes with the FIN does not wait (RFC 9293 3.10.5)",
  () => {
    const peer = settled();
    peer.connection.close();
    peer.flush();
    peer.send({ flags: "A", ack: 2 });
    const later = abortAt(peer, "readable");
    expect(peer.send({ flags: "FA", seq: 1, ack: 2, length: 10 }), [{ flags: "RA", seq: 2 }]);
    deepEqual(later, ["closed"]);
    equal(peer.tcp.timeWaits.size, 0);
  },
);

familyTest(
  "tcp: a user that aborts when its data is acknowledged hears nothing of the data beside it (RFC 9293 3.10.5)",
  () => {
    for (const isClosed of [false, true]) {
      const peer = settled();
      peer.user.write(100);
      if (isClosed) peer.connection.close();
      peer.flush();
      const later = abortAt(peer, "writable");
      const answers = peer.send({ flags: "FA", seq: 1, ack: isClosed ? 102 : 101, length: 10 });
      expect(answers, [{ flags: "RA", seq: isClosed ? 102 : 101 }]);
      deepEqual(later, ["closed"]);
      equal(peer.user.receive.length, 0);
      equal(peer.tcp.timeWaits.size, 0);
    }
  },
);

familyTest(
  "tcp: a connection that is aborted, or wanted by nobody, when it opens takes no data (RFC 9293 3.10.5)",
  () => {
    const peer = listening();
    const later: string[] = [];
    peer.listener!.close();
    peer.tcp.listen({ port: peer.ownPort }, (c: Connection) => ({
      opened: () => c.abort(),
      readable: () => later.push("readable"),
      peerClosed: () => later.push("peerClosed"),
      closed: () => later.push("closed"),
    }));
    peer.send(syn(peer));
    expect(peer.send({ flags: "FA", seq: 1, ack: 1, length: 10 }), [{ flags: "RA", seq: 1 }]);
    deepEqual(later, ["closed"]);
  },
);

familyTest(
  "tcp: an active open that is aborted when it opens takes no data of the SYN-ACK (RFC 9293 3.10.5)",
  () => {
    const peer = listening();
    const c = peer.connect();
    peer.flush();
    const later: string[] = [];
    c.handler = {
      opened: () => c.abort(),
      readable: () => later.push("readable"),
      peerClosed: () => later.push("peerClosed"),
      closed: () => later.push("closed"),
    };
    expect(peer.send({ flags: "SAF", seq: 0, ack: 1, length: 10 }), [{ flags: "RA", seq: 1 }]);
    deepEqual(later, ["closed"]);
    equal(peer.user.receive.length, 0);
  },
);
