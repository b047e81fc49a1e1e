import { deepEqual, equal } from "node:assert/strict";
import { WireError } from "../../../stack/wire/error.ts";
import * as tcp from "../../../stack/wire/tcp.ts";
import * as options from "../../../stack/wire/tcp-options.ts";
import { check, fc } from "../../support/property.ts";
import { hex, SYN, SYN_ACK_V6, TCP_DATA } from "./frames.ts";

/** A header with these options, filled up with zeros to a multiple of 4. */
function withOptions(text: string): Uint8Array {
  const list = hex(text);
  const header = 20 + Math.ceil(list.length / 4) * 4;
  const bytes = new Uint8Array(header);
  tcp.emit(bytes, 0, 1, 2, 3, 4, header, tcp.Flag.Ack, 5);
  bytes.set(list, 20);
  return bytes;
}

Deno.test("tcp options: those of a Linux SYN (RFC 9293 3.7.1, RFC 7323 2, RFC 2018 2)", () => {
  equal(options.checkOptions(SYN, 34), WireError.None);
  equal(options.maximumSegmentSize(SYN, 34), 1460);
  equal(options.windowScale(SYN, 34), 10);
  equal(options.sackPermitted(SYN, 34), true);
  const timestamps = options.findTimestamps(SYN, 34);
  equal(options.timestampValue(SYN, timestamps) >>> 0, 1_153_569_601);
  equal(options.timestampEcho(SYN, timestamps), 0);
  equal(options.findSack(SYN, 34), -1);
});

Deno.test("tcp options: those of a SYN ACK over IPv6", () => {
  equal(options.maximumSegmentSize(SYN_ACK_V6, 54), 1440);
  const timestamps = options.findTimestamps(SYN_ACK_V6, 54);
  equal(options.timestampValue(SYN_ACK_V6, timestamps) >>> 0, 4_151_705_259);
  equal(options.timestampEcho(SYN_ACK_V6, timestamps) >>> 0, 2_299_087_296);
});

Deno.test("tcp options: timestamps in the aligned layout are found at once (RFC 7323 Appendix A)", () => {
  equal(options.findTimestamps(TCP_DATA, 34), 34 + 22);
  equal(options.maximumSegmentSize(TCP_DATA, 34), -1);
  equal(options.windowScale(TCP_DATA, 34), -1);
  equal(options.sackPermitted(TCP_DATA, 34), false);
});

Deno.test("tcp options: a header without options has none, whatever data follows it", () => {
  const bytes = new Uint8Array(40);
  tcp.emit(bytes, 0, 1, 2, 3, 4, 20, tcp.Flag.Ack, 5);
  options.putTimestamps(bytes, 20, 1, 2);
  equal(options.findTimestamps(bytes, 0), -1);
  tcp.setHeaderLength(bytes, 0, 28);
  equal(options.findTimestamps(bytes, 0), -1, "an option that runs over the header's end");
});

Deno.test("tcp options: unknown kinds are skipped by their length (RFC 9293 MUST-6)", () => {
  const bytes = withOptions("fd04abcd 1e03ff 01 02040218 00");
  equal(options.checkOptions(bytes, 0), WireError.None);
  equal(options.maximumSegmentSize(bytes, 0), 536);
  equal(options.findOption(bytes, 0, options.Kind.Multipath), 24);
});

Deno.test("tcp options: a kind with another length than its own counts as absent", () => {
  equal(options.maximumSegmentSize(withOptions("0203ff"), 0), -1);
  equal(options.windowScale(withOptions("03040707"), 0), -1);
  equal(options.sackPermitted(withOptions("0403ff"), 0), false);
  equal(options.findTimestamps(withOptions("080600000001"), 0), -1);
  equal(options.findSack(withOptions("0502"), 0), -1, "no block");
  equal(options.findSack(withOptions("0506 00000001"), 0), -1, "half a block");
  equal(options.findSack(withOptions("050e 000000010000000200000003"), 0), -1, "one block and a half");
});

Deno.test("tcp options: a malformed option ends the walk, but not what came before (RFC 9293 MUST-7)", () => {
  for (const text of ["020405b4 0500 0402", "020405b4 0501 0402", "020405b4 05ff 0402"]) {
    const bytes = withOptions(text);
    equal(options.checkOptions(bytes, 0), WireError.Malformed);
    equal(options.maximumSegmentSize(bytes, 0), 1460);
    equal(options.sackPermitted(bytes, 0), false);
  }
});

