import { deepEqual, equal, ok } from "node:assert/strict";
import { DeviceInfo, SlotPool } from "../../../nic/device.ts";
import { segmenting } from "../../../nic/segmenting.ts";
import { type Frame, Segmentation } from "../../../stack/frame.ts";
import type { TimedSender } from "../../../stack/handler.ts";
import { Loss } from "../../../stack/loss/endpoint.ts";
import { ALL_MANUAL, type Capabilities, OFFLOADING, type Slot } from "../../../stack/slot.ts";
import { NEVER } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import * as tcp from "../../../stack/wire/tcp.ts";
import { concat, data, OWN, PEER } from "../../support/frames.ts";
import { frameOf, tcpSuper } from "../../support/super-frames.ts";
import { readSegment, segment } from "../../support/tcp-frames.ts";

/** Sends these frames, one a call, and notes the slots that it was given. */
class Frames implements TimedSender<Slot> {
  readonly given: Slot[] = [];
  readonly #left: Frame[];

  constructor(...frames: Frame[]) {
    this.#left = frames;
  }

  send(slot: Slot): void {
    this.given.push(slot);
    const from = this.#left.shift();
    if (from === undefined) return;
    const { frame } = slot;
    ok(frame.resize(from.length));
    frame.bytes.set(from.bytes.subarray(from.start, from.end), frame.start);
    if (from.segmentation !== Segmentation.None) {
      frame.leaveChecksum(from.checksumAt - from.start + frame.start, from.checksumField);
      frame.segmentation = from.segmentation;
      frame.segmentSize = from.segmentSize;
    }
    slot.queue();
  }

  deadline(): number {
    return NEVER;
  }
}

/** A segment in a packet of its own. */
const plain = (length: number): Frame => frameOf(segment({ data: data(length) }));

function slotOf(capabilities: Capabilities, length = 1_514): Slot {
  return new SlotPool(1, length, new DeviceInfo(capabilities, 1_500)).take()!;
}

/** What leaves in slots of a NIC, until nothing more does. */
function packets(sender: TimedSender<Slot>, slot = slotOf(ALL_MANUAL)): Uint8Array[] {
  const sent: Uint8Array[] = [];
  for (;;) {
    slot.frame.resize(0);
    (slot as Slot & { reset(): void }).reset();
    sender.send(slot);
    if (!slot.queued) return sent;
    sent.push(slot.frame.bytes.slice(slot.frame.start, slot.frame.end));
  }
}

Deno.test("segmenting: many segments in one leave one by one from a NIC that cuts nothing, with whole checksums", () => {
  const tree = new Frames(plain(1_000), tcpSuper(20_000, 1_460));
  const [first, ...sent] = packets(segmenting(tree));
  equal(readSegment(first!)!.data.length, 1_000);
  deepEqual(concat(...sent.map((packet) => readSegment(packet)!.data)), data(20_000));
  equal(sent.length, 14);
  equal(tree.given.length, 3, "the tree is asked once for all of them, and then for more");
  const [from, to] = [Address.parse(PEER), Address.parse(OWN)];
  for (const packet of sent) ok(tcp.verifyChecksum(packet, 34, packet.length, from, to));
});

Deno.test("segmenting: while a frame is being cut the NIC asks on, and other frames leave as they are", () => {
  const sender = segmenting(new Frames(plain(1_000), tcpSuper(3_000, 1_000), plain(10)));
  sender.send(slotOf(ALL_MANUAL));
  equal(sender.deadline(), NEVER);
  sender.send(slotOf(ALL_MANUAL));
  equal(sender.deadline(), 0);
  deepEqual(packets(sender).map((packet) => readSegment(packet)!.data.length), [1_000, 1_000, 10]);
  equal(sender.deadline(), NEVER);
});

Deno.test("segmenting: what is short goes into the NIC's slot at once, and many segments only follow a full packet", () => {
  const lengths = [10, 1_000, 10, 10, 1_000, 1_000, 10];
  const tree = new Frames(...lengths.map(plain));
  const slot = slotOf(ALL_MANUAL);
  deepEqual(packets(segmenting(tree), slot).map((packet) => readSegment(packet)!.data.length), lengths);
  const mayBeMany = tree.given.map(({ info }) => info.capabilities.segmentation !== undefined);
  deepEqual(mayBeMany, [false, false, true, false, false, true, false, false]);
  ok(tree.given.every((given, index) => (given === slot) !== mayBeMany[index]));
});

Deno.test("segmenting: what a loss layer of the tree has lost does not leave", () => {
  const tree = new Frames(plain(1_000), plain(10), plain(20));
  const loss = new Loss({ pulse: { threshold: 1, reset: 2 } });
  const sender = segmenting(loss.send(tree));
  const sent = [packets(sender), packets(sender)].flat();
  deepEqual(sent.map((packet) => readSegment(packet)!.data.length), [1_000, 20]);
  equal(loss.counters.egress, 1);
});

Deno.test("segmenting: a NIC that cuts by itself gets what the tree makes", () => {
  const tree = new Frames(tcpSuper(20_000, 1_460));
  const slot = slotOf(OFFLOADING, 0xffff);
  const [packet] = packets(segmenting(tree), slot);
  equal(readSegment(packet!)!.data.length, 20_000);
  ok(tree.given.every((given) => given === slot), "there is no copy");
});
