/** The server and the client of iperf3 with each other, on a wire in memory and on virtual time. */
import assert from "node:assert/strict";
import { State } from "../../apps/iperf3/protocol.ts";
import { FromBytes, StreamReceive, StreamSend } from "../../stack/tcp/buffers.ts";
import type { Connection } from "../../stack/tcp/connection.ts";
import { Pair } from "../support/iperf3.ts";

/** Nothing is left over when all are done and have had time to close. */
function assertAllGone(pair: Pair): void {
  pair.pass(70);
  assert.deepEqual([...pair.server.appliance.tcp.list(), ...pair.client.appliance.tcp.list()], []);
}

for (const isV6 of [false, true]) {
  const family = isV6 ? "IPv6" : "IPv4";
  for (
    const { name, reverse = false, bidirectional = false } of [
      { name: "up" },
      { name: "down", reverse: true },
      { name: "both ways", bidirectional: true },
    ]
  ) {
    Deno.test(`iperf3: TCP ${name} over ${family} for a time: both sides tell the same, and connections end`, () => {
      const pair = new Pair({ isV6 });
      const [client, server] = pair.measure({ streams: 2, reverse, bidirectional, time: 0.3 });
      const sends = bidirectional ? [true, true, false, false] : [!reverse, !reverse];
      assert.deepEqual(client.rows.map((row) => row.sends), sends);
      assert.deepEqual(server.rows.map((row) => row.sends), sends.map((one) => !one));
      for (const [index, { sender, receiver }] of client.rows.entries()) {
        assert.ok(
          sender.bytes >= receiver.bytes && receiver.bytes > 1e6,
          `${sender.bytes} ${receiver.bytes}`,
        );
        assert.ok(Math.abs(sender.seconds - 0.3) < 0.01 && Math.abs(receiver.seconds - 0.3) < 0.01);
        assert.notEqual(sender.retransmits, undefined);
        assert.deepEqual(server.rows[index]!.sender, sender);
        assert.deepEqual(server.rows[index]!.receiver, receiver);
      }
      assert.equal((reverse ? client.theirs : client.own).congestion, "cubic");
      assertAllGone(pair);
    });
  }

  Deno.test(`iperf3: UDP over ${family} keeps its rate in both directions, and nothing is lost`, () => {
    const pair = new Pair({ isV6 });
    const rate = 10e6;
    const [client, server] = pair.measure({
      protocol: "udp",
      bidirectional: true,
      streams: 2,
      rate,
      length: 0,
    });
    assert.equal(client.rows.length, 4);
    for (const { sends, sender, receiver, outOfOrder } of [...client.rows, ...server.rows]) {
      assert.ok(Math.abs(sender.bytes * 8 / sender.seconds / rate - 1) < 0.02, JSON.stringify(sender));
      assert.ok(sender.packets - receiver.packets <= 4, "but for those under way at the end");
      assert.deepEqual([receiver.lost, outOfOrder], [0, sends ? undefined : 0]);
    }
    assertAllGone(pair);
  });
}

for (
  const [name, options] of [
    ["bytes", { bytes: 3_000_000 }],
    ["blocks", { blocks: 23, length: 131_072 }],
  ] as const
) {
  Deno.test(`iperf3: a test of so many ${name} sends just as many whole blocks, over all streams together`, () => {
    const pair = new Pair();
    const [{ rows }] = pair.measure({ ...options, time: 0, streams: 3 });
    const total = (of: "sender" | "receiver") => rows.reduce((sum, row) => sum + row[of].bytes, 0);
    assert.deepEqual([total("sender"), total("receiver")], [23 * 131_072, 23 * 131_072]);
    assert.deepEqual(rows.map(({ sender }) => sender.bytes / 131_072), [8, 8, 7]);
  });
}

Deno.test("iperf3: in reverse a test of so many bytes ends when they have come", () => {
  const pair = new Pair();
  const [{ rows: [row] }] = pair.measure({ bytes: 5_000_000, time: 0, reverse: true });
  assert.ok(row!.receiver.bytes >= 5_000_000 && row!.receiver.bytes < 7_000_000, String(row!.receiver.bytes));
});

Deno.test("iperf3: a rate holds for TCP as well, by whole blocks", () => {
  const pair = new Pair();
  const [{ rows: [row] }] = pair.measure({ rate: 8e6, length: 10_000 });
  assert.ok(Math.abs(row!.sender.bytes - 1_000_000) <= 10_000, String(row!.sender.bytes));
});

