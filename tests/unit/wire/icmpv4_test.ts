import { deepEqual, equal, ok } from "node:assert/strict";
import { Address } from "../../../stack/wire/address.ts";
import { WireError } from "../../../stack/wire/error.ts";
import * as icmpv4 from "../../../stack/wire/icmpv4.ts";
import { Type } from "../../../stack/wire/icmpv4.ts";
import { check, fc } from "../../support/property.ts";
import { ECHO_REPLY, ECHO_REQUEST, hex, PORT_UNREACHABLE } from "./frames.ts";

const REQUEST = ECHO_REQUEST.slice(34);

Deno.test("icmpv4: an echo request has an identifier and a sequence number (RFC 792)", () => {
  equal(icmpv4.check(REQUEST, 0, REQUEST.length), WireError.None);
  equal(icmpv4.type(REQUEST, 0), Type.EchoRequest);
  equal(icmpv4.code(REQUEST, 0), 0);
  equal(icmpv4.checksum(REQUEST, 0), 0x00e7);
  equal(icmpv4.identifier(REQUEST, 0), 5);
  equal(icmpv4.sequence(REQUEST, 0), 1);
  ok(icmpv4.verifyChecksum(REQUEST, 0, REQUEST.length));
});

Deno.test("icmpv4: a request becomes the reply that Linux sent when its type changes (RFC 792)", () => {
  const bytes = REQUEST.slice();
  icmpv4.setType(bytes, 0, Type.EchoReply);
  ok(!icmpv4.verifyChecksum(bytes, 0, bytes.length));
  icmpv4.fillChecksum(bytes, 0, bytes.length);
  deepEqual(bytes, ECHO_REPLY.slice(34));
});

Deno.test("icmpv4: emitEcho and fillChecksum write the request that Linux sent", () => {
  const bytes = REQUEST.slice();
  bytes.fill(0xee, 0, 8);
  icmpv4.emitEcho(bytes, 0, Type.EchoRequest, 5, 1);
  equal(icmpv4.checksum(bytes, 0), 0);
  icmpv4.fillChecksum(bytes, 0, bytes.length);
  deepEqual(bytes, REQUEST);
});

Deno.test("icmpv4: a port unreachable quotes the packet that it is about (RFC 792, RFC 1122 3.2.2.1)", () => {
  const end = PORT_UNREACHABLE.length;
  equal(icmpv4.type(PORT_UNREACHABLE, 34), Type.DestinationUnreachable);
  equal(icmpv4.code(PORT_UNREACHABLE, 34), icmpv4.Unreachable.Port);
  ok(icmpv4.verifyChecksum(PORT_UNREACHABLE, 34, end));
  const bytes = PORT_UNREACHABLE.slice();
  icmpv4.emitError(bytes, 34, Type.DestinationUnreachable, icmpv4.Unreachable.Port, 0);
  icmpv4.fillChecksum(bytes, 34, end);
  deepEqual(bytes, PORT_UNREACHABLE);
});

Deno.test("icmpv4: the MTU of the next hop is in the low half of the error's word (RFC 1191 4)", () => {
  const bytes = new Uint8Array(8);
  icmpv4.emitError(bytes, 0, Type.DestinationUnreachable, icmpv4.Unreachable.FragmentationNeeded, 1400);
  equal(bytes.toHex(), "0304000000000578");
  equal(icmpv4.nextHopMtu(bytes, 0), 1400);
});

Deno.test("icmpv4: a parameter problem's pointer is in the high byte, a redirect's gateway is the word (RFC 792)", () => {
  const bytes = new Uint8Array(8);
  icmpv4.emitError(bytes, 0, Type.ParameterProblem, icmpv4.Problem.Pointer, 20 << 24);
  equal(icmpv4.pointer(bytes, 0), 20);
  icmpv4.emitError(bytes, 0, Type.Redirect, 1, 0x0a0000fe);
  equal(new Address().readV4(bytes, icmpv4.GATEWAY).toString(), "10.0.0.254");
});

Deno.test("icmpv4: an odd message is summed as if a zero followed (RFC 1071 4.1)", () => {
  const bytes = hex("0800 0000 0005 0001 ab");
  icmpv4.fillChecksum(bytes, 0, 9);
  equal(icmpv4.checksum(bytes, 0), ~(0x0800 + 5 + 1 + 0xab00) & 0xffff);
  ok(icmpv4.verifyChecksum(bytes, 0, 9));
});

Deno.test("icmpv4: fewer than 8 bytes are no message", () => {
  for (let end = 0; end < 8; end++) equal(icmpv4.check(REQUEST, 0, end), WireError.Truncated);
  equal(icmpv4.check(REQUEST, 0, 8), WireError.None);
});

Deno.test("icmpv4: about errors no error is sent, about queries it is (RFC 1122 3.2.2)", () => {
  const errors = Object.values(Type).filter(icmpv4.isError);
  deepEqual(errors, [3, 4, 5, 11, 12, 31, 40]);
  ok(!icmpv4.isError(Type.EchoRequest));
});

Deno.test("icmpv4: requests ask, and neither replies nor errors do", () => {
  const requests = Object.values(Type).filter(icmpv4.isRequest);
  deepEqual(requests, [8, 10, 13, 15, 17, 33, 35, 37, 42]);
  ok(requests.every((type) => !icmpv4.isError(type)));
});

Deno.test("icmpv4: every setter sets its own field and no other", () => {
  const bytes = new Uint8Array(8);
  icmpv4.setType(bytes, 0, 1);
  icmpv4.setCode(bytes, 0, 2);
  icmpv4.setChecksum(bytes, 0, 0x0304);
  icmpv4.setIdentifier(bytes, 0, 0x0506);
  icmpv4.setSequence(bytes, 0, 0x0708);
  equal(bytes.toHex(), "0102030405060708");
});

Deno.test("icmpv4: a message whose checksum was filled verifies, and one changed bit is seen", () => {
  check(fc.property(fc.uint8Array({ minLength: 8, maxLength: 100 }), fc.nat(), (bytes, bit) => {
    icmpv4.fillChecksum(bytes, 0, bytes.length);
    if (bytes.every((byte, at) => byte === 0 || at === 2 || at === 3)) return;
    ok(icmpv4.verifyChecksum(bytes, 0, bytes.length));
    bytes[(bit >> 3) % bytes.length]! ^= 1 << (bit & 7);
    ok(!icmpv4.verifyChecksum(bytes, 0, bytes.length));
  }));
});
