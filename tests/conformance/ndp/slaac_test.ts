/**
 * Stateless address autoconfiguration: RFC 4862 5.5, RFC 7217, RFC 8981, RFC 5942.
 *
 * @module
 */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { AddressOrigin, addressOriginName, addressStateName } from "../../../stack/host/addresses.ts";
import { type Instant, seconds } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import { isReserved } from "../../../stack/ndp/interface-id.ts";
import {
  advertisement,
  ndpHost,
  type PrefixFields,
  prefixOption,
  routerAdvertisement,
  run,
} from "../../support/ndp.ts";

type Made = ReturnType<typeof ndpHost>;

/** A host that makes all its addresses itself. */
function slaacHost(temporary = false): Made {
  const made = ndpHost({ ndp: { slaac: true, linkLocal: true, temporary }, ip: { addresses: [] } });
  run(made, 0, seconds(5));
  return made;
}

/** Lets the router advertise a prefix now. */
const advertise = (made: Made, fields: PrefixFields = {}) =>
  made.deliver(routerAdvertisement({ options: [prefixOption(fields)] }));

/** Addresses that are not link-local, as "origin state", with their seconds left. */
function addresses({ ip }: Made): string[] {
  return ip.addresses.entries().filter(({ origin }) => origin !== AddressOrigin.LinkLocal).map((
    { origin, state },
  ) => `${addressOriginName(origin)} ${addressStateName(state)}`);
}

/** Seconds that the stable address is still valid. */
function validFor({ ip }: Made, now: Instant): number {
  const own = ip.addresses.entries().find(({ origin }) => origin === AddressOrigin.Slaac);
  return own === undefined ? 0 : (own.validUntil - now) / 1e6;
}

Deno.test("slaac: the link-local address comes first, then routers are asked from it (RFC 4862 5.3)", () => {
  const made = ndpHost({ ndp: { slaac: true, linkLocal: true }, ip: { addresses: [] } });
  const said = run(made, 0, seconds(3));
  equal(said.length, 2);
  ok(said[0]!.includes("NS fe80::") && said[1]!.includes("RS from fe80::"), said.join("\n"));
});

Deno.test("slaac: an address is made of a prefix, tentative first, and used when nobody has it (RFC 4862 5.5.3)", () => {
  const made = slaacHost();
  advertise(made);
  deepEqual(addresses(made), ["slaac tentative"]);
  run(made, seconds(5), seconds(7));
  deepEqual(addresses(made), ["slaac preferred"]);
  const [, own] = [...made.ip.addresses];
  ok(String(own).startsWith("2001:db8:1:") && own!.prefix === 64);
  advertise(made);
  equal(addresses(made).length, 1, "the next advertisement makes no other");
});

Deno.test("slaac: prefixes without the flag, of another length, link-local, or preferred beyond validity make none (RFC 4862 5.5.3)", () => {
  const made = slaacHost();
  advertise(made, { flags: "L" });
  for (const length of [0, 48, 63, 65, 128]) advertise(made, { length });
  advertise(made, { prefix: "fe80::" });
  advertise(made, { prefix: "ff02::" });
  advertise(made, { valid: 0, preferred: 0 });
  advertise(made, { valid: 100, preferred: 101 });
  deepEqual(addresses(made), []);
});

Deno.test("slaac: an address is deprecated after its preferred lifetime and gone after its valid one (RFC 4862 5.5.4)", () => {
  const made = slaacHost();
  advertise(made, { valid: 100, preferred: 50 });
  run(made, seconds(5), seconds(54));
  deepEqual(addresses(made), ["slaac preferred"]);
  run(made, seconds(54), seconds(60));
  deepEqual(addresses(made), ["slaac deprecated"]);
  equal([...made.ip.addresses].length, 2, "a deprecated address is still answered for");
  run(made, seconds(60), seconds(106));
  deepEqual(addresses(made), []);
});

Deno.test("slaac: the next advertisement renews it", () => {
  const made = slaacHost();
  advertise(made, { valid: 100, preferred: 50 });
  run(made, seconds(5), seconds(60));
  deepEqual(addresses(made), ["slaac deprecated"]);
  advertise(made, { valid: 100, preferred: 50 });
  deepEqual(addresses(made), ["slaac preferred"]);
});

Deno.test("slaac: nobody can cut a valid lifetime below two hours (RFC 4862 5.5.3 e)", () => {
  const made = slaacHost();
  const now = seconds(10);
  made.at(now);
  advertise(made, { valid: 86_400, preferred: 3_600 });
  advertise(made, { valid: 10_000, preferred: 3_600 });
  equal(validFor(made, now), 10_000, "more than two hours are believed");
  advertise(made, { valid: 60, preferred: 60 });
  equal(validFor(made, now), 7_200, "less make it two hours");
  made.at(now + seconds(1_000));
  advertise(made, { valid: 60, preferred: 0 });
  equal(validFor(made, now + seconds(1_000)), 6_200, "of less than two hours nothing is taken");
  deepEqual(addresses(made.at(now)), ["slaac tentative"]);
  advertise(made, { valid: 7_000, preferred: 7_000 });
  equal(validFor(made, now), 7_200 - 0, "nor is it made shorter");
});

