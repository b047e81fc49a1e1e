/**
 * The proof that the packet path allocates nothing: V8's own count of all bytes ever allocated, which no garbage
 * collection lowers, before and after a million packets.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { getHeapStatistics } from "node:v8";
import { DeviceInfo, type DeviceSlot, SlotPool } from "../../nic/device.ts";
import { Eth } from "../../stack/eth/endpoint.ts";
import type { Receive, Receiver } from "../../stack/handler.ts";
import { Icmp } from "../../stack/icmp/endpoint.ts";
import { Ip } from "../../stack/ip/endpoint.ts";
import type { IpIn } from "../../stack/ip/packet.ts";
import { ALL_MANUAL, type Slot } from "../../stack/slot.ts";
import { seconds } from "../../stack/store/time.ts";
import { Address } from "../../stack/wire/address.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { arpFrame, data, echoRequest, OWN, OWN_MAC, PEER, PEER_MAC } from "../support/frames.ts";

const PACKETS = 1_000_000;

/** Packets until the code is compiled for good: the compiler's own objects are on the same heap. */
const WARM_UP = 300_000;

/** Half a byte a packet. The count moves in steps of the areas that V8 fills, 256 KiB; an object has 12 bytes at least. */
const ALLOWED = PACKETS;

/** A day after the machine's start: a time that takes more than 32 bits, as on a real clock. */
const START = seconds(86_400);

/** Bytes ever allocated on the heap. Deno's types do not have the field yet. */
function allocated(): number {
  const statistics: object = getHeapStatistics();
  const bytes: unknown = Reflect.get(statistics, "total_allocated_bytes");
  ok(typeof bytes === "number", "this Deno has no count of allocated bytes: use 2.9 or later");
  return bytes;
}

/** A host's tree, and the one buffer that every frame arrives in and is answered in. */
class Bench {
  readonly icmp = new Icmp();
  readonly info = new DeviceInfo(ALL_MANUAL, 1_500);
  readonly #slot: DeviceSlot;
  readonly #receiver: Receiver<Slot>;

  constructor(handler: (icmp: Icmp) => Receive<IpIn>) {
    const eth = new Eth({ mac: OWN_MAC });
    const ip = new Ip({ addresses: [`${OWN}/24`] });
    ip.neighbours.learn(Address.parse(PEER), Mac.parse(PEER_MAC), START, true);
    this.#slot = new SlotPool(1, 1_600, this.info).take()!;
    this.#receiver = eth.recv(ip.recv(handler(this.icmp)));
  }

  /** Lets the frame arrive `count` times, a microsecond apart, and answers how often it was answered. */
  run(frame: Uint8Array, count: number): number {
    const slot = this.#slot;
    const { bytes } = slot.frame;
    let answered = 0;
    for (let packet = 0; packet < count; packet++) {
      slot.frame.resize(frame.length);
      for (let at = slot.frame.start, from = 0; from < frame.length; at++, from++) bytes[at] = frame[from]!;
      slot.reset();
      this.info.timestamp = START + (packet & 0xffff);
      this.#receiver.receive(slot);
      if (slot.leaves) answered++;
    }
    return answered;
  }
}

/** The engine compiles in its own time, and later on a busy machine: so many rounds it has until nothing is left to do. */
const ROUNDS = 10;

/** Bytes allocated for a million packets once everything is warm: the least of some rounds, until it is `allowed`. */
function cost(bench: Bench, frame: Uint8Array, allowed: number = ALLOWED): number {
  bench.run(frame, WARM_UP);
  let least = Infinity;
  for (let round = 0; round < ROUNDS && least >= allowed; round++) {
    const before = allocated();
    bench.run(frame, PACKETS);
    least = Math.min(least, allocated() - before);
  }
  return least;
}

Deno.test("allocation: a million echo requests are answered without an allocation", () => {
  const bench = new Bench((icmp) => icmp.answer());
  const request = echoRequest({ data: data(56) });
  const bytes = cost(bench, request);
  ok(bytes < ALLOWED, `${bytes} bytes for ${PACKETS} packets`);
  equal(bench.run(request, 1_000), 1_000, "and they were answered");
  equal(bench.icmp.counters.answered, bench.icmp.counters.received);
});

Deno.test("allocation: nor do requests with options and dropped packets cost one", () => {
  const frames = {
    "with options": echoRequest({ data: data(56), ip: { options: [7, 7, 4, 0, 0, 0, 0, 0] } }),
    "with a wrong checksum": echoRequest({ ip: { checksumError: 1 } }),
    "for another host": echoRequest({ ip: { destination: "10.0.0.9" } }),
    truncated: echoRequest().slice(0, 30),
  };
  for (const [name, frame] of Object.entries(frames)) {
    const bytes = cost(new Bench((icmp) => icmp.answer()), frame);
    ok(bytes < ALLOWED, `${name}: ${bytes} bytes for ${PACKETS} packets`);
  }
});

Deno.test("allocation: what the neighbour cache is asked costs the time of asking, a number of 16 bytes, and no more", () => {
  const frames = {
    "an ARP packet": arpFrame(),
    "an echo request of an unknown neighbour": echoRequest({ ip: { source: "10.0.0.9" } }),
  };
  for (const [name, frame] of Object.entries(frames)) {
    const allowed = 16 * PACKETS + ALLOWED;
    const bytes = cost(new Bench((icmp) => icmp.answer()), frame, allowed);
    ok(bytes < allowed, `${name}: ${bytes} bytes for ${PACKETS} packets`);
  }
});

Deno.test("allocation: the proof works: one small object a packet is found out", () => {
  let kept: unknown;
  const bench = new Bench((icmp) => {
    const answer = icmp.answer();
    return (packet) => {
      kept = { packet };
      answer.receive(packet);
    };
  });
  const bytes = cost(bench, echoRequest({ data: data(56) }), Infinity);
  ok(bytes > 12 * PACKETS, `only ${bytes} bytes were seen`);
  ok(kept !== undefined);
});
