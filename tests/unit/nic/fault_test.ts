import { deepStrictEqual, equal, fail, ok, throws } from "node:assert/strict";
import type { Nic } from "../../../nic/device.ts";
import { monotonic } from "../../../nic/clock.ts";
import { External, type ExternalOptions } from "../../../nic/external.ts";
import { faulty, type FaultyNic, type FaultyOptions } from "../../../nic/fault.ts";
import { link } from "../../../nic/link/link.ts";
import { parseFaults } from "../../../nic/link/parse.ts";
import { poll } from "../../../nic/poll.ts";
import { NicWrapper } from "../../../nic/wrapper.ts";
import { Segmentation } from "../../../stack/frame.ts";
import type { Receiver } from "../../../stack/handler.ts";
import { Loss } from "../../../stack/loss/endpoint.ts";
import { ALL_IGNORED, OFFLOADING, type Slot } from "../../../stack/slot.ts";
import { type Instant, NEVER } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import * as tcpWire from "../../../stack/wire/tcp.ts";
import { OWN, PEER } from "../../support/frames.ts";
import { readSegment, segment } from "../../support/tcp-frames.ts";

/** A NIC with faults, and the wire behind it in the test's hand. */
class Bench {
  readonly inner: External;
  readonly nic: FaultyNic;

  constructor(options: FaultyOptions, nic: ExternalOptions = {}) {
    this.inner = new External(nic);
    this.nic = faulty(this.inner, options);
  }

  arrive(...numbers: readonly number[]): void {
    for (const number of numbers) ok(this.inner.inject(new Uint8Array(60).fill(number)));
  }

  /** The numbers of the frames that a burst hands to the tree at a time. */
  rx(now: Instant, answers: boolean = false): number[] {
    this.inner.setTime(now);
    const numbers: number[] = [];
    this.nic.rx(64, {
      receive: (slot) => {
        numbers.push(slot.frame.bytes[slot.frame.start]!);
        equal(slot.frame.length, 60);
        if (answers) slot.queue();
      },
    });
    return numbers;
  }

  /** Lets the tree send these numbers. */
  tx(now: Instant, ...numbers: readonly number[]): number {
    this.inner.setTime(now);
    const rest = [...numbers];
    return this.nic.tx(64, {
      send: (slot: Slot) => {
        equal(slot.info.timestamp, now, "the burst's time is not up to date");
        const number = rest.shift();
        if (number === undefined) return;
        slot.frame.resize(60);
        slot.frame.bytes.fill(number, slot.frame.start, slot.frame.end);
        slot.queue();
      },
    });
  }

  /** The numbers of the frames that have really left. */
  left(): number[] {
    const numbers: number[] = [];
    for (let frame = this.inner.take(); frame !== undefined; frame = this.inner.take()) {
      equal(frame.length, 60);
      numbers.push(frame[0]!);
    }
    return numbers;
  }
}

Deno.test("faulty: without faults both directions are those of the NIC inside, buffers included", () => {
  const bench = new Bench({});
  bench.arrive(1);
  let received: Slot | undefined;
  bench.nic.rx(1, { receive: (slot) => received = slot });
  bench.arrive(2);
  let direct: Slot | undefined;
  bench.inner.rx(1, { receive: (slot) => direct = slot });
  equal(received, direct, "the slot is not the NIC's own");
  equal(bench.tx(5, 3), 1);
  deepStrictEqual(bench.left(), [3]);
});

Deno.test("faulty: received frames wait for the ingress delay, sent ones leave at once", () => {
  const bench = new Bench({ ingress: { delay: 1_000 } });
  bench.arrive(1, 2);
  deepStrictEqual(bench.rx(100), []);
  deepStrictEqual(bench.rx(1_099), []);
  equal(bench.tx(1_099, 9), 1);
  deepStrictEqual(bench.left(), [9]);
  deepStrictEqual(bench.rx(1_100), [1, 2]);
  equal(bench.nic.ingress.passed, 2);
});

Deno.test("faulty: sent frames wait for the egress delay, received ones arrive at once", () => {
  const bench = new Bench({ egress: { delay: 1_000 } });
  bench.arrive(1);
  deepStrictEqual(bench.rx(50), [1]);
  equal(bench.tx(100, 5, 6), 2);
  deepStrictEqual(bench.left(), []);
  equal(bench.tx(1_100), 0);
  deepStrictEqual(bench.left(), [5, 6]);
});

Deno.test("faulty: answers in the received buffer pass the egress too, whichever way has faults", () => {
  for (const faults of [{ egress: { delay: 10 } }, { ingress: { delay: 10 } }]) {
    const bench = new Bench(faults, { canAnswer: false });
    bench.arrive(7);
    const arrived = [...bench.rx(0, true), ...bench.rx(10, true)];
    deepStrictEqual(arrived, [7]);
    bench.tx(10);
    deepStrictEqual(bench.left(), [7], `${Object.keys(faults)[0]}`);
  }
});

