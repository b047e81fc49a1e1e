/**
 * What reaches the server of iperf3 over TCP and UDP: whatever it is, nothing throws, memory is bounded, and the next
 * client has its test.
 *
 * @module
 */
import { ok } from "node:assert/strict";
import { State } from "../../../apps/iperf3/protocol.ts";
import { FromBytes, StreamReceive } from "../../../stack/tcp/buffers.ts";
import { Pair } from "../../support/iperf3.ts";
import { fc } from "../../support/property.ts";
import { HEX } from "../codec.ts";
import { target } from "../target.ts";

const text = new TextEncoder();
const COOKIE = text.encode("abcdefghijklmnopqrstuvwxyz2345678901\0");

/** Two bytes of length, then so many for a connection of their own; what is left is for the last one. */
function parts(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at + 2 <= bytes.length && found.length < 4;) {
    const length = (bytes[at]! << 8 | bytes[at + 1]!) & 0x3fff;
    found.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return found;
}

function run(bytes: Uint8Array): void {
  const pair = new Pair();
  const server = pair.serve();
  const { appliance: { tcp }, address } = pair.client;
  const connections = parts(bytes).map((part) =>
    tcp.connect({
      address: pair.server.address,
      port: 5_201,
      localAddress: address,
      sendBuffer: new FromBytes(part),
      receiveBuffer: new StreamReceive(1 << 16),
      handler: { opened: (connection) => connection.flush() },
    })
  );
  pair.pass(0.2);
  for (const connection of connections) connection?.abort();
  pair.pass(1.2);
  ok(server.counters.failed + server.counters.strangers + server.counters.busy >= connections.length - 4);
  const client = pair.test({ time: 0, bytes: 1_000, length: 100 });
  pair.until(() => client.isDone, 60);
  ok(client.success === true, pair.client.told.failures.join());
  ok(tcp.connections.size <= 8);
}

const json = fc.oneof(
  fc.record({
    tcp: fc.boolean(),
    udp: fc.option(fc.boolean()),
    time: fc.oneof(fc.integer(), fc.double(), fc.constant(1)),
    num: fc.oneof(fc.integer(), fc.constant(0)),
    parallel: fc.oneof(fc.integer(), fc.constant(1)),
    len: fc.oneof(fc.integer(), fc.constant(1_000)),
    bandwidth: fc.oneof(fc.double(), fc.constant(0)),
    reverse: fc.oneof(fc.boolean(), fc.string()),
    omit: fc.oneof(fc.integer(), fc.constant(0)),
  }, { requiredKeys: [] }),
  fc.json().map((one): unknown => JSON.parse(one)),
).map((value) => text.encode(JSON.stringify(value)));

const framed = fc.tuple(json, fc.constantFrom(0, 0, 0, 1, -1)).map(([body, error]) => {
  const length = Math.max(0, body.length + error);
  return Uint8Array.of(0, 0, length >> 8, length & 0xff, ...body);
});
const state = fc.constantFrom(...Object.values(State)).map((one) => Uint8Array.of(one));
const said = fc.array(fc.oneof(framed, state, fc.uint8Array({ maxLength: 40 })), { maxLength: 4 });
const connection = fc.tuple(fc.constantFrom(COOKIE, COOKIE, COOKIE.subarray(9), new Uint8Array(0)), said).map(
  ([cookie, rest]) => {
    const length = cookie.length + rest.reduce((sum, one) => sum + one.length, 0);
    return [length >> 8 & 0x3f, length & 0xff, ...cookie, ...rest.flatMap((one) => [...one])];
  },
);

/** Connections to the server. */
export const iperf3Server = target({
  name: "iperf3",
  runs: 150,
  codec: HEX,
  input: fc.oneof(
    fc.array(connection, { minLength: 1, maxLength: 4 }).map((all) => Uint8Array.from(all.flat())),
    fc.uint8Array({ maxLength: 300 }),
  ),
  run,
});
