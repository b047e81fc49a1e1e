import { deepEqual, equal } from "node:assert/strict";
import { orderDestinations, scopeOf } from "../../../stack/host/address-policy.ts";
import { Addresses, AddressOrigin, AddressState } from "../../../stack/host/addresses.ts";
import { Address } from "../../../stack/wire/address.ts";

const parse = (text: string) => Address.parse(text);

/** The source that is chosen among these, "!" for deprecated and "~" for temporary ones. */
function source(destination: string, candidates: string[], nextHop = destination): string | undefined {
  const addresses = new Addresses();
  for (const text of candidates) {
    addresses.add(text.replace(/[!~]/, ""), {
      state: text.endsWith("!") ? AddressState.Deprecated : AddressState.Preferred,
      origin: text.endsWith("~") ? AddressOrigin.Temporary : AddressOrigin.Manual,
    });
  }
  return addresses.sourceFor(parse(destination), parse(nextHop))?.toString();
}

// RFC 6724 10.1, and what it has no example of.
const SOURCES: readonly (readonly [string, string, string[], string])[] = [
  ["rule 1, same address", "2001:db8:1::1", ["2001:db8:2::1/64", "2001:db8:1::1/64"], "2001:db8:1::1"],
  ["rule 2, appropriate scope", "2001:db8:1::1", ["fe80::1/64", "2001:db8:3::1/64"], "2001:db8:3::1"],
  ["rule 2, a group of a site", "ff05::1", ["fe80::1/64", "2001:db8:3::1/64"], "2001:db8:3::1"],
  ["rule 2, a group of a link", "ff02::1", ["2001:db8:3::1/64", "fe80::1/64"], "fe80::1"],
  ["rule 2, link-local", "fe80::5", ["2001:db8:3::1/64", "fe80::1/64"], "fe80::1"],
  ["rule 3, avoid deprecated", "2001:db8:1::1", ["2001:db8:1::2/64!", "2001:db8:9::1/64"], "2001:db8:9::1"],
  [
    "rule 6, matching label",
    "2002:c633:6401::1",
    ["2001:db8:1::2/64", "2002:c633:6401::d5e3/64"],
    "2002:c633:6401::d5e3",
  ],
  ["rule 6, unique local", "fd00:1::1", ["2001:db8:1::2/64", "fd00:2::2/64"], "fd00:2::2"],
  ["rule 7, temporary", "2001:db8:1::d5e3", ["2001:db8:1::2/64", "2001:db8:1::d5e4/64~"], "2001:db8:1::d5e4"],
  ["rule 8, longest prefix", "2001:db8:1::1", ["2001:db8:8000::2/64", "2001:db8:1::2/64"], "2001:db8:1::2"],
  [
    "rule 8 counts the prefix only",
    "2001:db8:9:9::1",
    ["2001:db8:1::ffff/64", "2001:db8:1::2/64"],
    "2001:db8:1::ffff",
  ],
  ["deprecated is better than none", "2001:db8:1::1", ["2001:db8:1::2/64!"], "2001:db8:1::2"],
  ["v4, the subnet", "10.1.2.3", ["10.0.0.1/8", "10.1.0.1/16", "2001:db8::1/64"], "10.1.0.1"],
  ["v4, link-local for near", "169.254.7.7", ["10.0.0.1/8", "169.254.1.1/16"], "169.254.1.1"],
  ["v4, not for far", "8.8.8.8", ["169.254.1.1/16", "10.0.0.1/8"], "10.0.0.1"],
];

for (const [rule, destination, candidates, expected] of SOURCES) {
  Deno.test(`address policy: the source to ${destination} is ${expected} (RFC 6724 5, ${rule})`, () => {
    equal(source(destination, candidates), expected);
    equal(
      source(destination, [...candidates].reverse()),
      rule.includes("counts") ? "2001:db8:1::2" : expected,
    );
  });
}

