import assert from "node:assert/strict";
import {
  capture,
  DropWatch,
  External,
  NEVER,
  NicCounters,
  type PcapPacket,
  PcapReader,
  PcapWriter,
  replay,
  type Slot,
  type TimedSender,
} from "../../../mod.ts";
import { data, echoReply, echoRequest, ethernet, read } from "../../support/frames.ts";
import { type Host, host } from "../../support/host.ts";
import { join } from "../../support/pcap.ts";

const NEVER_SENDS: TimedSender<Slot> = { send: () => {}, deadline: () => NEVER };

/** A host's traffic while it receives the frames, a millisecond apart, as a capture file. */
function captured(host: Host, frames: readonly Uint8Array[]): PcapReader {
  const { eth, ip, icmp } = host;
  const chunks: Uint8Array[] = [];
  const watch = new DropWatch({ eth: eth.counters, ip: ip.counters, icmp: icmp.counters });
  const writer = new PcapWriter((chunk) => chunks.push(chunk.slice()), { interfaceName: host.nic.name });
  const nic = capture(host.nic, writer, { dropReason: () => watch.reason() });
  for (const [index, frame] of frames.entries()) {
    host.at(1_000 * index);
    host.nic.inject(frame);
    nic.rx(64, host.receiver);
    nic.tx(64, host.sender);
  }
  nic.close();
  const reader = new PcapReader();
  reader.push(join(...chunks));
  return reader;
}

function packets(reader: PcapReader): PcapPacket[] {
  const list: PcapPacket[] = [];
  for (let packet = reader.next(); packet !== undefined; packet = reader.next()) list.push(packet);
  reader.finish();
  return list;
}

Deno.test("capture: a request stands as it came, though the answer was made in its buffer; then the answer", () => {
  const request = echoRequest();
  const [first, second, ...others] = packets(captured(host(), [request]));
  assert.equal(first?.direction, "in");
  assert.deepEqual(first?.bytes, request);
  assert.equal(second?.direction, "out");
  assert.deepEqual(read(second?.bytes).icmp, read(echoReply()).icmp);
  assert.deepEqual(others, []);
});

Deno.test("capture: a dropped frame is commented with the reason, others are not", () => {
  const frames = [
    echoRequest(),
    echoRequest({ ip: { checksumError: 1 } }),
    echoRequest({ link: { destination: "02:00:00:00:00:77" } }),
    echoRequest({ ip: { destination: "10.0.0.77" } }),
    echoRequest(),
    ethernet(data(46), { etherType: 0x1234 }),
    new Uint8Array(6),
  ];
  const received = packets(captured(host(), frames)).filter(({ direction }) => direction === "in");
  assert.deepEqual(received.map(({ comment }) => comment), [
    undefined,
    "dropped: ip.wrongChecksum",
    "dropped: eth.notForUs",
    "dropped: ip.notForUs",
    undefined,
    "dropped: ip.otherEtherType",
    "dropped: eth.truncated",
  ]);
  assert.deepEqual(received.map(({ timestamp }) => timestamp), frames.map((_, index) => 1_000 * index));
});

Deno.test("capture: closing ends the file with the NIC's own statistics", () => {
  const busy = host();
  busy.nic.inject(new Uint8Array(5_000));
  busy.nic.counters.missed = 3; // As the packet socket's: frames for which the queue before us had no room.
  const reader = captured(busy, [echoRequest(), echoRequest()]);
  assert.equal(packets(reader).length, 4);
  assert.partialDeepStrictEqual(reader.interfaces, [{ name: "external:", received: 2, dropped: 4 }]);
});

Deno.test("capture: without a drop reason nothing is commented, and a receiver that throws loses no frame", () => {
  const nic = new External();
  const chunks: Uint8Array[] = [];
  const spied = capture(nic, new PcapWriter((chunk) => chunks.push(chunk.slice())));
  nic.inject(data(60));
  const broken = { receive: () => assert.fail("broken") };
  assert.throws(() => spied.rx(1, broken), /broken/);
  nic.inject(data(61));
  assert.equal(spied.rx(1, { receive: () => {} }), 1);
  spied.close();
  const reader = new PcapReader();
  reader.push(join(...chunks));
  assert.deepEqual(packets(reader).map(({ bytes, comment }) => [bytes, comment]), [
    [data(60), undefined],
    [data(61), undefined],
  ]);
});

Deno.test("drop watch: the lowest layer's counter tells, what was counted before a burst does not", () => {
  const lower = { received: 0, broken: 0, name: "no counter" }, upper = { refused: 5, fine: 0 };
  const watch = new DropWatch({ lower, upper }, { notDrops: ["fine"] });
  assert.equal(watch.reason(), undefined);
  lower.received++;
  upper.fine++;
  assert.equal(watch.reason(), undefined);
  upper.refused++;
  lower.broken++;
  assert.equal(watch.reason(), "dropped: lower.broken");
  assert.equal(watch.reason(), undefined);
  upper.refused++;
  assert.equal(watch.reason(), "dropped: upper.refused");
  assert.throws(() => new DropWatch({ upper: { fine: 0, received: 1 } }, { notDrops: ["fine"] }), RangeError);
});

