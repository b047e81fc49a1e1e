import { deepEqual, equal } from "node:assert/strict";
import { WireError } from "../../../stack/wire/error.ts";
import * as ethernet from "../../../stack/wire/ethernet.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { check, fc } from "../../support/property.ts";
import { ARP_REQUEST, ECHO_REQUEST } from "./frames.ts";

Deno.test("ethernet: a header is destination, source and type (RFC 894)", () => {
  equal(ethernet.check(ECHO_REQUEST, 0, ECHO_REQUEST.length), WireError.None);
  equal(new Mac().read(ECHO_REQUEST, ethernet.DESTINATION).toString(), "02:00:00:00:00:01");
  equal(new Mac().read(ECHO_REQUEST, ethernet.SOURCE).toString(), "02:00:00:00:00:02");
  equal(ethernet.etherType(ECHO_REQUEST, 0), ethernet.EtherType.Ipv4);
});

Deno.test("ethernet: emit writes what Linux sent", () => {
  const bytes = new Uint8Array(14);
  ethernet.emit(bytes, 0, Mac.broadcast(), Mac.parse("02:00:00:00:00:02"), ethernet.EtherType.Arp);
  deepEqual(bytes, ARP_REQUEST.slice(0, 14));
});

Deno.test("ethernet: fewer than 14 bytes are no header", () => {
  equal(ethernet.check(ECHO_REQUEST, 0, 13), WireError.Truncated);
  equal(ethernet.check(ECHO_REQUEST, 0, 14), WireError.None);
  equal(ethernet.check(ECHO_REQUEST, 5, 5), WireError.Truncated);
});

Deno.test("ethernet: what is emitted is read back, at any offset, and nothing beside it changes", () => {
  const half = fc.nat(0xffff);
  check(fc.property(half, fc.integer(), half, fc.integer(), half, fc.nat(7), (dh, dl, sh, sl, type, at) => {
    const bytes = new Uint8Array(24).fill(0xee);
    const destination = new Mac().set(dh, dl);
    const source = new Mac().set(sh, sl);
    ethernet.emit(bytes, at + 1, destination, source, type);
    equal(new Mac().read(bytes, at + 1 + ethernet.DESTINATION).equals(destination), true);
    equal(new Mac().read(bytes, at + 1 + ethernet.SOURCE).equals(source), true);
    equal(ethernet.etherType(bytes, at + 1), type);
    equal(bytes[at], 0xee);
    equal(bytes[at + 15], 0xee);
    ethernet.setEtherType(bytes, at + 1, 0x86dd);
    equal(ethernet.etherType(bytes, at + 1), 0x86dd);
  }));
});

Deno.test("ethernet: types have names; below 0x0600 the field is a length (RFC 1122 2.3.3)", () => {
  equal(ethernet.etherTypeName(ethernet.EtherType.Ipv6), "IPv6");
  equal(ethernet.etherTypeName(0x88cc), "0x88cc");
  equal(ethernet.etherTypeName(0x0600), "0x0600");
  equal(ethernet.etherTypeName(38), "802.3 length 38");
});