Deno.test("iperf3: what is omitted is shown as that and does not count", () => {
  const pair = new Pair();
  const [{ rows: [row] }] = pair.measure({ omit: 1, time: 2, rate: 8e6, length: 10_000 });
  assert.ok(Math.abs(row!.sender.bytes - 2_000_000) <= 10_000, String(row!.sender.bytes));
  assert.ok(Math.abs(row!.receiver.bytes - 2_000_000) <= 10_000, String(row!.receiver.bytes));
  for (const { told: { intervals } } of [pair.client, pair.server]) {
    assert.deepEqual(intervals.map(({ isOmitted }) => isOmitted), [true, false, false]);
    assert.deepEqual(intervals.map(({ rows: [row] }) => Math.round(row!.start)), [0, 0, 1]);
    for (const { rows: [row] } of intervals) {
      assert.ok(Math.abs(row!.bytes - 1e6) <= 20_000, String(row!.bytes));
    }
  }
});

Deno.test("iperf3: over a bad link TCP tells of segments sent again, UDP of loss, reordering and jitter", () => {
  const faults = { loss: 0.02, reorder: 0.02, seed: 1 };
  const [tcp] = new Pair({ faults }).measure({ bytes: 5_000_000, time: 0 });
  assert.ok(tcp.rows[0]!.sender.retransmits! > 20);
  assert.equal(tcp.rows[0]!.receiver.bytes, tcp.rows[0]!.sender.bytes);
  const [udp] = new Pair({ faults }).measure({ protocol: "udp", rate: 20e6, length: 1_200, time: 2 });
  const { sender, receiver } = udp.rows[0]!;
  assert.ok(receiver.lost > 20 && receiver.lost < sender.packets / 10, JSON.stringify(receiver));
  assert.ok(receiver.jitter > 0);
  assert.ok(sender.packets - receiver.packets < 10);
});

Deno.test("iperf3: a datagram longer than a packet goes in fragments", () => {
  const [{ rows: [row] }] = new Pair().measure({ protocol: "udp", rate: 10e6, length: 20_000 });
  assert.ok(row!.receiver.packets >= 62 && row!.receiver.lost === 0, JSON.stringify(row));
  assert.equal(row!.receiver.bytes, 20_000 * row!.receiver.packets);
});

Deno.test("iperf3: the server has one test at a time, tells others so, and then takes the next one", () => {
  const pair = new Pair();
  const server = pair.serve();
  const first = pair.test({ time: 5, rate: 1e6 });
  pair.until(() => pair.server.told.begun === 1);
  const { received, connection } = connect(pair);
  pair.until(() => received.length > 0);
  assert.deepEqual([...read(received)], [State.AccessDenied]);
  connection.abort();
  pair.until(() => first.isDone);
  assert.equal(first.success, true);
  pair.until(() => server.counters.answered === 1);
  const second = pair.test({ time: 1 });
  pair.until(() => second.isDone);
  assert.equal(second.success, true);
  pair.until(() => server.counters.answered === 2);
  assert.equal(server.counters.busy, 1);
});

Deno.test("iperf3: a client that is told that the server is busy says so", () => {
  const pair = new Pair();
  pair.serve();
  const { received } = connect(pair, COOKIE);
  pair.until(() => received.length > 0);
  const client = pair.test();
  pair.until(() => client.isDone);
  assert.match(pair.client.told.failures.join(), /^the server is busy with another test; try again later$/);
});

Deno.test("iperf3: with --one-off the server ends behind the first test, and only behind that", () => {
  const pair = new Pair();
  const server = pair.serve({ oneOff: true });
  const { connection } = connect(
    pair,
    new TextEncoder().encode("GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n....."),
  );
  pair.pass(1);
  connection.abort();
  pair.pass(1);
  assert.equal(server.isDone, false);
  const client = pair.test({ time: 0.1 });
  pair.until(() => client.isDone);
  pair.until(() => server.isDone);
  assert.equal(server.counters.answered, 1);
});

for (const protocol of ["tcp", "udp"] as const) {
  for (const reverse of [false, true]) {
    const what = `${protocol} ${reverse ? "down" : "up"}`;
    Deno.test(`iperf3: a client that vanishes in the middle of a test (${what}) is given up, and the next one is served`, () => {
      const pair = new Pair();
      const server = pair.serve();
      pair.test({ protocol, reverse, time: 3_600, rate: 1e6, length: 1_200 });
      pair.until(() => pair.server.told.intervals.length === 1);
      pair.isCut = true;
      pair.until(() => server.counters.failed === 1, 200);
      pair.isCut = false;
      const { told } = pair.client;
      pair.client.appliance.tcp.abortOn(pair.client.address, false);
      told.failures.length = 0;
      const client = pair.test({ time: 0.1 });
      pair.until(() => client.isDone);
      assert.deepEqual([client.success, told.failures], [true, []]);
    });
  }
}

