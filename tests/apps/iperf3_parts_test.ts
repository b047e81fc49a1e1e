/** The parts of iperf3: what it says, reads, counts, paces and prints. */
import assert from "node:assert/strict";
import { Control, GARBLED } from "../../apps/iperf3/control.ts";
import { DataSink, DataSource } from "../../apps/iperf3/data.ts";
import * as datagram from "../../apps/iperf3/datagram.ts";
import { finalHeading, finalLines, heading, intervalLines } from "../../apps/iperf3/lines.ts";
import type { Row } from "../../apps/iperf3/measure.ts";
import { Pace } from "../../apps/iperf3/pace.ts";
import { directions, parametersObject, readParameters } from "../../apps/iperf3/parameters.ts";
import { COOKIE_LENGTH, makeCookie, sameCookie, State, streamId } from "../../apps/iperf3/protocol.ts";
import { Reception } from "../../apps/iperf3/reception.ts";
import { readResults, type Results, resultsObject } from "../../apps/iperf3/results.ts";
import { rate, size } from "../../apps/iperf3/units.ts";
import { NEVER, seconds } from "../../stack/store/time.ts";
import { TEST } from "../support/iperf3.ts";

function heard(...parts: readonly Uint8Array[]): Control {
  const control = new Control();
  for (const part of parts) {
    control.received.write(0, part, 0, part.length);
    control.received.advance(part.length);
  }
  return control;
}

function said(control: Control): Uint8Array {
  const bytes = new Uint8Array(control.buffer.length);
  control.buffer.fill(0, bytes, 0, bytes.length);
  return bytes;
}

Deno.test("iperf3: a cookie is 36 letters and digits and a zero, and no two are the same", () => {
  const cookie = makeCookie();
  assert.match(new TextDecoder().decode(cookie), /^[a-z2-7]{36}\0$/);
  assert.equal(cookie.length, COOKIE_LENGTH);
  assert.ok(sameCookie(cookie, cookie.slice()));
  assert.ok(!sameCookie(cookie, makeCookie()));
  assert.ok(!sameCookie(cookie, cookie.subarray(1)));
});

Deno.test("iperf3: states are bytes, texts stand behind their length, the most significant byte first", () => {
  const control = new Control();
  control.state(State.AccessDenied);
  control.json({ tcp: true });
  control.words(-1, 7);
  const expected = [
    0xff,
    0,
    0,
    0,
    12,
    ...new TextEncoder().encode('{"tcp":true}'),
    255,
    255,
    255,
    255,
    0,
    0,
    0,
    7,
  ];
  assert.deepEqual([...said(control)], expected);
  const reader = heard(said(control));
  assert.equal(reader.readState(), State.AccessDenied);
  assert.deepEqual(reader.readJson(12), { tcp: true });
  assert.deepEqual([reader.readWord(), reader.readWord(), reader.readWord(), reader.readState()], [
    -1,
    7,
    undefined,
    undefined,
  ]);
});

Deno.test("iperf3: a text is read when all of it is there, and none that is longer than it may be", () => {
  const control = heard(Uint8Array.of(0, 0));
  assert.equal(control.readJson(10), undefined);
  control.received.write(0, Uint8Array.of(0, 2, 0x31), 0, 3);
  control.received.advance(3);
  assert.equal(control.readJson(10), undefined);
  control.received.write(0, Uint8Array.of(0x37), 0, 1);
  control.received.advance(1);
  assert.equal(control.readJson(10), 17);
  assert.equal(heard(Uint8Array.of(0, 0, 0, 11)).readJson(10), GARBLED);
  assert.equal(heard(Uint8Array.of(0x80, 0, 0, 0)).readJson(10), GARBLED);
  assert.equal(heard(Uint8Array.of(0, 0, 0, 2, 0x7b, 0x7b)).readJson(10), GARBLED);
  assert.equal(heard(Uint8Array.of(0, 0, 0, 0)).readJson(10), GARBLED);
  const deep = new TextEncoder().encode("[".repeat(8_000));
  assert.equal(heard(Uint8Array.of(0, 0, 0x1f, 0x40), deep).readJson(8_192), GARBLED);
});

