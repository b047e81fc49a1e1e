/** Users who abort from within what they are told: RFC 9293 3.10.5 holds from that moment on. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { CloseReason, type Connection, type ConnectionHandler } from "../../../stack/tcp/connection.ts";
import { familyTest } from "../../support/family.ts";
import { expect, listening, type Segment, settled, syn, type TcpPeer } from "../../support/peer-tcp.ts";

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

class Mishap extends Error {}

function mishap(): never {
  throw new Mishap();
}

/** Why the connection has ended, as its user was told. */
let reasons: CloseReason[] = [];

/** A segment has the user throw: the program hears of it, and the peer, and the user of the end; no slot stays. */
function isOver(peer: TcpPeer, segment: Segment, told: readonly CloseReason[]): void {
  throws(() => peer.send(segment), Mishap);
  expect(peer.flush(), [{ flags: "RA" }], "a reset");
  equal(peer.tcp.connections.size, 0);
  equal(peer.tcp.timeWaits.size, 0);
  deepEqual(reasons, told);
}

/** Has the user throw when it hears of an event. */
function throwAt(c: Connection, handler: ConnectionHandler): void {
  reasons = [];
  c.handler = { closed: (_, reason) => reasons.push(reason), ...handler };
}

familyTest("tcp: a listener's user that throws leaves no connection behind (RFC 9293 3.10.5)", () => {
  for (const by of ["accept", "opened", "hasRoom"] as const) {
    const peer = listening();
    reasons = [];
    peer.listener!.close();
    let isAsked = false;
    const hasRoom = () => by === "hasRoom" && isAsked ? mishap() : isAsked = true;
    peer.tcp.listen({ port: peer.ownPort, hasRoom }, () => {
      if (by === "accept") mishap();
      return { opened: mishap, closed: (_, reason) => reasons.push(reason) };
    });
    peer.send(syn(peer));
    isOver(peer, { flags: "A", seq: 1, ack: 1 }, by === "opened" ? [CloseReason.Aborted] : []);
  }
});

familyTest("tcp: nor one whose handshake was a cookie (RFC 4987 3.6)", () => {
  const peer = listening({ backlog: 0 });
  peer.listener!.close();
  const listener = peer.tcp.listen({ port: peer.ownPort, backlog: 0 }, mishap)!;
  peer.send(syn(peer));
  reasons = [];
  isOver(peer, { flags: "A", seq: 1, ack: 1 }, []);
  equal(listener.halfOpen, 0);
});

familyTest("tcp: a user that throws when data or the FIN comes has aborted (RFC 9293 3.10.5)", () => {
  for (const by of ["readable", "peerClosed"] as const) {
    for (const isClosed of [false, true]) {
      const peer = settled();
      if (isClosed) {
        peer.connection.close();
        peer.flush();
        peer.send({ flags: "A", ack: 2 });
      }
      throwAt(peer.connection, { [by]: mishap });
      isOver(peer, { flags: "FA", seq: 1, ack: isClosed ? 2 : 1, length: 10 }, [CloseReason.Aborted]);
    }
  }
});

familyTest("tcp: a user that throws when its FIN's acknowledgment makes room has aborted", () => {
  const peer = settled();
  peer.user.write(100);
  peer.connection.close();
  peer.flush();
  throwAt(peer.connection, { writable: mishap });
  isOver(peer, { flags: "A", seq: 1, ack: 102 }, [CloseReason.Aborted]);
});

familyTest("tcp: buffers that throw end their connection, whatever they were asked for", () => {
  for (const by of ["write", "advance", "ack"] as const) {
    const peer = settled();
    peer.user.write(100);
    peer.flush();
    const c = peer.connection;
    throwAt(c, {});
    const { length } = peer.user.send;
    const { window } = peer.user.receive;
    c.sendBuffer = { length, fill: () => {}, ack: by === "ack" ? mishap : () => {} };
    c.receiveBuffer = {
      window,
      write: by === "write" ? mishap : () => {},
      advance: by === "advance" ? mishap : () => {},
    };
    isOver(peer, { flags: "A", seq: 1, ack: 101, length: 10 }, [CloseReason.Aborted]);
  }
});

familyTest(
  "tcp: a send buffer that throws when it is to fill a segment keeps nobody else from sending",
  () => {
    const peer = settled();
    const c = peer.connection;
    throwAt(c, {});
    c.sendBuffer = { length: 10, fill: mishap, ack: () => {} };
    c.flush();
    throws(() => peer.flush(), Mishap);
    expect(peer.flush(), [{ flags: "RA", seq: 1 }]);
    deepEqual(reasons, [CloseReason.Aborted]);
    equal(peer.tcp.connections.size, 0);
  },
);

familyTest("tcp: a user that throws when it hears of the end holds nothing up", () => {
  const peer = settled();
  peer.connection.handler = { closed: mishap };
  throws(() => peer.send({ flags: "R", seq: 1 }), Mishap);
  equal(peer.tcp.connections.size, 0);
  expect(peer.flush(), []);
});