Deno.test("slaac: what an address says of its subnet, a router must say by another flag (RFC 5942 4)", () => {
  const made = slaacHost();
  advertise(made, { flags: "A" });
  run(made, seconds(5), seconds(7));
  equal(made.ip.addresses.onLink(Address.parse("2001:db8:1::99")), undefined);
});

Deno.test("slaac: a stable address is the same in the same network, and says nothing in another (RFC 7217 5)", () => {
  const addressIn = (prefix: string) => {
    const made = slaacHost();
    advertise(made, { prefix });
    const own = made.ip.addresses.entries().find(({ origin }) => origin === AddressOrigin.Slaac)!;
    return String(own.cidr.address);
  };
  equal(addressIn("2001:db8:1::"), addressIn("2001:db8:1::"));
  notEqual(addressIn("2001:db8:1::").slice(-19), addressIn("2001:db8:2::").slice(-19));
});

Deno.test("slaac: a duplicate is replaced by another address of the same prefix (RFC 7217 6)", () => {
  const made = slaacHost();
  advertise(made);
  const first = String(made.ip.addresses.entries().at(-1)!.cidr.address);
  made.deliver(advertisement({ source: first, target: first, flags: "O", destination: "ff02::1" }));
  deepEqual(addresses(made), ["slaac tentative"]);
  notEqual(String(made.ip.addresses.entries().at(-1)!.cidr.address), first);
  run(made, seconds(5), seconds(7));
  deepEqual(addresses(made), ["slaac preferred"]);
});

Deno.test("slaac: temporary addresses are made beside the stable ones, and sent from (RFC 8981, RFC 6724 5 rule 7)", () => {
  const made = slaacHost(true);
  advertise(made, { valid: 1_000_000, preferred: 1_000_000 });
  run(made, seconds(5), seconds(8));
  deepEqual(addresses(made), ["slaac preferred", "temporary preferred"]);
  const far = Address.parse("2001:db8:ffff::1");
  equal(made.ip.addresses.bestSource(far, far)?.origin, AddressOrigin.Temporary);
});

Deno.test("slaac: a temporary address has a successor before it is deprecated, and none lives beyond two days (RFC 8981 3.4)", () => {
  const made = slaacHost(true);
  advertise(made, { valid: 1_000_000, preferred: 1_000_000 });
  run(made, seconds(5), seconds(86_400 - 10));
  deepEqual(addresses(made), ["slaac preferred", "temporary preferred"]);
  run(made, seconds(86_400 - 10), seconds(86_400 + 10));
  deepEqual(addresses(made), ["slaac preferred", "temporary deprecated", "temporary preferred"]);
  run(made, seconds(86_400 + 10), seconds(2 * 86_400 + 10));
  deepEqual(addresses(made), ["slaac preferred", "temporary deprecated", "temporary preferred"]);
  const [, older, newer] = made.ip.addresses.entries().filter(({ origin }) =>
    origin !== AddressOrigin.LinkLocal
  );
  notEqual(String(older!.cidr), String(newer!.cidr));
});

Deno.test("slaac: a temporary address lives on as long as its prefix is advertised, for a day preferred and for two valid (RFC 8981 3.4)", () => {
  const made = slaacHost(true);
  const temporary = () =>
    made.ip.addresses.entries().filter(({ origin }) => origin === AddressOrigin.Temporary);
  const live = (from: number, to: number) => {
    for (let at = from; at < to; at += 600) {
      advertise(made, { valid: 3_600, preferred: 1_800 });
      run(made, seconds(at), seconds(at + 600));
    }
  };
  live(5, 86_405 - 600);
  const [first] = temporary();
  deepEqual(addresses(made), ["slaac preferred", "temporary preferred"]);
  live(86_405 - 600, 86_405 + 600);
  deepEqual(addresses(made), ["slaac preferred", "temporary deprecated", "temporary preferred"]);
  ok(first !== undefined && temporary()[0] === first, "the same all day");
  live(86_405 + 600, 2 * 86_400 + 1_200);
  deepEqual(addresses(made), ["slaac preferred", "temporary deprecated", "temporary preferred"]);
  ok(!temporary().includes(first), "but not for ever");
});

Deno.test("slaac: nobody who forges an advertisement takes a temporary address away at once (RFC 8981 3.4, RFC 4862 5.5.3 e)", () => {
  const made = slaacHost(true);
  advertise(made);
  run(made, seconds(5), seconds(8));
  advertise(made, { valid: 0, preferred: 0 });
  run(made, seconds(8), seconds(8 + 7_100));
  deepEqual(addresses(made), ["slaac deprecated", "temporary deprecated"]);
  run(made, seconds(8 + 7_100), seconds(8 + 7_300));
  deepEqual(addresses(made), []);
});

Deno.test("slaac: identifiers that standards reserve are not used (RFC 5453, RFC 2526)", () => {
  const reserved = ["::", "::fdff:ffff:ffff:ff80", "::fdff:ffff:ffff:ffff", "::200:5eff:fe00:1"];
  for (const text of reserved) ok(isReserved(Address.parse(text)), text);
  for (const text of ["::1", "::fdff:ffff:ffff:ff7f", "::fdff:ffff:ffff:0"]) {
    ok(!isReserved(Address.parse(text)), text);
  }
});
