import { deepEqual, equal } from "node:assert/strict";
import * as dhcp from "../../../stack/wire/dhcpv4.ts";
import { WireError } from "../../../stack/wire/error.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { check, fc } from "../../support/property.ts";

const MAC = Mac.parse("02:00:00:00:00:01");
const SNAME = 44, FILE = 108;

/** A message with these bytes as its options, and in the fields that options may overflow to. */
function message(
  options: readonly number[],
  file: readonly number[] = [],
  sname: readonly number[] = [],
): Uint8Array {
  const bytes = new Uint8Array(dhcp.HEADER_LENGTH + options.length);
  dhcp.emit(bytes, 0, dhcp.Op.Reply, 0x12345678, 7, true, MAC);
  bytes.set(options, dhcp.HEADER_LENGTH);
  bytes.set(file, FILE);
  bytes.set(sname, SNAME);
  return bytes;
}

/** The value of an option; undefined: there is none. */
function option(bytes: Uint8Array, code: number, room = 600): number[] | undefined {
  const into = new Uint8Array(room);
  const length = dhcp.readOption(bytes, 0, bytes.length, code, into);
  return length < 0 ? undefined : [...into.subarray(0, length)];
}

const verdict = (bytes: Uint8Array) => dhcp.check(bytes, 0, bytes.length);

Deno.test("dhcpv4: the fixed part has its fields where RFC 2131 figure 1 has them", () => {
  const bytes = message([255]);
  equal(verdict(bytes), WireError.None);
  equal(dhcp.op(bytes, 0), dhcp.Op.Reply);
  equal(dhcp.xid(bytes, 0), 0x12345678);
  equal(dhcp.secs(bytes, 0), 7);
  equal(dhcp.hops(bytes, 0), 0);
  equal(dhcp.isBroadcast(bytes, 0), true);
  equal(bytes.slice(0, 12).toHex(), "020106001234567800078000");
  equal(bytes.slice(28, 44).toHex(), "02000000000100000000000000000000");
  equal(bytes.slice(236, 240).toHex(), "63825363");
});

Deno.test("dhcpv4: options are found behind pads and others, and not behind the end (RFC 2132 2)", () => {
  const bytes = message([0, 0, 12, 2, 104, 105, 53, 1, 5, 255, 15, 1, 97]);
  deepEqual(option(bytes, dhcp.Option.MessageType), [5]);
  deepEqual(option(bytes, dhcp.Option.HostName), [104, 105]);
  equal(option(bytes, dhcp.Option.DomainName), undefined);
  equal(option(bytes, dhcp.Option.Pad), undefined);
  deepEqual(option(bytes, dhcp.Option.HostName, 1), [104], "no more than there is room for");
});

Deno.test("dhcpv4: options go on in the file field and then in sname, if Overload says so (RFC 2132 9.3)", () => {
  const file = [12, 1, 2, 255, 9], sname = [12, 1, 3, 255];
  const options = (overload: number) => [12, 1, 1, 52, 1, overload, 255];
  deepEqual(option(message(options(0), file, sname), 12), [1]);
  deepEqual(option(message(options(1), file, sname), 12), [1, 2]);
  deepEqual(option(message(options(2), file, sname), 12), [1, 3]);
  deepEqual(option(message(options(3), file, sname), 12), [1, 2, 3], "in the order of RFC 3396 5");
  equal(verdict(message(options(1), [12, 200, 1])), WireError.Malformed);
  equal(verdict(message(options(2), [12, 200, 1])), WireError.None, "nobody reads it as options");
  equal(verdict(message(options(2), [], [12, 200, 1])), WireError.Malformed);
});

Deno.test("dhcpv4: the parts of a long option are put together (RFC 3396 5)", () => {
  check(fc.property(fc.uint8Array({ maxLength: 700 }), (value) => {
    const bytes = new Uint8Array(1_200);
    dhcp.emit(bytes, 0, dhcp.Op.Request, 1, 0, false, MAC);
    const next = dhcp.putOption(bytes, dhcp.HEADER_LENGTH, dhcp.Option.DomainSearch, value);
    const end = dhcp.putEnd(bytes, 0, next);
    equal(dhcp.check(bytes, 0, end), WireError.None);
    const into = new Uint8Array(700);
    const length = dhcp.readOption(bytes, 0, end, dhcp.Option.DomainSearch, into);
    deepEqual(into.subarray(0, length), value);
  }));
});

Deno.test("dhcpv4: what is too short, without the cookie, for other hardware or runs over its end is refused", () => {
  equal(verdict(message([]).subarray(0, 239)), WireError.Truncated);
  equal(verdict(message([])), WireError.None, "some servers forget the end");
  const changed = (at: number, value: number) => {
    const bytes = message([255]);
    bytes[at] = value;
    return verdict(bytes);
  };
  equal(changed(236, 0), WireError.Unrecognized);
  equal(changed(1, 6), WireError.Unrecognized);
  equal(changed(2, 16), WireError.Malformed);
  equal(verdict(message([53])), WireError.Malformed);
  equal(verdict(message([53, 2, 1])), WireError.Malformed);
});

Deno.test("dhcpv4: a message is padded to 300 bytes, which relays of BOOTP want (RFC 1542 2.1)", () => {
  const bytes = new Uint8Array(600).fill(0xee);
  const first = dhcp.emit(bytes, 0, dhcp.Op.Request, 1, 0, false, MAC);
  equal(dhcp.putEnd(bytes, 0, dhcp.put8Option(bytes, first, 53, 1)), 300);
  equal(bytes.slice(240, 300).toHex(), `350101ff${"00".repeat(56)}`);
  equal(dhcp.putEnd(bytes, 0, 400), 401);
});
