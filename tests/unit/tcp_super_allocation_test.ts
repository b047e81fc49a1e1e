/**
 * The same proof as in `tcp_allocation_test.ts` for segments that the NIC cuts and joins; in a process of its own, since
 * what the engine has learnt from other tests is part of what is measured.
 *
 * @module
 */
import { ok } from "node:assert/strict";
import { OFFLOADING } from "../../stack/slot.ts";
import { cost, NOTHING, SEGMENTS, Wire } from "../support/tcp-wire.ts";

Deno.test("allocation: a million times many segments in one, which the NIC cuts and joins, cost none", () => {
  const wire = new Wire(0, OFFLOADING);
  const bytes = cost(wire);
  ok(wire.sink.total > SEGMENTS * 5_000, "there were many in each");
  ok(bytes < NOTHING, `${bytes} bytes for ${SEGMENTS} times many segments`);
});
