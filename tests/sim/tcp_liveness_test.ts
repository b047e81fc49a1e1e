/** No connection waits for ever: what is lost, closed, unplugged or restarted is found out, in time. */
import { equal, ok } from "node:assert/strict";
import { milliseconds, Network, seconds } from "../../mod.ts";
import { CloseReason, type Connection } from "../../stack/tcp/connection.ts";
import { ConnectionState } from "../../stack/tcp/state.ts";
import { Flag } from "../../stack/wire/tcp.ts";
import { familyTest } from "../support/family.ts";
import { PacedUser } from "../support/paced-user.ts";
import { connectWith, listenWith, PatternUser, type TcpHost, tcpHost } from "../support/tcp.ts";
import type { SegmentView } from "../support/tcp-frames.ts";
import { broken } from "../support/tcp-invariants.ts";
import { leak } from "../support/tcp-scenario.ts";
import type { TcpOptions } from "../../stack/tcp/endpoint.ts";

const DELAY = milliseconds(10);
const ROUND_TRIP = 2 * DELAY;
const LINK = { ingress: { delay: DELAY } };

class Pair {
  readonly network = new Network({ frames: 512, turns: Infinity });
  readonly client: TcpHost;
  readonly server: TcpHost;

  constructor(options: Partial<TcpOptions> = {}) {
    this.client = tcpHost(this.network, 1, LINK, options);
    this.server = tcpHost(this.network, 2, LINK, options);
  }

  /** Connects two users and waits until both are open. */
  open(client: PatternUser, server: PatternUser): [Connection, Connection] {
    listenWith(this.server, 7, () => server);
    connectWith(this.client, this.server, 7, client);
    this.until(() => client.isOpen && server.isOpen, seconds(1));
    return [client.connection!, server.connection!];
  }

  /** Runs until something holds, at most so long, and sees to it that nothing stalls on the way. */
  until(predicate: () => boolean, within: number): void {
    const { network, client, server } = this;
    const limit = network.now + within;
    const holds = network.runUntil(() => {
      for (const { tcp } of [client, server]) equal(broken(tcp, network.now), undefined);
      return predicate();
    }, limit);
    ok(holds, `it does not hold after ${within} us`);
  }

  /** Has a user write so many bytes now. */
  write(c: Connection, user: PatternUser, count: number): void {
    this.network.at(this.network.now, () => {
      user.send.write(new Uint8Array(count));
      c.flush();
    });
  }

  /** Lets time pass. */
  pass(time: number): void {
    let hasPassed = false;
    this.network.at(this.network.now + time, () => hasPassed = true);
    this.until(() => hasPassed, time);
  }

  /** Both are closed and nothing is left, once TIME-WAIT is over. */
  isClean(): void {
    this.network.run(this.network.now + seconds(130));
    equal(leak(this.network, [this.client, this.server]), undefined);
  }
}

/** Loses the first segment that the predicate is true for. */
function once(predicate: (segment: SegmentView) => boolean): (segment: SegmentView) => boolean {
  let done = false;
  return (segment) => {
    if (done || !predicate(segment)) return false;
    return done = true;
  };
}

const hasFlag = (flag: number) => (segment: SegmentView) => (segment.flags & flag) !== 0;

/** A whole transfer of 30,000 bytes each way during which `prepare` may lose something. */
function transfer(within: number, prepare: (pair: Pair) => void, options: Partial<TcpOptions> = {}): Pair {
  const pair = new Pair(options);
  const users = [new PatternUser(30_000), new PatternUser(30_000)] as const;
  listenWith(pair.server, 7, () => users[1]);
  prepare(pair);
  connectWith(pair.client, pair.server, 7, users[0]);
  pair.until(() => users.every(({ reason }) => reason !== undefined), within);
  for (const user of users) {
    equal(user.reason, CloseReason.Finished);
    equal(user.received, 30_000);
    equal(user.wrong, 0);
  }
  pair.isClean();
  return pair;
}

familyTest(
  "tcp: a reader that goes on opens the closed window at once, not when it is probed (RFC 9293 3.8.6.2.2)",
  () => {
    const pair = new Pair();
    const writer = new PatternUser(200_000), reader = new PatternUser(0, 8_192);
    reader.reads = false;
    const [c, r] = pair.open(writer, reader);
    pair.pass(seconds(20));
    equal(c.sndWnd, 0);
    equal(reader.receive.length, 8_192);
    reader.reads = true;
    pair.network.at(pair.network.now, () => reader.read(r));
    pair.until(() => reader.received > 8_192, 2 * ROUND_TRIP);
  },
);

