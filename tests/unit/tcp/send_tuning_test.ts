/** The send buffer holds two congestion windows, if nothing was said of its size. */
import { deepEqual, equal } from "node:assert/strict";
import { EMPTY, type SendBuffer, StreamSend } from "../../../stack/tcp/buffers.ts";
import { Connection } from "../../../stack/tcp/connection.ts";
import { NewReno } from "../../../stack/tcp/congestion/newreno.ts";
import { Tcp } from "../../../stack/tcp/endpoint.ts";
import { growSend } from "../../../stack/tcp/send-tuning.ts";

const MIB = 1 << 20;

/** A connection with this buffer and a congestion window, that has a slot. */
function connection(buffer: SendBuffer, cwnd: number, bufferGrowth: number = 1 << 28): Connection {
  const c = new Connection(new Tcp({ secret: [1, 2, 3, 4], bufferGrowth }));
  c.index = 0;
  c.control = new NewReno();
  c.control.cwnd = cwnd;
  c.sendBuffer = buffer;
  return c;
}

Deno.test("send tuning: a buffer grows to twice the congestion window, from 1 to 16 MiB, and never falls", () => {
  const buffer = new StreamSend();
  const c = connection(buffer, 100_000);
  const limits = [100_000, MIB / 2, 600_000, 700_000, 50_000, 9 * MIB, 10 * MIB].map((cwnd) => {
    c.control.cwnd = cwnd;
    growSend(c);
    return buffer.limit;
  });
  deepEqual(limits, [MIB, MIB, 1_200_000, 1_400_000, 1_400_000, 16 * MIB, 16 * MIB]);
  equal(buffer.free, 16 * MIB);
});

Deno.test("send tuning: it is asked again only once the congestion window is larger than what there is room for", () => {
  const buffer = new StreamSend();
  const c = connection(buffer, 600_000);
  growSend(c);
  equal(c.roomyCwnd, 600_000);
});

Deno.test("send tuning: what only waits in a queue on the way makes no buffer grow", () => {
  const buffer = new StreamSend();
  const c = connection(buffer, 4 * MIB);
  Object.assign(c.rtt, { minRtt: 1_000, srtt: 16_000 });
  growSend(c);
  equal(buffer.limit, MIB);
  c.rtt.srtt = 2_000;
  growSend(c);
  equal(buffer.limit, 4 * MIB);
});

Deno.test("send tuning: a buffer of a given size keeps it", () => {
  for (const buffer of [new StreamSend(4_096), new StreamSend(2 * MIB)]) {
    const { limit } = buffer;
    const c = connection(buffer, 8 * MIB);
    growSend(c);
    equal(buffer.limit, limit);
  }
  growSend(connection(EMPTY, 8 * MIB));
});

Deno.test("send tuning: no more than an eighth of what all buffers may grow by", () => {
  const buffer = new StreamSend();
  const c = connection(buffer, 8 * MIB, 8 * MIB);
  growSend(c);
  equal(buffer.limit, 2 * MIB);
  equal(c.tcp.growth.granted, MIB);
});