Deno.test("iperf3: a server that vanishes in the middle of a test is told of, whichever end the test has", () => {
  for (const test of [{ time: 1 }, { time: 0, bytes: 1e12, reverse: true }]) {
    const pair = new Pair();
    pair.serve();
    const client = pair.test(test);
    pair.until(() => pair.server.told.begun === 1);
    pair.server.appliance.tcp.abortOn(pair.server.address, false);
    pair.server.run(new Pair().serve());
    pair.until(() => client.success !== undefined, 200);
    assert.equal(client.success, false);
    assert.equal(pair.client.told.failures.length, 1);
  }
});

Deno.test("iperf3: whoever is told to stop tells the other side", () => {
  const pair = new Pair();
  const server = pair.serve();
  const client = pair.test();
  pair.until(() => pair.server.told.begun === 1);
  client.stop();
  pair.until(() => server.counters.failed === 1, 1);
  assert.deepEqual(pair.server.told.failures, ["the client was told to stop"]);
  pair.until(() => client.isDone);
  const other = pair.test();
  pair.until(() => pair.server.told.begun === 2);
  server.stop();
  pair.until(() => other.isDone && server.isDone, 20);
  assert.deepEqual(pair.client.told.failures, ["the server was told to stop"]);
});

/** What stalls, step by step, and within how many seconds the server has enough of it. */
const STALLS: readonly {
  readonly what: string;
  readonly bytes: readonly Uint8Array[];
  readonly limit: number;
}[] = [
  { what: "says nothing", bytes: [], limit: 11 },
  { what: "says half a cookie", bytes: [new Uint8Array(20)], limit: 11 },
  { what: "says a cookie and no more", bytes: [new Uint8Array(37)], limit: 41 },
  {
    what: "says half of its parameters",
    bytes: [new Uint8Array(37), Uint8Array.of(0, 0, 1, 0, 0x7b)],
    limit: 41,
  },
  { what: "opens no streams", bytes: [new Uint8Array(37), json({ tcp: true, time: 10 })], limit: 71 },
];

for (const { what, bytes, limit } of STALLS) {
  Deno.test(`iperf3: a client that ${what} does not keep the server`, () => {
    const pair = new Pair();
    const server = pair.serve();
    const { sent, connection } = connect(pair);
    for (const part of bytes) {
      pair.pass(0.1);
      sent.write(part);
      connection.flush();
    }
    pair.until(() => server.counters.failed + server.counters.strangers === 1, limit);
    const client = pair.test({ time: 0.1 });
    pair.until(() => client.isDone);
    assert.equal(client.success, true);
  });
}

Deno.test("iperf3: a client that has its test and tells no results does not keep the server", () => {
  const pair = new Pair();
  const server = pair.serve();
  const control = connect(pair, Uint8Array.from([...COOKIE, ...json({ tcp: true, time: 10, len: 1_000 })]));
  pair.until(() => control.received.length === 2);
  connect(pair, COOKIE);
  pair.until(() => pair.server.told.begun === 1);
  control.sent.write(Uint8Array.of(State.TestEnd));
  control.connection.flush();
  pair.until(() => server.counters.failed === 1, 31);
  assert.deepEqual(pair.server.told.failures, ["the client has said nothing for too long"]);
  assert.deepEqual([...read(control.received)].slice(0, 5), [
    State.ParamExchange,
    State.CreateStreams,
    State.TestStart,
    State.TestRunning,
    State.ExchangeResults,
  ]);
});

Deno.test("iperf3: a stream with another test's cookie is none of this one", () => {
  const pair = new Pair();
  pair.serve();
  const control = connect(pair, Uint8Array.from([...COOKIE, ...json({ tcp: true, time: 10, len: 1_000 })]));
  pair.until(() => control.received.length === 2);
  const other = connect(pair, COOKIE.toReversed());
  pair.until(() => other.received.length === 1);
  assert.deepEqual([...read(other.received)], [State.AccessDenied]);
  assert.equal(pair.server.told.begun, 0);
  connect(pair, COOKIE);
  pair.until(() => pair.server.told.begun === 1, 1);
});

Deno.test("iperf3: words that open a stream over UDP count only from the client itself, and once", () => {
  const pair = new Pair();
  pair.serve();
  const control = connect(
    pair,
    Uint8Array.from([...COOKIE, ...json({ udp: true, time: 10, len: 1_000, parallel: 2 })]),
  );
  pair.until(() => control.received.length === 2);
  pair.hello("10.0.0.3", 7_000);
  pair.hello("10.0.0.2", 7_000);
  pair.hello("10.0.0.2", 7_000);
  pair.pass(0.5);
  assert.equal(pair.server.told.begun, 0);
  pair.hello("10.0.0.2", 7_001);
  pair.until(() => pair.server.told.begun === 1, 1);
});