familyTest("tcp: if the window update is lost, a probe finds the window open (RFC 9293 3.8.6.1)", () => {
  const pair = new Pair();
  const writer = new PatternUser(200_000), reader = new PatternUser(0, 8_192);
  reader.reads = false;
  const [, r] = pair.open(writer, reader);
  pair.pass(seconds(3));
  reader.reads = true;
  pair.client.drop = once(() => true);
  pair.network.at(pair.network.now, () => reader.read(r));
  pair.until(() => reader.received === 200_000, seconds(20));
});

familyTest(
  "tcp: what is written while the window is closed and nothing is in flight is probed for as well",
  () => {
    const pair = new Pair();
    const writer = new PatternUser(8_192, 8_192), reader = new PatternUser(0, 8_192);
    reader.reads = false;
    const [c, r] = pair.open(writer, reader);
    pair.until(() => reader.receive.length === 8_192 && c.flight.count === 0, seconds(5));
    reader.reads = true;
    pair.client.drop = () => true;
    pair.network.at(pair.network.now, () => reader.read(r));
    pair.pass(seconds(1));
    pair.client.drop = undefined;
    pair.until(() => writer.peerHasClosed && reader.peerHasClosed, seconds(30));
  },
);

familyTest(
  "tcp: a window that stays smaller than it has been is used all the same (RFC 9293 3.8.6.2.1)",
  () => {
    const pair = new Pair();
    const writer = new Unclosing(0), reader = new Unclosing(0);
    const [c, r] = pair.open(writer, reader);
    pair.write(c, writer, 20_000);
    pair.until(() => reader.received === 20_000, seconds(5));
    // As if the peer's host had run out of memory: it offers 500 bytes from now on.
    let total = 0;
    pair.network.at(pair.network.now, () => {
      r.rcvRoom = 500;
      r.receiveBuffer = { window: 500, write: () => {}, advance: (count) => total += count };
      r.ackNow = true;
      r.flush();
    });
    pair.pass(seconds(1));
    equal(c.sndWnd < 536, true);
    pair.write(c, writer, 5_000);
    pair.until(() => total === 5_000, seconds(60));
  },
);

familyTest("tcp: a lost SYN, SYN-ACK, first ACK, FIN or last ACK is made good", () => {
  transfer(seconds(5), ({ server }) => server.drop = once(hasFlag(Flag.Syn)));
  transfer(seconds(5), ({ client }) => client.drop = once(hasFlag(Flag.Syn)));
  transfer(seconds(5), ({ server }) => server.drop = once((segment) => (segment.flags & Flag.Syn) === 0));
  transfer(seconds(5), ({ server }) => server.drop = once(hasFlag(Flag.Fin)));
  transfer(seconds(5), ({ client }) => client.drop = once(hasFlag(Flag.Fin)));
  const afterFin = () => {
    let seen = 0;
    return ({ flags }: SegmentView) => (flags & Flag.Fin) !== 0 ? seen++ < 0 : seen > 0 && seen++ < 4;
  };
  transfer(seconds(5), ({ client }) => client.drop = afterFin());
  transfer(seconds(5), ({ server }) => server.drop = afterFin());
});

familyTest("tcp: a link that is down for 30 s costs no more than the timeout that was running", () => {
  for (const at of [milliseconds(5), milliseconds(15), milliseconds(45), milliseconds(85)]) {
    const pair = transfer(seconds(100), ({ network, server }) => {
      network.at(at, () => server.port.up = false);
      network.at(at + seconds(30), () => server.port.up = true);
    });
    ok(pair.network.now > seconds(30));
  }
});

familyTest("tcp: a peer that has restarted resets what it does not know (RFC 9293 3.5.1)", () => {
  const pair = new Pair();
  const [c] = pair.open(new Unclosing(0), new PatternUser(0));
  ok(c.state === ConnectionState.Established);
  pair.server.port.close();
  // The switch learns from the new host's first frame where it is.
  const again = tcpHost(pair.network, 2, LINK);
  connectWith(again, pair.client, 9, new PatternUser(0));
  pair.pass(seconds(1));
  const user = c.handler as Unclosing;
  pair.write(c, user, 100);
  pair.until(() => user.reason !== undefined, seconds(2));
  equal(user.reason, CloseReason.Reset);
});

familyTest("tcp: a client that has restarted may use the same port again (RFC 9293 3.5.1)", () => {
  const pair = new Pair();
  const users: Unclosing[] = [];
  listenWith(pair.server, 7, () => {
    const user = new Unclosing(0);
    users.push(user);
    return user;
  });
  const first = new Unclosing(0);
  const c = connectWith(pair.client, pair.server, 7, first);
  pair.until(() => first.isOpen && users[0]?.isOpen === true, seconds(1));
  const { localPort } = c;
  pair.client.port.close();
  const again = tcpHost(pair.network, 1, LINK, { secret: [7, 7, 7, 7] });
  const second = new Unclosing(0);
  again.tcp.connect({
    address: pair.server.address,
    port: 7,
    localAddress: again.address,
    localPort,
    sendBuffer: second.send,
    receiveBuffer: second.receive,
    handler: second,
  });
  pair.network.at(pair.network.now, () => {});
  pair.until(() => second.isOpen && users[1]?.isOpen === true, seconds(5));
  equal(users[0]!.reason, CloseReason.Reset);
});