Deno.test("iperf3: parameters are read as they were written, and as iperf3 3.12 writes them", () => {
  const all = {
    ...TEST,
    protocol: "udp",
    omit: 1,
    time: 5,
    streams: 3,
    reverse: true,
    length: 1_448,
    rate: 1e6,
    noDelay: true,
  } as const;
  for (const p of [TEST, all, { ...TEST, bidirectional: true, time: 0, bytes: 1e9 }]) {
    assert.deepEqual(
      readParameters(JSON.parse(JSON.stringify(parametersObject(p, "1")))),
      p.protocol === "udp" ? p : { ...p, counters64: false },
    );
  }
  const theirs = JSON.parse(
    '{"udp":true,"omit":0,"time":1,"num":0,"blockcount":0,"parallel":1,"len":1448,"bandwidth":20000000,' +
      '"pacing_timer":1000,"client_version":"3.12"}',
  );
  assert.deepEqual(readParameters(theirs), {
    ...TEST,
    protocol: "udp",
    length: 1_448,
    rate: 2e7,
    counters64: false,
  });
});

Deno.test("iperf3: a client's own streams come first, and each side sees who sends", () => {
  const p = { ...TEST, streams: 2 };
  assert.deepEqual(directions(p, true), [true, true]);
  assert.deepEqual(directions(p, false), [false, false]);
  assert.deepEqual(directions({ ...p, reverse: true }, false), [true, true]);
  assert.deepEqual(directions({ ...p, bidirectional: true }, true), [true, true, false, false]);
  assert.deepEqual(directions({ ...p, bidirectional: true }, false), [false, false, true, true]);
});

const RESULTS: Results = {
  cpu: [3, 2, 1],
  congestion: "cubic",
  streams: [
    { bytes: 1_000, retransmits: 5, jitter: 0, lost: 0, packets: 0, seconds: 1.5 },
    { bytes: 2_000, retransmits: undefined, jitter: 0.001, lost: 3, packets: 9, seconds: 1 },
  ],
};

Deno.test("iperf3: results are read as they were written; streams are numbered 1, 3, 4, in any order", () => {
  assert.deepEqual([0, 1, 2].map(streamId), [1, 3, 4]);
  const object = JSON.parse(JSON.stringify(resultsObject(RESULTS)));
  assert.equal(object.sender_has_retransmits, 1);
  assert.deepEqual(readResults(object, 2), RESULTS);
  object.streams.reverse();
  assert.deepEqual(readResults(object, 2), RESULTS);
  // iperf3 writes -1 so.
  object.streams[1].retransmits = 2 ** 64;
  assert.equal(readResults(object, 2)!.streams[0]!.retransmits, undefined);
});

Deno.test("iperf3: results that cannot be are none", () => {
  const change = (
    edit: (object: Record<string, unknown> & { streams: Record<string, unknown>[] }) => void,
  ) => {
    const object = JSON.parse(JSON.stringify(resultsObject(RESULTS)));
    edit(object);
    return readResults(object, 2);
  };
  assert.notEqual(change(() => {}), undefined);
  for (const value of [null, 1, "streams", [], {}, { streams: 2 }, { streams: [] }]) {
    assert.equal(readResults(value, 2), undefined);
  }
  for (const value of [-1, "many", [], Infinity, 1e300]) {
    assert.equal(change(({ streams }) => streams[0]!["bytes"] = value === Infinity ? "∞" : value), undefined);
  }
  assert.equal(change(({ streams }) => streams[0]!["id"] = 2), undefined);
  assert.equal(change(({ streams }) => streams.push(streams[0]!)), undefined);
  assert.equal(change(({ streams }) => streams[0]!["end_time"] = -1), undefined);
  assert.equal(change((object) => object["cpu_util_total"] = "busy"), undefined);
  assert.equal(change((object) => object["congestion_used"] = "\x1b[2J")?.congestion, undefined);
});

Deno.test("iperf3: a datagram's header has its time and a number of 32 or 64 bits", () => {
  const bytes = new Uint8Array(40);
  const time = 1_234_567 * 1e6 + 987_654, number = 2 ** 40 + 5;
  datagram.emitHeader(bytes, 3, time, number, true);
  assert.equal(bytes.subarray(3, 19).toHex(), "0012d687000f12060000010000000005");
  assert.deepEqual([datagram.sentAt(bytes, 3), datagram.number(bytes, 3, true)], [time, number]);
  datagram.emitHeader(bytes, 3, time, number, false);
  assert.equal(datagram.number(bytes, 3, false), 5);
});