/** Parameters that no test can have, and iperf3's number for what is wrong. */
const REFUSED: readonly (readonly [what: string, text: Uint8Array, wrong: number])[] = [
  ["no JSON", framed(new TextEncoder().encode("}{")), 114],
  ["a list", framed(new TextEncoder().encode("[1]")), 114],
  ["8 KiB and one byte", framed(new Uint8Array(8_193)), 114],
  ["a length below 0", Uint8Array.of(0xff, 0xff, 0xff, 0xff), 114],
  ["129 streams", json({ tcp: true, parallel: 129 }), 6],
  ["no stream", json({ tcp: true, parallel: 0 }), 6],
  ["half a stream", json({ tcp: true, parallel: 0.5 }), 6],
  ["a day and a second", json({ tcp: true, time: 86_401 }), 5],
  ["time that is none", json({ tcp: true, time: "long" }), 5],
  ["blocks of 2 MiB", json({ tcp: true, len: 1 << 21 }), 7],
  ["datagrams of 64 KiB", json({ udp: true, len: 1 << 16 }), 20],
  ["datagrams without room for a header", json({ udp: true, len: 8 }), 20],
  ["SCTP", json({ sctp: true }), 18],
  ["both reverse and both ways", json({ tcp: true, reverse: true, bidirectional: true }), 25],
  ["a rate below 0", json({ tcp: true, bandwidth: -1 }), 114],
];

for (const [what, text, wrong] of REFUSED) {
  Deno.test(`iperf3: a test with ${what} is refused with iperf3's number ${wrong}`, () => {
    const pair = new Pair();
    const server = pair.serve();
    const { sent, received, connection } = connect(pair, COOKIE);
    sent.write(text);
    connection.flush();
    pair.until(() => server.counters.failed === 1, 5);
    pair.pass(0.1);
    assert.deepEqual([...read(received)], [
      State.ParamExchange,
      State.ServerError,
      0,
      0,
      0,
      wrong,
      0,
      0,
      0,
      0,
    ]);
  });
}

const COOKIE = new TextEncoder().encode("abcdefghijklmnopqrstuvwxyz2345678901\0");

function framed(text: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + text.length);
  new DataView(bytes.buffer).setUint32(0, text.length);
  bytes.set(text, 4);
  return bytes;
}

function json(object: Record<string, unknown>): Uint8Array {
  return framed(new TextEncoder().encode(JSON.stringify(object)));
}

/** A connection to the server that is nobody's client. */
function connect(pair: Pair, first: Uint8Array = new Uint8Array(0)) {
  const { appliance: { tcp }, address } = pair.client;
  const received = new StreamReceive(1 << 16), sent = new StreamSend(1 << 16);
  sent.write(first);
  const connection: Connection | undefined = tcp.connect({
    address: pair.server.address,
    port: 5_201,
    localAddress: address,
    sendBuffer: sent,
    receiveBuffer: received,
    handler: { opened: (connection) => connection.flush() },
  });
  assert.ok(connection !== undefined);
  return { connection, received, sent };
}

function read(received: StreamReceive): Uint8Array {
  const bytes = new Uint8Array(received.length);
  received.read(bytes);
  return bytes;
}

Deno.test("iperf3: a crowd that says nothing is bounded, and a client gets through all the same", () => {
  const pair = new Pair();
  const server = pair.serve();
  for (let count = 0; count < 400; count++) connect(pair);
  pair.pass(1);
  assert.ok(server.counters.strangers >= 144, String(server.counters.strangers));
  const client = pair.test({ time: 0.1, streams: 4 });
  pair.until(() => client.isDone);
  assert.equal(client.success, true);
});

Deno.test("iperf3: a client takes nothing for a server that is none", () => {
  for (
    const [bytes, complaint] of [
      [Uint8Array.of(0x48, 0x54, 0x54, 0x50), /said 72, which has no place there; is it iperf3/],
      [
        Uint8Array.of(State.ServerError, 0, 0, 0, 6, 0, 0, 0, 0),
        /refused the test: too many parallel streams/,
      ],
      [Uint8Array.of(State.ServerError, 0, 0, 0, 142, 0, 0, 0, 0), /a user name and a password/],
      [Uint8Array.of(State.ParamExchange, State.TestRunning), /said 1, which has no place there|said 2/],
      [Uint8Array.of(State.ParamExchange, State.DisplayResults), /said 14, which has no place there/],
      [Uint8Array.of(), /has closed the control connection before the test was over/],
    ] as const
  ) {
    const pair = new Pair();
    pair.server.appliance.tcp.listen({ port: 5_201 }, (connection) => {
      connection.sendBuffer = new FromBytes(bytes);
      connection.receiveBuffer = new StreamReceive(1 << 16);
      if (bytes.length === 0) connection.close();
      return { peerClosed: (closed) => closed.close() };
    });
    const client = pair.test();
    pair.until(() => client.isDone, 60);
    assert.match(pair.client.told.failures.join(), complaint);
  }
});
