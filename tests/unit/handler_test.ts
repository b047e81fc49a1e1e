import { deepEqual, equal } from "node:assert/strict";
import { inTurn } from "../../stack/handler.ts";
import type { UdpRaw } from "../../stack/udp/packet.ts";
import { NEVER } from "../../stack/store/time.ts";

/** A sender that has so much to send, in `log` by its name. */
function busy(name: string, amount: number, log: string[], deadline = NEVER) {
  return {
    send: () => {
      if (amount-- > 0) log.push(name);
    },
    deadline: () => deadline,
  };
}

const RAW = {} as UdpRaw;

Deno.test("handler: senders at one place take turns, and one buffer is filled by one of them", () => {
  const log: string[] = [];
  const ring = inTurn<UdpRaw>(() => log.length, busy("a", 3, log), busy("b", 2, log), busy("c", 0, log));
  for (let turn = 0; turn < 9; turn++) {
    const before = log.length;
    ring.send(RAW);
    equal(log.length <= before + 1, true);
  }
  deepEqual(log, ["a", "b", "a", "a", "b"]);
});

Deno.test("handler: the deadline of senders at one place is the nearest of theirs", () => {
  const ring = inTurn<UdpRaw>(() => 0, busy("a", 0, [], 7), busy("b", 0, [], 5), () => {});
  equal(ring.deadline(), 5);
  equal(inTurn<UdpRaw>(() => 0, () => {}).deadline(), NEVER);
});
