import { equal } from "node:assert/strict";
import { Checksum } from "../../stack/frame.ts";
import { completeChecksum, wholeChecksum } from "../../stack/offload.ts";
import { get16, put16 } from "../../stack/wire/bytes.ts";
import { tcpSuper, udpSuper } from "../support/super-frames.ts";

Deno.test("offload: a checksum that computes to 0 is 0 in TCP, and all ones in UDP (RFC 1624 3, RFC 768 'Fields')", () => {
  for (const [make, zero] of [[tcpSuper, 0], [udpSuper, 0xffff]] as const) {
    const frame = make(2, 1_460);
    const { bytes, end } = frame;
    put16(bytes, end - 2, 0);
    // What the checksum is without this data is what makes it 0 with it.
    put16(bytes, end - 2, wholeChecksum(frame));
    equal(wholeChecksum(frame), zero);
    completeChecksum(frame);
    equal(get16(bytes, frame.checksumAt + frame.checksumField), zero);
    equal(frame.checksum, Checksum.Unverified);
  }
});
