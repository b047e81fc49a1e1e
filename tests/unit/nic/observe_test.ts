import { deepEqual, equal } from "node:assert/strict";
import { External } from "../../../nic/external.ts";
import { type Direction, observe } from "../../../nic/observe.ts";
import type { Frame } from "../../../stack/frame.ts";
import { Type } from "../../../stack/wire/icmpv4.ts";
import { Address } from "../../../stack/wire/address.ts";
import * as tcp from "../../../stack/wire/tcp.ts";
import { data, echoRequest, OWN, PEER, read } from "../../support/frames.ts";
import { host } from "../../support/host.ts";
import { segment } from "../../support/tcp-frames.ts";

/** An observed NIC, and what its observer was shown. */
function observed() {
  const nic = new External();
  const shown: [Direction, Uint8Array, number][] = [];
  const watcher = observe(nic, (direction: Direction, frame: Frame, timestamp: number) => {
    shown.push([direction, frame.bytes.slice(frame.start, frame.end), timestamp]);
  });
  return { nic, watcher, shown };
}

Deno.test("observe: a request is shown before the tree sees it, its answer as it leaves", () => {
  const { nic, watcher, shown } = observed();
  nic.setTime(7);
  nic.inject(echoRequest());
  equal(watcher.rx(64, host().receiver), 1);
  deepEqual(shown.map(([direction, frame, time]) => [direction, read(frame).icmp?.type, time]), [
    ["in", Type.EchoRequest, 7],
    ["out", Type.EchoReply, 7],
  ]);
  deepEqual(shown[0]![1], echoRequest(), "unchanged, though it was answered in its own buffer");
  deepEqual(shown[1]![1], nic.take());
});

Deno.test("observe: what is not queued, or taken by a loss model, is not shown as leaving", () => {
  const { nic, watcher, shown } = observed();
  nic.inject(data(20));
  watcher.rx(1, { receive: () => {} });
  watcher.tx(1, { send: () => {} });
  watcher.tx(1, {
    send: (slot) => {
      slot.loseIf({ lost: () => true });
      slot.queue();
    },
  });
  deepEqual(shown.map(([direction]) => direction), ["in"]);
});

Deno.test("observe: frames that a sender fills are shown once each", () => {
  const { watcher, shown } = observed();
  let left = 2;
  watcher.tx(64, {
    send: (slot) => {
      if (left-- === 0) return;
      slot.frame.resize(10 + left);
      slot.queue();
    },
  });
  deepEqual(shown.map(([direction, frame]) => [direction, frame.length]), [["out", 11], ["out", 10]]);
});

Deno.test("observe: everything else is the NIC's own", async () => {
  const { nic, watcher } = observed();
  nic.setTime(3);
  equal(watcher.name, nic.name);
  equal(watcher.info, nic.info);
  equal(watcher.counters, nic.counters);
  equal(watcher.now(), 3);
  equal(watcher.failure, undefined);
  const waiting = watcher.ready();
  watcher.wake();
  await waiting;
  await watcher.ready(3);
  watcher.close();
  equal(watcher.failure, nic.failure);
  equal(typeof nic.failure, "string");
});

Deno.test("observe: a partial checksum is shown as it is on the wire, and left as it was", () => {
  const { nic, watcher, shown } = observed();
  const whole = segment({ data: 30 });
  const partial = whole.slice();
  tcp.fillPartialChecksum(partial, 34, partial.length, Address.parse(PEER), Address.parse(OWN));
  watcher.tx(1, {
    send: (slot) => {
      slot.frame.resize(partial.length);
      slot.frame.bytes.set(partial, slot.frame.start);
      slot.frame.leaveChecksum(slot.frame.start + 34, tcp.CHECKSUM);
      slot.queue();
    },
  });
  deepEqual(shown.map(([, frame]) => frame), [whole]);
  deepEqual(nic.take(), partial);
});
