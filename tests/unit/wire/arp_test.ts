import { deepEqual, equal } from "node:assert/strict";
import { Address } from "../../../stack/wire/address.ts";
import * as arp from "../../../stack/wire/arp.ts";
import { put16 } from "../../../stack/wire/bytes.ts";
import { WireError } from "../../../stack/wire/error.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { check, fc } from "../../support/property.ts";
import { ARP_REPLY, ARP_REQUEST } from "./frames.ts";

const PACKET = ARP_REQUEST.slice(14);

Deno.test("arp: a request says who asks for whom (RFC 826)", () => {
  equal(arp.check(PACKET, 0, PACKET.length), WireError.None);
  equal(arp.operation(PACKET, 0), arp.Operation.Request);
  equal(new Mac().read(PACKET, arp.SENDER_MAC).toString(), "02:00:00:00:00:02");
  equal(new Address().readV4(PACKET, arp.SENDER_ADDRESS).toString(), "10.0.0.2");
  equal(new Mac().read(PACKET, arp.TARGET_MAC).toString(), "00:00:00:00:00:00");
  equal(new Address().readV4(PACKET, arp.TARGET_ADDRESS).toString(), "10.0.0.1");
  equal(arp.senderAddress(PACKET, 0), 0x0a000002);
  equal(arp.targetAddress(PACKET, 0), 0x0a000001);
});

Deno.test("arp: emit writes the reply that Linux sent", () => {
  const bytes = new Uint8Array(42);
  const here = Mac.parse("02:00:00:00:00:01");
  arp.emit(bytes, 14, arp.Operation.Reply, here, 0x0a000001, Mac.parse("02:00:00:00:00:02"), 0x0a000002);
  deepEqual(bytes.slice(14), ARP_REPLY.slice(14));
});

Deno.test("arp: padding behind the packet is allowed, missing bytes are not", () => {
  const padded = new Uint8Array(46);
  padded.set(PACKET);
  equal(arp.check(padded, 0, 46), WireError.None);
  for (let end = 0; end < 28; end++) equal(arp.check(PACKET, 0, end), WireError.Truncated, `${end} bytes`);
});

Deno.test("arp: other hardware, protocols and operations are not for us (RFC 826 'Packet Reception')", () => {
  for (const [offset, value] of [[0, 6], [2, 0x86dd], [6, 0], [6, 3], [6, 0x0100]] as const) {
    const bytes = PACKET.slice();
    put16(bytes, offset, value);
    equal(arp.check(bytes, 0, 28), WireError.Unrecognized, `${value} at ${offset}`);
  }
});

Deno.test("arp: Ethernet and IPv4 with other address lengths contradict themselves", () => {
  for (const [offset, value] of [[4, 8], [5, 16], [4, 0]] as const) {
    const bytes = PACKET.slice();
    bytes[offset] = value;
    equal(arp.check(bytes, 0, 28), WireError.Malformed, `${value} at ${offset}`);
  }
});

Deno.test("arp: a request becomes a reply in place", () => {
  const bytes = PACKET.slice();
  arp.setOperation(bytes, 0, arp.Operation.Reply);
  equal(arp.operation(bytes, 0), arp.Operation.Reply);
  equal(arp.check(bytes, 0, 28), WireError.None);
});

Deno.test("arp: what is emitted is well-formed and read back", () => {
  const half = fc.nat(0xffff);
  const word = fc.integer();
  check(
    fc.property(
      half,
      word,
      word,
      half,
      word,
      word,
      fc.boolean(),
      (sh, sl, sender, th, tl, target, request) => {
        const bytes = new Uint8Array(30).fill(0xee);
        const operation = request ? arp.Operation.Request : arp.Operation.Reply;
        const senderMac = new Mac().set(sh, sl);
        const targetMac = new Mac().set(th, tl);
        arp.emit(bytes, 1, operation, senderMac, sender, targetMac, target);
        equal(arp.check(bytes, 1, 29), WireError.None);
        equal(arp.operation(bytes, 1), operation);
        equal(new Mac().read(bytes, 1 + arp.SENDER_MAC).equals(senderMac), true);
        equal(new Mac().read(bytes, 1 + arp.TARGET_MAC).equals(targetMac), true);
        equal(arp.senderAddress(bytes, 1), sender);
        equal(arp.targetAddress(bytes, 1), target);
        deepEqual([bytes[0], bytes[29]], [0xee, 0xee]);
      },
    ),
  );
});
