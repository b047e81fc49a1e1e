import { deepEqual, equal } from "node:assert/strict";
import * as dns from "../../../stack/wire/dns.ts";
import { readMessage, RECORDS_MAX } from "../../../stack/wire/dns-record.ts";
import { WireError } from "../../../stack/wire/error.ts";
import { dnsMessage, type RecordFields, strings } from "../../support/dns.ts";
import { check, fc } from "../../support/property.ts";

const verdict = (bytes: Uint8Array) => dns.check(bytes, 0, bytes.length);

/** What a record says, after a way over the wire. */
function said(type: RecordFields["type"], data: string | Uint8Array): unknown {
  const bytes = dnsMessage({ answers: [{ name: "x.example", type, data }] });
  equal(verdict(bytes), WireError.None);
  const found = readMessage(bytes, 0, bytes.length)?.records[0]?.data;
  return found !== undefined && typeof found === "object" && "isV4" in found ? String(found) : found;
}

Deno.test("dns: the header has its fields where RFC 1035 4.1.1 has them", () => {
  const bytes = dnsMessage({ id: 0x1234, flags: 0x8583, questions: [["a.b", dns.Type.A]] });
  equal(bytes.toHex(), "1234858300010000000000000161016200" + "00010001");
  equal(dns.id(bytes, 0), 0x1234);
  equal(dns.responseCode(bytes, 0), dns.ResponseCode.NameError);
  equal(dns.opcode(bytes, 0), 0);
  equal(dns.opcode(Uint8Array.of(0, 0, 0x28), 0), 5);
  deepEqual(readMessage(bytes, 0, bytes.length)?.questions, [{ name: "a.b", type: 1, class: 1 }]);
});

Deno.test("dns: the record of EDNS0 is the root's, and its class is the size (RFC 6891 6.1.2)", () => {
  const bytes = new Uint8Array(11);
  equal(dns.putEdns(bytes, 0, 1_232), 11);
  equal(bytes.toHex(), "00002904d0000000000000");
});

Deno.test("dns: records of each known type say what they say", () => {
  equal(said("A", "192.0.2.1"), "192.0.2.1");
  equal(said("AAAA", "2001:db8::1"), "2001:db8::1");
  for (const type of ["NS", "CNAME", "PTR"] as const) equal(said(type, "Host.Example"), "host.example");
  deepEqual(said("MX", "10 mx.example"), { preference: 10, exchange: "mx.example" });
  deepEqual(said("SRV", "1 2 80 host.example"), { priority: 1, weight: 2, port: 80, target: "host.example" });
  deepEqual(said("TXT", strings(["one", ""])), [new TextEncoder().encode("one"), new Uint8Array()]);
  deepEqual(said("SOA", "ns.example admin.example 1 2 3 4 4294967295"), {
    mname: "ns.example",
    rname: "admin.example",
    serial: 1,
    refresh: 2,
    retry: 3,
    expire: 4,
    minimum: 4_294_967_295,
  });
  deepEqual(said("CAA", Uint8Array.from([128, 5, ...new TextEncoder().encode("issueca.example")])), {
    critical: true,
    tag: "issue",
    value: "ca.example",
  });
  const naptr = Uint8Array.from([0, 1, 0, 2, ...strings(["u", "E2U+sip", "!.*!x!"]), 0]);
  deepEqual(said("NAPTR", naptr), {
    order: 1,
    preference: 2,
    flags: "u",
    services: "E2U+sip",
    regexp: "!.*!x!",
    replacement: "",
  });
  deepEqual(said("NSEC", Uint8Array.of(1, 2, 3)), Uint8Array.of(1, 2, 3), "unknown: bytes");
});

Deno.test("dns: a record whose data are malformed is left out, and those around it are not", () => {
  const bad: [RecordFields["type"], Uint8Array][] = [
    ["A", new Uint8Array(5)],
    ["AAAA", new Uint8Array(4)],
    ["AAAA", Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1])],
    ["CNAME", new Uint8Array(0)],
    ["CNAME", new Uint8Array(2)],
    ["CNAME", Uint8Array.of(0xc0, 0xff)],
    ["MX", Uint8Array.of(0)],
    ["SRV", new Uint8Array(6)],
    ["TXT", Uint8Array.of(2, 1)],
    ["TXT", new Uint8Array(0)],
    ["SOA", new Uint8Array(21)],
    ["CAA", Uint8Array.of(0, 9, 1)],
    ["CAA", new Uint8Array(0)],
    ["NAPTR", new Uint8Array(3)],
    ["NAPTR", Uint8Array.of(0, 0, 0, 0, 9)],
  ];
  for (const [type, data] of bad) {
    const whole: RecordFields = { name: "a", type: "A", data: "192.0.2.1" };
    const bytes = dnsMessage({ answers: [whole, { name: "b", type, data }, whole] });
    equal(readMessage(bytes, 0, bytes.length)?.records.length, 2, `${type} ${data}`);
  }
});

Deno.test("dns: a message must have the records that its header claims, unless it says that it was cut short", () => {
  const bytes = dnsMessage({ questions: [["a", 1]], answers: [{ name: "a", type: "A", data: "192.0.2.1" }] });
  for (let length = 0; length < bytes.length; length++) {
    const cut = bytes.subarray(0, length);
    equal(verdict(cut), length < dns.HEADER_LENGTH ? WireError.Truncated : WireError.Malformed);
  }
  bytes[2]! |= dns.Flag.Truncated >> 8;
  equal(verdict(bytes.subarray(0, bytes.length - 1)), WireError.None);
  equal(readMessage(bytes, 0, bytes.length - 1)?.records.length, 0);
});

Deno.test("dns: a time to live with its first bit set is none (RFC 2181 8)", () => {
  const bytes = dnsMessage({ answers: [{ name: "a", type: "A", data: "192.0.2.1", ttl: 0x80000000 }] });
  equal(readMessage(bytes, 0, bytes.length)?.records[0]?.ttl, 0);
});

Deno.test("dns: of a message of many records only so many are looked at", () => {
  const record: RecordFields = { name: "", type: "NS", data: "" };
  const bytes = dnsMessage({ answers: Array.from({ length: 2 * RECORDS_MAX }, () => record) });
  equal(readMessage(bytes, 0, bytes.length)?.records.length, RECORDS_MAX);
});

Deno.test("dns: whatever the bytes, reading ends and answers only what lies within them", () => {
  const wire = fc.uint8Array({ maxLength: 300 });
  check(
    fc.property(wire, fc.nat(20), (bytes, at) => {
      const message = readMessage(bytes, at, bytes.length);
      const fine = dns.check(bytes, at, bytes.length) === WireError.None;
      if (message === undefined && fine) equal(bytes.length >= at + dns.HEADER_LENGTH, true);
    }),
    { runs: 2_000 },
  );
});
