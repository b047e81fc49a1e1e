import { deepEqual, equal } from "node:assert/strict";
import { ATTEMPT_DELAY, Eyeballs, type Family, RESOLUTION_DELAY } from "../../../sockets/eyeballs.ts";
import { milliseconds, NEVER } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";

const list = (...texts: string[]) => texts.map((text) => Address.parse(text));
const BOTH: readonly Family[] = ["v6", "v4"];

/** IPv6 before IPv4, else as they came. */
function sixFirst(addresses: readonly Address[]): readonly Address[] {
  return [...addresses.filter(({ isV4 }) => !isV4), ...addresses.filter(({ isV4 }) => isV4)];
}

/** Every attempt there is, with the time at which it begins, in milliseconds. */
function attempts(eyeballs: Eyeballs, until = Infinity): string[] {
  const all: string[] = [];
  while (eyeballs.deadline < NEVER && eyeballs.deadline <= until) {
    const now = eyeballs.deadline;
    all.push(`${now / 1_000} ${eyeballs.attempt(now)}`);
  }
  return all;
}

Deno.test("happy eyeballs: IPv6's answer begins at once, IPv4's waits 50 ms for it (RFC 8305 3)", () => {
  const six = new Eyeballs(BOTH, sixFirst);
  six.resolved("v6", list("2001:db8::1"), 1_000);
  equal(six.deadline, 1_000);
  const four = new Eyeballs(BOTH, sixFirst);
  four.resolved("v4", list("192.0.2.1"), 1_000);
  equal(four.deadline, 1_000 + RESOLUTION_DELAY);
  equal(four.attempt(1_000), undefined);
  four.resolved("v6", list("2001:db8::1"), 30_000);
  deepEqual(attempts(four), ["30 2001:db8::1", "280 192.0.2.1"]);
});

Deno.test("happy eyeballs: when IPv6's answer is late, IPv4 goes on without it, and takes it in when it comes (RFC 8305 3)", () => {
  const eyeballs = new Eyeballs(BOTH, sixFirst);
  eyeballs.resolved("v4", list("192.0.2.1", "192.0.2.2"), 0);
  deepEqual(attempts(eyeballs, milliseconds(60)), ["50 192.0.2.1"]);
  eyeballs.resolved("v6", list("2001:db8::1"), milliseconds(100));
  deepEqual(attempts(eyeballs), ["300 2001:db8::1", "550 192.0.2.2"]);
});

Deno.test("happy eyeballs: that there is no IPv6 address ends the wait", () => {
  const eyeballs = new Eyeballs(BOTH, sixFirst);
  eyeballs.resolved("v4", list("192.0.2.1"), 0);
  eyeballs.resolved("v6", [], milliseconds(10));
  deepEqual(attempts(eyeballs), ["10 192.0.2.1"]);
});

Deno.test("happy eyeballs: the families take turns, 250 ms apart (RFC 8305 4, 5)", () => {
  const eyeballs = new Eyeballs(BOTH, sixFirst);
  eyeballs.resolved("v6", list("2001:db8::1", "2001:db8::2", "2001:db8::3"), 0);
  eyeballs.resolved("v4", list("192.0.2.1", "192.0.2.2"), 0);
  deepEqual(attempts(eyeballs), [
    "0 2001:db8::1",
    "250 192.0.2.1",
    "500 2001:db8::2",
    "750 192.0.2.2",
    "1000 2001:db8::3",
  ]);
});

Deno.test("happy eyeballs: the best address is the first, whichever its family (RFC 6724)", () => {
  const eyeballs = new Eyeballs(BOTH, (addresses) => [...sixFirst(addresses)].reverse());
  eyeballs.resolved("v6", list("2001:db8::1"), 0);
  eyeballs.resolved("v4", list("192.0.2.1"), 0);
  deepEqual(attempts(eyeballs), ["0 192.0.2.1", "250 2001:db8::1"]);
});

Deno.test("happy eyeballs: an attempt that fails lets the next one begin at once (RFC 8305 5)", () => {
  const eyeballs = new Eyeballs(["v4"], sixFirst);
  eyeballs.resolved("v4", list("192.0.2.1", "192.0.2.2"), 0);
  equal(String(eyeballs.attempt(0)), "192.0.2.1");
  equal(eyeballs.deadline, ATTEMPT_DELAY);
  eyeballs.failed(milliseconds(20));
  deepEqual(attempts(eyeballs), ["20 192.0.2.2"]);
  equal(eyeballs.isOver, false);
  eyeballs.failed(milliseconds(30));
  equal(eyeballs.isOver, true);
});

Deno.test("happy eyeballs: it is over only when every answer is there and every attempt has failed", () => {
  const eyeballs = new Eyeballs(BOTH, sixFirst);
  eyeballs.resolved("v6", [], 0);
  deepEqual([eyeballs.isOver, eyeballs.deadline], [false, NEVER]);
  eyeballs.resolved("v4", [], 0);
  equal(eyeballs.isOver, true);
  const late = new Eyeballs(BOTH, sixFirst);
  late.resolved("v6", list("2001:db8::1"), 0);
  late.attempt(0);
  late.failed(1_000);
  equal(late.isOver, false, "IPv4's answer is still to come");
  late.resolved("v4", list("192.0.2.1"), 2_000);
  deepEqual(attempts(late), ["2 192.0.2.1"]);
});

Deno.test("happy eyeballs: of a name with very many addresses only so many are tried", () => {
  const eyeballs = new Eyeballs(["v4"], sixFirst);
  eyeballs.resolved("v4", Array.from({ length: 500 }, (_, n) => new Address().setV4(0xc0000200 + n)), 0);
  equal(attempts(eyeballs).length, 32);
});
