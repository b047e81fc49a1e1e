/**
 * The proof that the TCP layer allocates nothing a segment: V8's own count of all bytes ever allocated, before and
 * after a million segments between two hosts. And how much an idle connection takes.
 *
 * @module
 */
import { ok } from "node:assert/strict";
import { ALL_MANUAL } from "../../stack/slot.ts";
import { idleConnections } from "../bench/sim_tcp.ts";
import { cost, NOTHING, SEGMENTS, Wire } from "../support/tcp-wire.ts";

Deno.test("allocation: a million TCP segments and their acknowledgments cost none", () => {
  const wire = new Wire(0);
  const bytes = cost(wire);
  ok(wire.sink.total > SEGMENTS * 500, "and they have arrived");
  ok(bytes < NOTHING, `${bytes} bytes for ${SEGMENTS} segments`);
});

Deno.test("allocation: nor do segments that are taken in runs", () => {
  const wire = new Wire(0, ALL_MANUAL, true);
  const bytes = cost(wire);
  ok(wire.server.tcp.counters.joined > SEGMENTS / 4, `${wire.server.tcp.counters.joined} were joined`);
  ok(bytes < NOTHING, `${bytes} bytes for ${SEGMENTS} segments`);
});

Deno.test("allocation: nor do losses and their repair", () => {
  const wire = new Wire(997);
  const bytes = cost(wire);
  ok(wire.client.tcp.counters.recoveries > 500, "and they were repaired");
  ok(bytes < NOTHING, `${bytes} bytes for ${SEGMENTS} segments`);
});

Deno.test("allocation: the proof works: one small object a segment is found out", () => {
  const wire = new Wire(0);
  const kept: { length: number }[] = [];
  wire.source.onFill = (length) => void (kept[length & 7] = { length });
  ok(cost(wire, 2) > SEGMENTS * 4, "an object of 16 bytes for two thirds of them, or more");
});

Deno.test("allocation: connections stay small objects, though those seen first have come and gone", () => {
  for (let count = 0; count < 3; count++) new Wire(0).run(100);
  (globalThis as { gc?: () => void }).gc?.();
  const bytes = idleConnections(1_000);
  ok(bytes <= 4_096, `${bytes} bytes`);
});

Deno.test("allocation: an idle connection takes at most 4 KiB beside its buffers", () => {
  const bytes = idleConnections(10_000);
  ok(bytes <= 4_096, `${bytes} bytes`);
});