Deno.test("tcp options: a SACK option names the blocks that arrived (RFC 2018 3)", () => {
  const bytes = withOptions("0101 0512 00001388 00001770 ffffff00 00000010");
  const sack = options.findSack(bytes, 0);
  equal(sack, 22);
  equal(options.sackBlocks(bytes, sack), 2);
  deepEqual([options.sackLeft(bytes, sack, 0), options.sackRight(bytes, sack, 0)], [5000, 6000]);
  deepEqual([options.sackLeft(bytes, sack, 1), options.sackRight(bytes, sack, 1)], [-256, 16]);
});

Deno.test("tcp options: those of a SYN are written to 20 bytes and read back", () => {
  const bytes = withOptions("00".repeat(40));
  let at = options.putMss(bytes, 20, 1460);
  at = options.putSackPermitted(bytes, at);
  at = options.putTimestamps(bytes, at, -1, 7);
  at = options.putWindowScale(bytes, at, 14);
  equal(
    at,
    20 + options.MSS_LENGTH + options.SACK_PERMITTED_LENGTH + options.TIMESTAMPS_LENGTH +
      options.WINDOW_SCALE_LENGTH,
  );
  equal(bytes.slice(20, at).toHex(), "020405b4" + "01010402" + "0101080affffffff00000007" + "0103030e");
  equal(options.checkOptions(bytes, 0), WireError.None);
  equal(options.maximumSegmentSize(bytes, 0), 1460);
  equal(options.sackPermitted(bytes, 0), true);
  equal(options.timestampValue(bytes, options.findTimestamps(bytes, 0)), -1);
  equal(options.timestampEcho(bytes, options.findTimestamps(bytes, 0)), 7);
  equal(options.windowScale(bytes, 0), 14);
});

Deno.test("tcp options: timestamps and three SACK blocks fill the longest header (RFC 2018 3)", () => {
  equal(
    20 + options.TIMESTAMPS_LENGTH + options.SACK_LENGTH + 3 * options.SACK_BLOCK_LENGTH,
    tcp.HEADER_LENGTH_MAX,
  );
  equal(
    20 + options.SACK_LENGTH + options.SACK_BLOCKS_MAX * options.SACK_BLOCK_LENGTH <= tcp.HEADER_LENGTH_MAX,
    true,
  );
});

Deno.test("tcp options: timestamps and SACK blocks that are written are read back", () => {
  const word = fc.integer();
  const blocks = fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 3 });
  check(fc.property(word, word, blocks, (value, echo, blocks) => {
    const bytes = withOptions("00".repeat(40));
    let at = options.putTimestamps(bytes, 20, value, echo);
    at = options.putSack(bytes, at, blocks.length);
    for (const [left, right] of blocks) at = options.putSackBlock(bytes, at, left, right);
    tcp.setHeaderLength(bytes, 0, at);
    equal(options.checkOptions(bytes, 0), WireError.None);
    const timestamps = options.findTimestamps(bytes, 0);
    deepEqual([options.timestampValue(bytes, timestamps), options.timestampEcho(bytes, timestamps)], [
      value,
      echo,
    ]);
    const sack = options.findSack(bytes, 0);
    const read = Array.from(
      { length: options.sackBlocks(bytes, sack) },
      (_, block) => [options.sackLeft(bytes, sack, block), options.sackRight(bytes, sack, block)],
    );
    deepEqual(read, blocks);
  }));
});

Deno.test("tcp options: any bytes are walked without throwing, and what is found lies inside the header", () => {
  const list = fc.array(fc.oneof(fc.nat(12), fc.nat(255)), { minLength: 40, maxLength: 40 });
  check(
    fc.property(list, fc.integer({ min: 20, max: 60 }), (list, header) => {
      const bytes = withOptions(Uint8Array.from(list).toHex());
      tcp.setHeaderLength(bytes, 0, header & ~3);
      const end = options.optionsEnd(bytes, 0);
      const timestamps = options.findTimestamps(bytes, 0);
      if (timestamps >= 0) equal(timestamps + 10 <= end, true);
      const sack = options.findSack(bytes, 0);
      if (sack >= 0) equal(sack + 2 + 8 * options.sackBlocks(bytes, sack) <= end, true);
      equal(options.maximumSegmentSize(bytes, 0) <= 0xffff, true);
      equal(options.windowScale(bytes, 0) <= 0xff, true);
    }),
    { runs: 1000 },
  );
});