Deno.test("address policy: an address next to the next hop goes before others (RFC 6724 5, rule 5.5)", () => {
  const candidates = ["2001:db8:2::1/64", "2001:db8:1::1/64"];
  equal(source("2001:db9::1", candidates, "2001:db8:1::ff"), "2001:db8:1::1");
  equal(source("2001:db9::1", [], "2001:db8:1::ff"), undefined);
});

/** Orders destinations for a host with these addresses; what it has no address of the family for is unusable. */
function order(destinations: string[], own: string[]): string[] {
  const addresses = new Addresses(own.map((text) => text.replace("!", "")));
  for (const text of own) {
    if (text.endsWith("!")) addresses.setState(parse(text.split("/")[0]!), AddressState.Deprecated);
  }
  const sourceFor = (destination: Address) => addresses.bestSource(destination, destination);
  return orderDestinations(destinations.map(parse), sourceFor).map(String);
}

Deno.test("address policy: destinations in the order of RFC 6724 10.2", () => {
  // The examples, with the addresses of the RFC.
  deepEqual(
    order(["2001:db8:1::1", "198.51.100.121"], ["2001:db8:1::2/64", "fe80::1/64", "169.254.13.78/16"]),
    [
      "2001:db8:1::1",
      "198.51.100.121",
    ],
  );
  deepEqual(order(["2001:db8:1::1", "198.51.100.121"], ["fe80::1/64", "198.51.100.117/24"]), [
    "198.51.100.121",
    "2001:db8:1::1",
  ]);
  deepEqual(order(["2001:db8:1::1", "10.1.2.3"], ["2001:db8:1::2/64", "fe80::1/64", "10.1.2.4/24"]), [
    "2001:db8:1::1",
    "10.1.2.3",
  ]);
  deepEqual(order(["2001:db8:1::1", "fe80::1"], ["2001:db8:1::2/64", "fe80::2/64"]), [
    "fe80::1",
    "2001:db8:1::1",
  ]);
  deepEqual(
    order(["2001:db8:1::1", "2001:db8:3ffe::1"], ["2001:db8:3f44::2/64", "fe80::2/64"]),
    [
      "2001:db8:1::1",
      "2001:db8:3ffe::1",
    ].reverse(),
  );
  deepEqual(order(["2002:c633:6401::1", "2001:db8:1::1"], ["2002:c633:6401::2/64", "fe80::2/64"]), [
    "2002:c633:6401::1",
    "2001:db8:1::1",
  ]);
  deepEqual(
    order(["2002:c633:6401::1", "2001:db8:1::1"], ["2002:c633:6401::2/64", "2001:db8:1::2/64", "fe80::2/64"]),
    [
      "2001:db8:1::1",
      "2002:c633:6401::1",
    ],
  );
});

Deno.test("address policy: unusable destinations go last, deprecated sources late, and equals keep their order", () => {
  deepEqual(order(["2001:db8::1", "10.0.0.1"], ["10.0.0.2/24"]), ["10.0.0.1", "2001:db8::1"]);
  deepEqual(order(["2001:db8:1::1", "10.0.0.1"], ["10.0.0.2/24", "2001:db8:1::2/64!"]), [
    "10.0.0.1",
    "2001:db8:1::1",
  ]);
  deepEqual(order(["10.0.0.9", "10.0.0.3", "10.0.0.5"], ["10.0.0.2/24"]), [
    "10.0.0.9",
    "10.0.0.3",
    "10.0.0.5",
  ]);
});

Deno.test("address policy: scopes (RFC 6724 3.1, 3.2)", () => {
  const scopes = [
    "fe80::1",
    "::1",
    "fec0::1",
    "2001:db8::1",
    "fd00::1",
    "ff02::1",
    "ff0e::1",
    "169.254.0.1",
    "127.0.0.1",
    "10.0.0.1",
  ];
  deepEqual(scopes.map((text) => scopeOf(parse(text))), [2, 2, 5, 14, 14, 2, 14, 2, 2, 14]);
});