Deno.test("faulty: loss, duplication and order are those of the link's pipes", () => {
  const bench = new Bench({ ingress: { pulse: { threshold: 1, reset: 2 } }, egress: { duplicate: 1 } });
  bench.arrive(1, 2, 3, 4);
  deepStrictEqual(bench.rx(0), [1, 3]);
  bench.tx(0, 8, 9);
  deepStrictEqual(bench.left(), [8, 8, 9, 9]);
  equal(bench.nic.ingress.lost, 2);
  equal(bench.nic.egress.duplicated, 2);
});

Deno.test("faulty: one seed for both directions does not lose the same frames on both", () => {
  const { ingress, egress } = parseFaults("loss=50%,seed=7");
  const bench = new Bench({ ingress, egress });
  const numbers = Array.from({ length: 60 }, (_, index) => index);
  bench.arrive(...numbers);
  const received = bench.rx(0);
  bench.tx(0, ...numbers);
  const left = bench.left();
  ok(received.length > 15 && received.length < 45);
  ok(left.length > 15 && left.length < 45);
  ok(received.join() !== left.join());
});

Deno.test("faulty: a loss layer above is heeded as well", () => {
  for (const faults of [{ egress: { delay: 1 } }, { ingress: { delay: 1 } }]) {
    const bench = new Bench(faults);
    const loss = new Loss({ rate: 1, direction: "egress" });
    bench.arrive(1);
    const answering = loss.recv<Slot>((slot) => {
      slot.queue();
    });
    bench.nic.rx(64, answering);
    bench.inner.setTime(10);
    bench.nic.rx(64, answering);
    bench.nic.tx(64, { send: () => {} });
    deepStrictEqual(bench.left(), []);
    equal(loss.counters.egress, 1);
  }
});

Deno.test("faulty: name, information, counters and failure are the inner NIC's", () => {
  const bench = new Bench({ ingress: { loss: 1 } }, { capabilities: ALL_IGNORED, mtu: 9_000 });
  equal(bench.nic.name, bench.inner.name);
  equal(bench.nic.info, bench.inner.info);
  equal(bench.nic.counters, bench.inner.counters);
  equal(bench.nic.failure, undefined);
  bench.arrive(1);
  equal(bench.nic.rx(64, { receive: () => {} }), 1, "what came counts, so that the caller asks for more");
  equal(bench.nic.counters.received, 1);
});

Deno.test("faulty: no more is sent than there is room for, and the sender waits for it", async () => {
  const bench = new Bench({ egress: { delay: 1_000 }, frames: 2 });
  equal(bench.tx(0, 1, 2, 3), 2);
  let ready = false;
  // Its sender wants to be asked now, but nothing can leave before the first frame has.
  const waiting = bench.nic.ready(0).then(() => ready = true);
  await Promise.resolve();
  await Promise.resolve();
  equal(ready, false);
  bench.inner.wake();
  await waiting;
  equal(bench.tx(1_000, 3), 1);
  deepStrictEqual(bench.left(), [1, 2]);
});

Deno.test("faulty: a burst of more than there is room for goes on when it has left at once", async () => {
  const bench = new Bench({ egress: { mtu: 1_500 }, frames: 2 });
  equal(bench.tx(0, 1, 2, 3), 2);
  let ready = false;
  const waiting = bench.nic.ready(0).then(() => ready = true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  equal(ready, true, "what is left to be sent waits for ever");
  await waiting;
  equal(bench.tx(0, 3), 1);
  deepStrictEqual(bench.left(), [1, 2, 3]);
});

Deno.test("faulty: ready resolves when a pipe has something due", async () => {
  let now = 0;
  const [inner, peer] = link({ clock: () => now });
  const nic = faulty(inner, { ingress: { delay: 1_000 } });
  peer.tx(1, {
    send: (slot) => {
      slot.frame.resize(60);
      slot.queue();
    },
  });
  equal(nic.rx(64, { receive: () => {} }), 1);
  now = 1_000;
  await nic.ready(NEVER);
  let received = 0;
  nic.rx(64, { receive: () => received++ });
  equal(received, 1);
  nic.close();
  peer.close();
});

Deno.test("faulty: timers have their turn, though there is always something to send", async () => {
  const inner = new External({ clock: monotonic, onSend: () => {} });
  const nic = faulty(inner, { egress: { loss: 0.1 } });
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), 0);
  let cycles = 0;
  await poll(nic, {
    receive: { receive: () => {} },
    send: {
      send: (slot) => {
        slot.frame.resize(60);
        slot.queue();
      },
      deadline: () => 0,
    },
    signal: end.signal,
    cycle: () => {
      if (++cycles > 10_000) end.abort();
    },
  });
  clearTimeout(timer);
  nic.close();
  ok(cycles <= 10_000, "the timer did not run");
});