Deno.test("iperf3: the words that open a stream are known in either order of bytes, the old ones as well", () => {
  const bytes = new Uint8Array(8);
  datagram.emitHello(bytes, 2);
  assert.equal(new TextDecoder().decode(bytes.subarray(2, 6)), "9876");
  assert.ok(datagram.isHello(bytes, 2, 4) && !datagram.isHello(bytes, 2, 5));
  datagram.emitWelcome(bytes, 2);
  assert.ok(datagram.isWelcome(bytes, 2, 4) && !datagram.isWelcome(bytes, 3, 4));
  const view = new DataView(bytes.buffer);
  for (const littleEndian of [true, false]) {
    for (const word of [0x36373839, 123_456_789]) {
      view.setUint32(0, word, littleEndian);
      assert.ok(datagram.isHello(bytes, 0, 4));
    }
    for (const word of [0x39383736, 987_654_321]) {
      view.setUint32(0, word, littleEndian);
      assert.ok(datagram.isWelcome(bytes, 0, 4));
    }
  }
});

Deno.test("iperf3: gaps are losses until what is late comes", () => {
  const reception = new Reception();
  for (const number of [1, 2, 5, 3, 8, 4, 6]) reception.take(number, 0, 0);
  assert.deepEqual([reception.packets, reception.lost, reception.outOfOrder], [8, 1, 3]);
  reception.take(8, 0, 0);
  reception.take(8, 0, 0);
  assert.deepEqual([reception.lost, reception.outOfOrder], [0, 5]);
});

Deno.test("iperf3: jitter is a sixteenth of each change of the transit time, whatever the clocks (RFC 3550 6.4.1)", () => {
  for (const offset of [0, 1e9, -1e9]) {
    const reception = new Reception();
    const take = (sent: number, transit: number) => reception.take(1, sent + offset, sent + transit);
    take(1e9, 500);
    assert.equal(reception.jitter, 0);
    take(1e9 + 1_000, 2_100);
    assert.ok(Math.abs(reception.jitter - 0.0001) < 1e-9, String(reception.jitter));
    take(1e9 + 2_000, 500);
    assert.ok(Math.abs(reception.jitter - (0.0001 + (0.0016 - 0.0001) / 16)) < 1e-9);
    const before = reception.jitter;
    take(1e9 + 3_000, 500);
    assert.ok(Math.abs(reception.jitter - before * 15 / 16) < 1e-9);
  }
});

Deno.test("iperf3: a pace lets the first block leave at once and each further one in its time", () => {
  // 1,000 bytes at 8 Mbit/s: one a millisecond.
  const pace = new Pace(8e6, 1_000);
  assert.deepEqual([pace.allowed(5), pace.next(0)], [0, NEVER]);
  pace.begin(seconds(1));
  let sent = 0;
  const left: number[] = [];
  for (let now = seconds(1); left.length < 5; now = pace.next(sent)) {
    assert.ok(pace.allowed(now) >= sent + 1_000);
    assert.ok(now === seconds(1) || pace.allowed(now - 1) === sent);
    sent += 1_000;
    left.push(now - seconds(1));
  }
  assert.deepEqual(left, [0, 1_000, 2_000, 3_000, 4_000]);
  // Who is late catches up.
  assert.equal(pace.allowed(seconds(2)), 1_001_000);
  const free = new Pace(0, 1_000);
  free.begin(7);
  assert.deepEqual([free.allowed(7), free.next(1e9), free.isLimited], [Infinity, 7, false]);
});

Deno.test("iperf3: a source sends its cookie, then noise that stays the same when it is sent again", () => {
  const cookie = makeCookie();
  const source = new DataSource(cookie);
  assert.equal(source.length, 37);
  source.offer(1_000);
  assert.equal(source.length, 1_037);
  const whole = new Uint8Array(1_037), part = new Uint8Array(1_037);
  source.fill(0, whole, 0, 1_037);
  assert.ok(sameCookie(whole.subarray(0, 37), cookie));
  assert.ok(new Set(whole.subarray(37)).size > 100);
  source.ack(10);
  for (let at = 10; at < 1_037; at += 13) source.fill(at - 10, part, at, Math.min(13, 1_037 - at));
  assert.deepEqual(part.subarray(10), whole.subarray(10));
  source.ack(500);
  assert.deepEqual([source.length, source.acknowledged, source.sent(100)], [527, 473, 573]);
  source.offer(Infinity);
  source.ack(1 << 20);
  assert.ok(source.length > 1 << 20);
  source.end(123);
  source.ack(123);
  assert.equal(source.length, 0);
});

