/**
 * Duplicate address detection: RFC 4862 5.4, RFC 7217 6.
 *
 * @module
 */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { AddressOrigin, AddressState, addressStateName } from "../../../stack/host/addresses.ts";
import { NEVER, seconds } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import { echoRequest6, OWN_MAC } from "../../support/frames.ts";
import {
  advertisement,
  ndpHost,
  OWN6,
  PEER6,
  probe,
  run,
  solicitation,
  solicitedNode,
} from "../../support/ndp.ts";

type Made = ReturnType<typeof ndpHost>;

const NEW = "2001:db8::77";

/** A host that wants one more address. */
function tentative(options: Parameters<typeof ndpHost>[0] = {}): Made {
  const made = ndpHost(options);
  made.ip.addresses.add(`${NEW}/64`, { state: AddressState.Tentative });
  return made;
}

function state(made: Made, address: string = NEW): string | undefined {
  const found = made.ip.addresses.find(Address.parse(address));
  return found === undefined ? undefined : addressStateName(found.state);
}

Deno.test("ndp: an address is asked for from nobody, and used a second later if nobody answers (RFC 4862 5.4.2)", () => {
  const made = tentative();
  const said = run(made, 0, seconds(10));
  equal(said.length, 1);
  ok(said[0]!.endsWith(`: NS ${NEW} from :: to ${solicitedNode(NEW)}`), `${said}`);
  ok(Number(said[0]!.slice(0, 3)) <= 1, "after at most a second, at random");
  equal(state(made), "preferred");
  equal(made.deadline, NEVER);
});

Deno.test("ndp: an address that is added when the host has long been at rest is used a second later, too", () => {
  const made = tentative();
  run(made, 0, seconds(10));
  const late = "2001:db8::78";
  made.ip.addresses.add(`${late}/64`, { state: AddressState.Tentative });
  deepEqual(run(made, seconds(10), seconds(20)), [`10: NS ${late} from :: to ${solicitedNode(late)}`]);
  equal(state(made, late), "preferred");
});

Deno.test("ndp: so often as it is told to (RFC 4862 5.1, DupAddrDetectTransmits)", () => {
  for (const transmits of [0, 1, 3]) {
    const made = tentative({ ndp: { transmits } });
    equal(run(made, 0, seconds(20)).length, transmits);
    equal(state(made), "preferred");
  }
});

Deno.test("ndp: a tentative address is neither answered for nor sent from (RFC 4862 5.4)", () => {
  const made = tentative();
  made.transmit();
  deepEqual(made.deliver(echoRequest6({ ip: { destination: NEW } })), []);
  made.deliver(solicitation({ target: NEW }));
  equal(run(made, 0, seconds(1)).filter((line) => line.includes("NA")).length, 0);
  equal(made.ip.counters.notForUs, 1);
  ok(![...made.ip.addresses].some((cidr) => String(cidr.address) === NEW));
});

Deno.test("ndp: somebody else's advertisement makes it a duplicate, which is never used (RFC 4862 5.4.4)", () => {
  const made = tentative();
  run(made, 0, seconds(1));
  made.deliver(advertisement({ source: NEW, target: NEW, flags: "O", destination: "ff02::1" }));
  equal(state(made), "duplicate");
  equal(made.ndp.counters.duplicates, 1);
  deepEqual(run(made, seconds(1), seconds(20)), []);
  equal(state(made), "duplicate");
  made.deliver(solicitation({ target: NEW }));
  deepEqual(made.transmit(), []);
});

Deno.test("ndp: somebody else's probe for it makes it a duplicate, too (RFC 4862 5.4.3)", () => {
  const made = tentative();
  made.deliver(probe(NEW));
  equal(state(made), "duplicate");
});

Deno.test("ndp: our own probe played back, and a question from a host that has an address, do not (RFC 4862 5.4.3)", () => {
  const made = tentative();
  made.deliver(probe(NEW, { link: { source: OWN_MAC } }), solicitation({ target: NEW, source: PEER6 }));
  equal(state(made), "tentative");
});

Deno.test("ndp: a duplicate of an address that the host made itself is replaced by another, three times at most (RFC 7217 6)", () => {
  const made = ndpHost({ ndp: { linkLocal: true }, ip: { addresses: [] } });
  const seen: string[] = [];
  for (let round = 0; round < 6; round++) {
    made.at(seconds(round)).transmit();
    const own = made.ip.addresses.entries().find(({ state }) => state === AddressState.Tentative);
    if (own === undefined) break;
    equal(own.origin, AddressOrigin.LinkLocal);
    const address = String(own.cidr.address);
    seen.push(address);
    made.deliver(advertisement({ source: address, target: address, flags: "O", destination: "ff02::1" }));
  }
  equal(seen.length, 3);
  equal(new Set(seen).size, 3);
  equal(made.ndp.counters.duplicates, 3);
  deepEqual([...made.ip.addresses], []);
});

Deno.test("ndp: the link-local address is stable for a secret and a station, and another's for another (RFC 7217 5)", () => {
  const addressOf = (secret: [number, number, number, number]) => {
    const made = ndpHost({ ndp: { linkLocal: true, secret }, ip: { addresses: [] } });
    return String(made.ip.addresses.entries()[0]!.cidr);
  };
  equal(addressOf([1, 2, 3, 4]), addressOf([1, 2, 3, 4]));
  notEqual(addressOf([1, 2, 3, 4]), addressOf([1, 2, 3, 5]));
  ok(/^fe80::.*\/64$/.test(addressOf([1, 2, 3, 4])));
  ok(!addressOf([1, 2, 3, 4]).includes("ff:fe"), "and is not made of the station's address");
});

Deno.test("ndp: an address that is taken away while it is asked for is forgotten", () => {
  const made = tentative();
  made.transmit();
  made.ip.addresses.remove(Address.parse(NEW));
  deepEqual(run(made, 0, seconds(5)), []);
  equal(made.ip.addresses.entries().length, 2);
  equal(String([...made.ip.addresses][1]), `${OWN6}/64`);
});
