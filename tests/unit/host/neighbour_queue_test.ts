import { deepEqual, equal } from "node:assert/strict";
import { NeighbourQueue } from "../../../stack/host/neighbour-queue.ts";
import { Frame } from "../../../stack/frame.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";

const station = (n: number) => new Mac().set(0x0200, n);

/** Puts a packet of one byte in line. */
function push(queue: NeighbourQueue, neighbour: number, content: number): boolean {
  return queue.push(neighbour, Uint8Array.of(0, content, 0), 1, 2, EtherType.Ipv4);
}

/** The contents of the packets that may leave, with their stations. */
function ready(queue: NeighbourQueue): string[] {
  const found: string[] = [];
  for (let packet = queue.takeReady(); packet !== undefined; packet = queue.takeReady()) {
    found.push(`${packet.bytes[packet.at]} ${packet.mac.lo}`);
  }
  return found;
}

Deno.test("neighbour queue: packets leave in their order when the neighbour has answered (RFC 4861 7.2.2)", () => {
  const queue = new NeighbourQueue(4, 8);
  for (const content of [1, 2, 3]) push(queue, 0, content);
  push(queue, 1, 9);
  equal(queue.hasNews, false);
  queue.resolve(0, station(7));
  equal(queue.hasNews, true);
  deepEqual(ready(queue), ["1 7", "2 7", "3 7"]);
  equal(queue.hasNews, false);
  queue.resolve(1, station(8));
  deepEqual(ready(queue), ["9 8"]);
});

Deno.test("neighbour queue: in a full line the latest takes the place of the oldest (RFC 4861 7.2.2)", () => {
  const queue = new NeighbourQueue(4, 100);
  for (let content = 1; content <= 70; content++) equal(push(queue, 2, content), true);
  queue.resolve(2, station(1));
  deepEqual(ready(queue), Array.from({ length: 64 }, (_, place) => `${place + 7} 1`));
  equal(queue.counters.overflowed, 6);
});

Deno.test("neighbour queue: where all places are taken, the latest takes that of the oldest of all", () => {
  const queue = new NeighbourQueue(100, 8);
  for (let neighbour = 0; neighbour < 12; neighbour++) equal(push(queue, neighbour, neighbour), true);
  equal(queue.counters.overflowed, 4);
  for (let neighbour = 0; neighbour < 12; neighbour++) queue.resolve(neighbour, station(1));
  deepEqual(ready(queue), [4, 5, 6, 7, 8, 9, 10, 11].map((content) => `${content} 1`));
});

Deno.test("neighbour queue: packets that may leave and have not yet are not pushed out", () => {
  const queue = new NeighbourQueue(2, 2);
  push(queue, 0, 1);
  push(queue, 0, 2);
  queue.resolve(0, station(1));
  equal(push(queue, 1, 3), false);
  deepEqual(ready(queue), ["1 1", "2 1"]);
  equal(push(queue, 1, 3), true);
});

Deno.test("neighbour queue: a packet waits that a jumbo frame carries, and none that is longer", () => {
  const queue = new NeighbourQueue(1, 8);
  equal(queue.takes(9_217), false);
  equal(queue.push(0, new Uint8Array(10_000), 0, 9_217, EtherType.Ipv4), false);
  const long = Uint8Array.from({ length: 9_216 }, (_, index) => index);
  equal(queue.push(0, long, 0, 9_216, EtherType.Ipv4), true);
  queue.resolve(0, station(1));
  const { bytes, at, end } = queue.takeReady()!;
  deepEqual(bytes.slice(at, end), long);
});

Deno.test("neighbour queue: what was given up can be fetched with its origin, and makes room when nobody does", () => {
  const queue = new NeighbourQueue(100, 64);
  const origin = { undelivered: () => {} };
  queue.push(0, Uint8Array.of(1), 0, 1, EtherType.Ipv4, origin);
  push(queue, 0, 2);
  queue.giveUp(0);
  equal(queue.hasNews, true);
  const lost = queue.takeLost()!;
  deepEqual([lost.bytes[lost.at], lost.origin], [1, origin]);
  equal(queue.counters.givenUp, 2);
  for (let neighbour = 1; neighbour < 65; neighbour++) equal(push(queue, neighbour, 3), true);
  equal(queue.takeLost(), undefined);
  queue.drop(9);
  equal(push(queue, 99, 3), true);
});

Deno.test("neighbour queue: a frame that waits itself is given back however its wait ends", () => {
  const queue = new NeighbourQueue(4, 2);
  const frames = Array.from(
    { length: 4 },
    () => Object.assign(new Frame(new Uint8Array(256)), { isTaken: true }),
  );
  for (const [neighbour, frame] of frames.entries()) queue.hold(neighbour, frame, EtherType.Ipv4);
  deepEqual(frames.map((frame) => frame.isTaken), [false, false, true, true]);
  queue.drop(2);
  queue.resolve(3, station(1));
  equal(queue.takeReady()?.held, frames[3], "which is the taker's now");
  deepEqual(frames.map((frame) => frame.isTaken), [false, false, false, true]);
  const next = Object.assign(new Frame(new Uint8Array(256)), { isTaken: true });
  queue.hold(1, next, EtherType.Ipv4);
  queue.giveUp(1);
  queue.takeLost()!.drop();
  equal(next.isTaken, false);
});