Deno.test("iperf3: a sink takes a cookie in any pieces and in any order, and nothing behind it before it is open", () => {
  const cookie = makeCookie();
  const sink = new DataSink(true);
  assert.equal(sink.window, 37);
  sink.write(10, cookie, 10, 27);
  assert.equal(sink.isIdentified, false);
  sink.write(0, cookie, 0, 5);
  sink.advance(5);
  assert.deepEqual([sink.window, sink.isIdentified], [32, false]);
  sink.write(0, cookie, 5, 5);
  sink.advance(32);
  assert.deepEqual([sink.window, sink.isIdentified, sink.total], [0, true, 0]);
  assert.ok(sameCookie(sink.cookie, cookie));
  sink.open();
  sink.write(0, cookie, 0, 37);
  sink.advance(37);
  assert.equal(sink.total, 37);
  assert.equal(sink.window, 1 << 16);
});

Deno.test("iperf3: sizes go by 1,024 and rates by 1,000, and what is neither is refused with what is allowed", () => {
  const bytes = size("--bytes", 1, 2 ** 40);
  assert.deepEqual(["1460", "128K", "1.5m", "2G"].map(bytes), [1_460, 131_072, 1_572_864, 2 ** 31]);
  const bits = rate("--bitrate");
  assert.deepEqual(["0", "500K", "1.5m", "10G"].map(bits), [0, 500_000, 1_500_000, 1e10]);
  for (const text of ["", "K", "-1", "1e6", "1 M", "0", "2P", "1.M", "9".repeat(16), "1025G"]) {
    assert.throws(() => bytes(text), /--bytes: ".*" is not allowed; write a size such as 128K/);
  }
  assert.throws(() => bits("fast"), /--bitrate: "fast" is not allowed; write bits a second, such as 500K/);
});

const ROW: Row = {
  stream: 1,
  sends: true,
  start: 0,
  end: 1,
  bytes: 1_250_000_000,
  retransmits: 3,
  cwnd: 100_000,
  packets: undefined,
  lost: 0,
  outOfOrder: 0,
  jitter: 0,
};

Deno.test("iperf3: its lines are those of iperf3, over TCP", () => {
  assert.equal(heading(TEST, true), "[ ID] Interval           Transfer     Bitrate         Retr  Cwnd");
  assert.deepEqual(intervalLines(TEST, [ROW], true), [
    "[  1]   0.00-1.00   sec  1.16 GBytes  10.0 Gbits/sec    3   97.7 KBytes  (omitted)",
  ]);
  const two = intervalLines(TEST, [ROW, { ...ROW, stream: 2, bytes: 1_250_000, cwnd: 200 }], false);
  assert.deepEqual(two, [
    "[  1]   0.00-1.00   sec  1.16 GBytes  10.0 Gbits/sec    3   97.7 KBytes",
    "[  2]   0.00-1.00   sec  1.19 MBytes  10.0 Mbits/sec    3    200 Bytes",
    "[SUM]   0.00-1.00   sec  1.17 GBytes  10.0 Gbits/sec    6",
  ]);
  const counted = { retransmits: 3, jitter: 0, lost: 0, packets: 0, seconds: 1, bytes: 125_000 };
  const row = { stream: 1, sends: true, sender: counted, receiver: counted, outOfOrder: undefined };
  assert.equal(finalHeading(TEST), "[ ID] Interval           Transfer     Bitrate         Retr");
  assert.deepEqual(finalLines(TEST, [row]), [
    "[  1]   0.00-1.00   sec   122 KBytes  1.00 Mbits/sec    3             sender",
    "[  1]   0.00-1.00   sec   122 KBytes  1.00 Mbits/sec                  receiver",
  ]);
});

Deno.test("iperf3: its lines are those of iperf3, over UDP", () => {
  const p = { ...TEST, protocol: "udp" } as const;
  const datagrams = { ...ROW, bytes: 128_000, retransmits: undefined, cwnd: undefined, packets: 90 };
  assert.match(heading(p, true), /Bitrate {9}Total Datagrams$/);
  assert.match(heading(p, false), /Bitrate {9}Jitter {4}Lost\/Total Datagrams$/);
  assert.deepEqual(intervalLines(p, [datagrams], false), [
    "[  1]   0.00-1.00   sec   125 KBytes  1.02 Mbits/sec  90",
  ]);
  assert.deepEqual(intervalLines(p, [{ ...datagrams, sends: false, lost: 3, jitter: 0.0000124 }], false), [
    "[  1]   0.00-1.00   sec   125 KBytes  1.02 Mbits/sec  0.012 ms  3/90 (3.3%)",
  ]);
  const both = { ...p, bidirectional: true };
  assert.match(
    intervalLines(both, [datagrams, { ...datagrams, sends: false }], false).join("\n"),
    /\]\[TX\].*\n.*\]\[RX\]/,
  );
});
