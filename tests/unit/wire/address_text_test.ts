import { equal, ok, throws } from "node:assert/strict";
import { Address } from "../../../stack/wire/address.ts";
import { check, fc } from "../../support/property.ts";

function prints(text: string, expected: string): void {
  equal(Address.parse(text).toString(), expected);
}

function fails(text: string, message: RegExp): void {
  throws(() => Address.parse(text), message);
  equal(Address.tryParse(text), undefined);
}

Deno.test("address text: the three forms of IPv6 are read (RFC 4291 2.2)", () => {
  prints("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a");
  prints("FF01:0:0:0:0:0:0:101", "ff01::101");
  prints("0:0:0:0:0:0:0:1", "::1");
  prints("0:0:0:0:0:0:13.1.68.3", "::d01:4403");
  prints("64:ff9b::192.0.2.33", "64:ff9b::c000:221");
});

Deno.test("address text: the gap can be in front, inside or behind (RFC 4291 2.2)", () => {
  prints("::", "::");
  prints("1::", "1::");
  prints("::1", "::1");
  prints("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0");
  prints("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8");
  prints("1::8", "1::8");
});

Deno.test("address text: leading zeros are left out and letters are small (RFC 5952 4.1, 4.3)", () => {
  prints("2001:0DB8::0001", "2001:db8::1");
});

Deno.test("address text: one zero group alone is not shortened (RFC 5952 4.2.2)", () => {
  prints("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
});

Deno.test("address text: the longest run is shortened, of equal runs the first (RFC 5952 4.2.3)", () => {
  prints("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
  prints("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
});

Deno.test("address text: an IPv4 address prints dotted, also when it was written as mapped (RFC 4291 2.5.5.2)", () => {
  prints("10.0.0.1", "10.0.0.1");
  prints("255.255.255.255", "255.255.255.255");
  prints("::ffff:10.0.0.1", "10.0.0.1");
  prints("::ffff:a00:1", "10.0.0.1");
});

Deno.test("address text: wrong IPv4 says what is wrong and where", () => {
  fails("10.0.0.300", /"10.0.0.300" is not an IP address: "300" at column 8 is above 255/);
  fails("10.0.0.256", /above 255/);
  fails("10.0.0", /it has 3 numbers where IPv4 has 4/);
  fails("10.0.0.0.1", /it has 5 numbers/);
  fails("10..0.1", /a number is missing at column 4/);
  fails("10.0.0.", /a number is missing at column 8/);
  fails("10.0.0.1 ", /unexpected " " at column 9/);
  fails("10.0.0.x", /unexpected "x" at column 8/);
  fails("0x0a.0.0.1", /unexpected "x" at column 2/);
  fails("99999999999.0.0.1", /above 255/);
  fails("host", /unexpected "h" at column 1/);
  fails("", /it is empty/);
});

Deno.test("address text: a leading zero is refused, as some programs read it as octal (RFC 6943 3.1.1)", () => {
  fails("10.0.0.010", /"010" at column 8 has a leading zero/);
  fails("00.0.0.0", /leading zero/);
});

Deno.test("address text: wrong IPv6 says what is wrong and where", () => {
  fails("1::2::3", /a second "::" at column 5/);
  fails("1:2:3:4:5:6:7", /it has 7 groups where IPv6 has 8/);
  fails("1:2:3:4:5:6:7:8:9", /it has 9 groups/);
  fails("1:2:3:4:5:6:7:8::", /it has 8 groups and a "::"/);
  fails("1:2:3:4::5:6:7:8", /it has 8 groups and a "::"/);
  fails(":1:2:3:4:5:6:7", /a group is missing at column 1/);
  fails("1:2:3:4:5:6:7:", /a group is missing at column 15/);
  fails(":::1", /a group is missing at column 3/);
  fails("1:::2", /a group is missing at column 4/);
  fails(":", /a group is missing at column 1/);
  fails("12345::", /"12345" at column 1 has more than 4 digits/);
  fails("2001:db8::g", /unexpected "g" at column 11/);
  fails("::10.0.0.300", /"300" at column 10 is above 255/);
  fails("::10.0.0.1:1", /unexpected "\." at column 5/);
  fails("1:2:3:4:5:6:7:10.0.0.1", /it has 9 groups/);
  fails("[::1]", /unexpected "\[" at column 1/);
});

Deno.test("address text: a zone is refused by name (RFC 4007 11)", () => {
  fails("fe80::1%eth0", /a zone \("%eth0"\) is not supported/);
});

Deno.test("address text: any IPv4 word prints and parses as itself", () => {
  check(fc.property(fc.integer(), (word) => {
    const address = new Address().setV4(word);
    const text = address.toString();
    equal(text, [word >>> 24, (word >> 16) & 255, (word >> 8) & 255, word & 255].join("."));
    ok(Address.parse(text).equals(address));
  }));
});

Deno.test("address text: any eight groups parse as RFC 5952 prints them, with zeros as likely as not", () => {
  const group = fc.oneof(fc.constant(0), fc.nat(0xffff));
  check(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const long = groups.map((group) => group.toString(16).padStart(4, "0").toUpperCase()).join(":");
      const address = Address.parse(long);
      const short = address.toString();
      ok(Address.parse(short).equals(address), short);
      ok(short.length <= long.length);
      equal(short, short.toLowerCase());
      if (!address.isV4) equal(new URL(`http://[${long}]`).hostname, `[${short}]`);
    }),
    { runs: 500 },
  );
});

Deno.test("address text: no text makes tryParse throw, and what it takes prints as itself", () => {
  const text = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(..."0123456789abf:.%/ ") }),
    fc.array(fc.constantFrom("1", "ff", ":", "::", ".", "255", "0"), { maxLength: 16 }).map((parts) =>
      parts.join("")
    ),
  );
  check(
    fc.property(text, (text) => {
      const address = Address.tryParse(text);
      if (address !== undefined) ok(Address.parse(address.toString()).equals(address));
    }),
    { runs: 1000 },
  );
});