Deno.test("capture: a counter that grew while sending is not blamed on the next frame", () => {
  const nic = new External();
  const counters = new NicCounters();
  const watch = new DropWatch({ nic: counters });
  const chunks: Uint8Array[] = [];
  const spied = capture(nic, new PcapWriter((chunk) => chunks.push(chunk.slice())), {
    dropReason: () => watch.reason(),
  });
  spied.tx(1, { send: () => counters.sendFailed++ });
  nic.inject(data(60));
  spied.rx(1, { receive: () => {} });
  spied.close();
  const reader = new PcapReader();
  reader.push(join(...chunks));
  assert.equal(packets(reader)[0]?.comment, undefined);
});

Deno.test("capture: a frame that is answered by an error still has the reason of its drop, and the error has none", () => {
  const nic = new External();
  const counters = new NicCounters();
  const watch = new DropWatch({ udp: counters });
  const chunks: Uint8Array[] = [];
  const spied = capture(nic, new PcapWriter((chunk) => chunks.push(chunk.slice())), {
    dropReason: () => watch.reason(),
  });
  nic.inject(data(60));
  spied.rx(1, {
    receive: (slot) => {
      counters.sendFailed++;
      slot.queue();
    },
  });
  spied.close();
  const reader = new PcapReader();
  reader.push(join(...chunks));
  const seen = packets(reader).map(({ direction, comment }) => [direction, comment]);
  assert.deepEqual(seen, [["in", "dropped: udp.sendFailed"], ["out", undefined]]);
});

Deno.test("replay: a stack answers a capture as the captured one did, at the same moments", () => {
  const frames = [
    echoRequest(),
    echoRequest({ icmp: { sequence: 2 } }),
    echoRequest({ icmp: { sequence: 3 }, ip: { checksumError: 1 } }),
    echoRequest({ icmp: { sequence: 4 } }),
  ];
  const original = packets(captured(host(), frames));
  const again = host();
  const result = replay(original, again.nic, { receive: again.receiver, send: again.sender });
  assert.equal(result.received, 4);
  assert.equal(result.skipped, 3);
  const sent = original.filter(({ direction }) => direction === "out");
  assert.deepEqual(
    result.answers.map(({ timestamp, bytes }) => [timestamp, read(bytes).icmp]),
    sent.map(({ timestamp, bytes }) => [timestamp, read(bytes).icmp]),
  );
  assert.deepEqual(result.answers.map(({ after }) => after), [1, 2, 4]);
});

function packet(timestamp: number, bytes: Uint8Array, more: Partial<PcapPacket> = {}): PcapPacket {
  return { timestamp, bytes, originalLength: bytes.length, linkType: 1, interfaceId: 0, ...more };
}

Deno.test("replay: the clock starts at the origin, keeps the distances and never runs backwards", () => {
  const nic = new External();
  const seen: number[] = [];
  const list = [packet(9_000_000, data(60)), packet(9_000_500, data(60)), packet(8_999_000, data(60))];
  replay(list, nic, { receive: { receive: ({ info }) => seen.push(info.timestamp) }, origin: 70, tail: 5 });
  assert.deepEqual(seen, [70, 570, 570]);
  assert.equal(nic.now(), 575);
});

Deno.test("replay: a sender is asked when its deadline comes, between packets and after the last", () => {
  const nic = new External();
  let next = 100;
  const send: TimedSender<Slot> = {
    send: (slot) => {
      if (slot.info.timestamp < next) return;
      next = next < 700 ? next + 300 : NEVER;
      slot.frame.resize(60);
      slot.queue();
    },
    deadline: () => next,
  };
  const { answers } = replay([packet(0, data(60)), packet(500, data(60))], nic, {
    receive: { receive: () => {} },
    send,
    tail: 1_000,
  });
  assert.deepEqual(answers.map(({ timestamp, after }) => [timestamp, after]), [[100, 1], [400, 1], [700, 2]]);
});

Deno.test("replay: all that a sender has leaves at its moment, however many frames it is", () => {
  const nic = new External({ slots: 16 });
  let left = 200;
  const send = {
    send: (slot: Slot) => {
      if (nic.now() < 100 || left === 0) return;
      left--;
      slot.frame.resize(60);
      slot.queue();
    },
    deadline: () => left > 0 ? 100 : NEVER,
  };
  const { answers } = replay([packet(0, data(60))], nic, {
    receive: { receive: () => {} },
    send,
    tail: 1_000,
  });
  assert.equal(answers.length, 200);
  assert.ok(answers.every(({ timestamp }) => timestamp === 100));
});

Deno.test("replay: a sender that always wants to be asked and never sends does not hold the clock up", () => {
  const nic = new External();
  let asked = 0;
  const send: TimedSender<Slot> = { send: () => asked++, deadline: () => 0 };
  replay([packet(0, data(60))], nic, { receive: { receive: () => {} }, send, tail: 1_000 });
  assert.equal(nic.now(), 1_000);
  assert.ok(asked > 0 && asked < 10);
});

Deno.test("replay: packets that were sent, cut, or are too long for the NIC are left out", () => {
  const list = [
    packet(0, data(60), { direction: "out" }),
    packet(1, data(60), { originalLength: 61 }),
    packet(2, new Uint8Array(5_000)),
    packet(3, data(60), { direction: "in" }),
  ];
  const result = replay(list, new External(), { receive: { receive: () => {} }, send: NEVER_SENDS });
  assert.deepEqual([result.received, result.skipped, result.answers], [1, 3, []]);
});
