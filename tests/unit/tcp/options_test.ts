import assert from "node:assert/strict";
import { SegmentOptions } from "../../../stack/tcp/options.ts";
import * as wire from "../../../stack/wire/tcp-options.ts";
import { check, fc } from "../../support/property.ts";

/** A segment that is nothing but a header with these options, which are padded. */
function segment(...options: number[]): Uint8Array {
  const length = 20 + Math.ceil(options.length / 4) * 4;
  const bytes = new Uint8Array(length);
  bytes[12] = length / 4 << 4;
  bytes.set(options, 20);
  return bytes;
}

function read(bytes: Uint8Array, isSyn: boolean): SegmentOptions {
  const options = new SegmentOptions();
  options.read(bytes, 0, isSyn);
  return options;
}

const MSS = [2, 4, 0x05, 0xb4], SCALE = [3, 3, 7], SACK_OK = [4, 2];
const TIMES = [8, 10, 0x80, 0, 0, 1, 0xff, 0xff, 0xff, 0xff];

Deno.test("options: a SYN's are all read, wherever they stand", () => {
  const options = read(segment(...SACK_OK, ...TIMES, 1, ...SCALE, ...MSS), true);
  assert.equal(options.mss, 1_460);
  assert.equal(options.windowScale, 7);
  assert.ok(options.sackPermitted && options.hasTimestamp);
  assert.equal(options.tsValue, 0x80000001 | 0);
  assert.equal(options.tsEcho, -1);
});

Deno.test("options: what belongs to a SYN is ignored elsewhere (RFC 7323 2.2, RFC 2018 2)", () => {
  const options = read(segment(...SACK_OK, ...TIMES, 1, ...SCALE, ...MSS), false);
  assert.equal(options.mss, 0);
  assert.equal(options.windowScale, -1);
  assert.equal(options.sackPermitted, false);
  assert.ok(options.hasTimestamp);
});

Deno.test("options: none leave nothing of the segment before", () => {
  const options = read(segment(...SACK_OK, ...TIMES, 1, ...SCALE, ...MSS), true);
  options.read(segment(5, 10, 0, 0, 0, 1, 0, 0, 0, 2), 0, false);
  assert.equal(options.sackBlocks, 1);
  options.read(segment(), 0, true);
  assert.deepEqual(options, new SegmentOptions());
});

Deno.test("options: a window scale above 14 counts as 14 (RFC 7323 2.3)", () => {
  assert.equal(read(segment(3, 3, 15), true).windowScale, 14);
  assert.equal(read(segment(3, 3, 255), true).windowScale, 14);
  assert.equal(read(segment(3, 3, 14), true).windowScale, 14);
  assert.equal(read(segment(3, 3, 0), true).windowScale, 0);
});

Deno.test("options: SACK blocks are found beside timestamps", () => {
  const blocks = [5, 18, 0, 0, 0, 10, 0, 0, 0, 20, 0xff, 0, 0, 0, 0xff, 0, 0, 9];
  const bytes = segment(1, 1, ...TIMES, 1, 1, ...blocks);
  const options = read(bytes, false);
  assert.equal(options.sackBlocks, 2);
  assert.equal(wire.sackLeft(bytes, options.sackAt, 0), 10);
  assert.equal(wire.sackRight(bytes, options.sackAt, 1), 0xff000009 | 0);
});

Deno.test("options: garbage is never more than absent (RFC 9293 3.1)", () => {
  const garbage = fc.uint8Array({ minLength: 0, maxLength: 40 });
  check(
    fc.property(garbage, fc.boolean(), (list, isSyn) => {
      const options = read(segment(...list), isSyn);
      assert.ok(options.mss >= 0 && options.mss <= 0xffff);
      assert.ok(options.windowScale >= -1 && options.windowScale <= 14);
      assert.ok(options.sackBlocks >= 0 && options.sackBlocks <= 4);
      assert.equal(options.sackAt >= 0, options.sackBlocks > 0);
      if (options.sackAt >= 0) assert.ok(options.sackAt + 2 + 8 * options.sackBlocks <= 60);
    }),
    { runs: 2_000 },
  );
});

Deno.test("options: SACK is found or not as in a look through the whole list, also where timestamps fill it", () => {
  const item = fc.constantFrom([1], SACK_OK, TIMES, SCALE, [5, 10, 0, 0, 0, 1, 0, 0, 0, 2], [0]);
  check(fc.property(fc.array(item, { maxLength: 4 }), (items) => {
    const bytes = segment(...items.flat());
    if (bytes.length > 60) return;
    assert.equal(read(bytes, false).sackAt, wire.findSack(bytes, 0));
  }));
});