Deno.test("faulty: all buffers come back, whatever becomes of the frames", () => {
  const faults = { loss: 0.2, duplicate: 0.2, reorder: 0.2, corrupt: 0.2, delay: 100, jitter: 100 };
  const bench = new Bench({ ingress: faults, egress: faults, frames: 8 });
  for (let round = 0; round < 500; round++) {
    bench.arrive(1, 2, 3);
    bench.rx(round * 50, round % 2 === 0);
    bench.tx(round * 50, 4, 5);
    bench.left();
  }
  bench.rx(1e9);
  bench.tx(1e9);
  bench.left();
  equal(bench.tx(1e9, 1, 2, 3, 4, 5, 6, 7, 8), 8, "a buffer has leaked");
  bench.nic.close();
});

Deno.test("faulty: a buffer that was lent to a handler that throws comes back", () => {
  const bench = new Bench({ ingress: { mtu: 1_500 }, egress: { mtu: 1_500 }, frames: 2 });
  const fail = () => {
    throw new Error("thrown by the handler");
  };
  for (let round = 0; round < 3; round++) {
    bench.arrive(1);
    throws(() => bench.nic.rx(1, { receive: fail }), /thrown by the handler/);
    throws(() => bench.nic.tx(1, { send: fail }), /thrown by the handler/);
  }
  equal(bench.tx(0, 2, 3), 2, "a buffer has leaked");
  deepStrictEqual(bench.left(), [2, 3]);
});

Deno.test("faulty: values out of range are refused when it is made", () => {
  throws(() => faulty(new External(), { egress: { loss: 7 } }), {
    name: "RangeError",
    message: /^loss must be/,
  });
});

Deno.test("faulty: a fault hits one of the segments that the NIC has joined, not all of them", () => {
  const inner = new External({ capabilities: OFFLOADING, frameLength: 65_549 });
  inner.inject(segment({ data: 10_000, sequence: 1 }));
  const received: number[] = [];
  const receive = ({ frame, info }: Slot) => {
    equal(info.capabilities.segmentation, undefined, "an answer must be a single packet, too");
    equal(frame.segmentation, Segmentation.None);
    const { sequence, data } = readSegment(frame.bytes, frame.start, frame.end)!;
    equal(data.length, 1_000);
    ok(
      tcpWire.verifyChecksum(
        frame.bytes,
        frame.start + 34,
        frame.end,
        Address.parse(PEER),
        Address.parse(OWN),
      ),
    );
    received.push(sequence);
  };
  faulty(joining(inner, 1_000), { ingress: { loss: 0.5, seed: 3 } }).rx(64, { receive });
  ok(received.length > 1 && received.length < 10, `${received}`);
  ok(received.every((sequence) => sequence % 1_000 === 1), `${received}`);
});

Deno.test("faulty: towards faults the stack sends single packets, whole, whatever the NIC inside could do", () => {
  const inner = new External({ capabilities: OFFLOADING, frameLength: 65_549 });
  const nic = faulty(inner, { egress: { loss: 1 } });
  nic.tx(1, {
    send: ({ info }) => {
      deepStrictEqual(info.capabilities.tcp, { verify: true, fill: true });
      deepStrictEqual(info.capabilities.udp, { verify: true, fill: true });
      equal(info.capabilities.segmentation, undefined);
    },
  });
});

Deno.test("faulty: joined segments that are not what they say are dropped and counted", () => {
  const inner = new External({ capabilities: OFFLOADING, frameLength: 65_549 });
  inner.inject(new Uint8Array(5_000));
  const nic = faulty(joining(inner, 1_000), { ingress: { delay: 1 } });
  equal(nic.rx(64, { receive: () => fail("nothing can be made of it") }), 1);
  equal(nic.counters.badOffload, 1);
});

/** The NIC, saying of each frame that it has joined it from TCP segments of `size` bytes. */
function joining(inner: External, size: number): Nic {
  return new class extends NicWrapper {
    override rx(max: number, receiver: Receiver<Slot>): number {
      return super.rx(max, {
        receive: (slot) => {
          const { frame } = slot;
          frame.leaveChecksum(frame.start + 34, tcpWire.CHECKSUM);
          frame.segmentation = Segmentation.TcpV4;
          frame.segmentSize = size;
          receiver.receive(slot);
        },
      });
    }
  }(inner);
}
