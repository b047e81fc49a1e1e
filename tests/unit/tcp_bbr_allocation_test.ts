/**
 * The same proof as in `tcp_allocation_test.ts` for BBR, which measures each segment's delivery; in a process of its
 * own, since what the engine has learnt from other tests is part of what is measured.
 *
 * @module
 */
import { ok } from "node:assert/strict";
import { ALL_MANUAL } from "../../stack/slot.ts";
import { cost, NOTHING, SEGMENTS, Wire } from "../support/tcp-wire.ts";

Deno.test("allocation: nor do a million segments under bbr, with losses among them", () => {
  const wire = new Wire(997, ALL_MANUAL, false, "bbr");
  const bytes = cost(wire);
  ok(wire.client.tcp.counters.recoveries > 500, "and they were repaired");
  ok(wire.sink.total > SEGMENTS * 500, "and they have arrived");
  ok(bytes < NOTHING, `${bytes} bytes for ${SEGMENTS} segments`);
});
