import { deepEqual, equal } from "node:assert/strict";
import { NeighbourQueue } from "../../../stack/host/neighbour-queue.ts";
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
    found.push(`${packet.bytes[0]} ${packet.mac.lo}`);
  }
  return found;
}

Deno.test("neighbour queue: packets leave in their order when the neighbour has answered (RFC 4861 7.2.2)", () => {
  const queue = new NeighbourQueue(4);
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
  const queue = new NeighbourQueue(4);
  for (let content = 1; content <= 20; content++) equal(push(queue, 2, content), true);
  queue.resolve(2, station(1));
  deepEqual(ready(queue), [13, 14, 15, 16, 17, 18, 19, 20].map((content) => `${content} 1`));
  equal(queue.counters.overflowed, 12);
});

Deno.test("neighbour queue: where all places are taken, no line is begun, but those there are go on", () => {
  const queue = new NeighbourQueue(100);
  for (let neighbour = 0; neighbour < 64; neighbour++) equal(push(queue, neighbour, 1), true);
  equal(queue.takes(70, 1), false);
  equal(push(queue, 70, 1), false);
  equal(queue.takes(5, 1), true);
  equal(push(queue, 5, 2), true);
  queue.resolve(5, station(5));
  deepEqual(ready(queue), ["2 5"]);
  equal(push(queue, 70, 1), true, "what has left makes room");
});

Deno.test("neighbour queue: a packet over 2,048 bytes does not wait", () => {
  const queue = new NeighbourQueue(1);
  equal(queue.takes(0, 2_049), false);
  equal(queue.push(0, new Uint8Array(3_000), 0, 2_049, EtherType.Ipv4), false);
  equal(queue.push(0, new Uint8Array(3_000), 0, 2_048, EtherType.Ipv4), true);
});

Deno.test("neighbour queue: what was given up can be fetched, and makes room when nobody does", () => {
  const queue = new NeighbourQueue(100);
  push(queue, 0, 1);
  push(queue, 0, 2);
  queue.giveUp(0);
  equal(queue.hasNews, true);
  equal(queue.takeLost()?.bytes[0], 1);
  equal(queue.counters.givenUp, 2);
  for (let neighbour = 1; neighbour < 65; neighbour++) equal(push(queue, neighbour, 3), true);
  equal(queue.takeLost(), undefined);
  queue.drop(9);
  equal(push(queue, 99, 3), true);
});