/** Neither closes nor sends anything by itself after its first bytes. */
class Unclosing extends PatternUser {
  override write(c: Connection): void {
    c.flush();
  }
}

familyTest("tcp: keepalive finds out that an idle peer is gone (RFC 9293 3.8.4)", () => {
  for (const side of [0, 1]) {
    const pair = new Pair();
    const users = [new Unclosing(0), new Unclosing(0)] as const;
    const connections = pair.open(users[0], users[1]);
    connections[side]!.setKeepAlive(true);
    pair.pass(seconds(7_300));
    equal(users[side]!.reason, undefined, "the peer answers probes");
    [pair.server, pair.client][side]!.port.up = false;
    pair.until(() => users[side]!.reason !== undefined, seconds(7_200 + 10 * 75));
    equal(users[side]!.reason, CloseReason.TimedOut);
  }
});

familyTest(
  "tcp: a peer that vanishes behind a closed window is given up, one that answers is not (RFC 9293 3.8.6.1)",
  () => {
    const pair = new Pair({ userTimeout: seconds(120) });
    const writer = new PatternUser(200_000), reader = new PatternUser(0, 8_192);
    reader.reads = false;
    pair.open(writer, reader);
    pair.pass(seconds(1_000));
    equal(writer.reason, undefined, "the peer answers probes");
    pair.server.port.up = false;
    pair.until(() => writer.reason !== undefined, seconds(500));
    equal(writer.reason, CloseReason.TimedOut);
  },
);

familyTest("tcp: a FIN waits for room in the peer's window, however long that takes (RFC 9293 3.8.6)", () => {
  const pair = new Pair({ userTimeout: seconds(120) });
  const writer = new Unclosing(0), reader = new Unclosing(0, 8_192);
  reader.reads = false;
  const [c, r] = pair.open(writer, reader);
  pair.write(c, writer, 8_192);
  pair.until(() => c.sndWnd === 0 && c.flight.count === 0 && reader.receive.length === 8_192, seconds(5));
  pair.network.at(pair.network.now, () => c.close());
  pair.pass(seconds(1_000));
  equal(writer.reason, undefined, "it has given up");
  equal(reader.peerHasClosed, false);
  reader.reads = true;
  pair.network.at(pair.network.now, () => reader.read(r));
  pair.until(() => reader.peerHasClosed, seconds(1));
});

familyTest(
  "tcp: a connection to a neighbour that does not exist ends when that was looked up in vain (RFC 1122 2.3.2.2)",
  () => {
    const pair = new Pair();
    const user = new PatternUser(0);
    const { tcp, address } = pair.client;
    const nobody = tcpHost(new Network(), 9).address;
    tcp.connect({
      address: nobody,
      port: 7,
      localAddress: address,
      sendBuffer: user.send,
      receiveBuffer: user.receive,
      handler: user,
    });
    pair.until(() => user.reason !== undefined, seconds(4));
    ok(pair.network.now >= seconds(3), "it was asked for three times");
    equal(user.reason, CloseReason.Unreachable);
    equal(tcp.connections.size, 0);
  },
);

const PLAIN = { noDelay: false, keepAlive: false, toggle: 0 };

familyTest("tcp: with both windows full and the first segments lost, acknowledgments still count", () => {
  const network = new Network({ frames: 512, turns: Infinity });
  const hosts = [tcpHost(network, 1, LINK), tcpHost(network, 2, LINK)] as const;
  const side = {
    bytes: 60_000,
    sendBuffer: 65_536,
    receiveBuffer: 4_096,
    writeChunk: 0,
    writePause: 0,
    readChunk: 0,
    readPause: 0,
    closesLast: false,
  };
  const users = [new PacedUser(network, side, PLAIN), new PacedUser(network, side, PLAIN)] as const;
  listenWith(hosts[1], 7, () => users[1]);
  connectWith(hosts[0], hosts[1], 7, users[0]);
  let count = 0;
  hosts[0].drop = hosts[1].drop = ({ data }) => data.length > 0 && ++count > 20 && count < 23;
  ok(network.runUntil(() => users.every(({ reason }) => reason !== undefined), seconds(3)), "too slow");
  equal(users[0].received + users[1].received, 120_000);
});
