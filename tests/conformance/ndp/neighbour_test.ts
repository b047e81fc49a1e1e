/**
 * Neighbours over IPv6: RFC 4861 7.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { AddressState } from "../../../stack/host/addresses.ts";
import { neighbourStateName } from "../../../stack/host/neighbours.ts";
import { NEVER, seconds } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { echoRequest6, expectFrame, OWN_MAC, PEER_MAC, read } from "../../support/frames.ts";
import { counted } from "../../support/host.ts";
import {
  advertisement,
  ndpHost,
  OWN6,
  PEER6,
  PEER_LOCAL6,
  probe,
  run,
  say,
  solicitation,
  solicitedNode,
} from "../../support/ndp.ts";

const MOVED = "02:00:00:00:00:77";

type Made = ReturnType<typeof ndpHost>;

/** How the peer stands, as "state station". */
function peer({ ip, nic }: Made, address: string = PEER6): string | undefined {
  const state = ip.neighbours.state(Address.parse(address), nic.now());
  return state === undefined
    ? undefined
    : `${neighbourStateName(state)} ${ip.neighbours.station(Address.parse(address)) ?? "-"}`;
}

/** A host that has looked the peer up. */
function looking(): Made {
  const made = ndpHost();
  made.ip.neighbours.lookup(Address.parse(PEER6), 0, new Mac());
  deepEqual(made.transmit().map(say), [`NS ${PEER6} from ${OWN6} to ${solicitedNode(PEER6)}`]);
  return made;
}

/** A host that knows the peer to be reachable. */
function reachable(): Made {
  const made = looking();
  made.deliver(advertisement());
  equal(peer(made), `reachable ${PEER_MAC}`);
  return made;
}

Deno.test("ndp: a solicitation for an own address is answered to its sender, with the own link address (RFC 4861 7.2.4)", () => {
  const made = ndpHost();
  made.deliver(solicitation());
  const [frame, ...more] = made.transmit();
  deepEqual(more, []);
  equal(say(frame!), `NA SO ${OWN6} from ${OWN6} to ${PEER6}`);
  expectFrame(frame, {
    destination: PEER_MAC,
    source: OWN_MAC,
    ip6: { hopLimit: 255, payloadLength: 32 },
    icmp6: { code: 0, isChecksumRight: true },
  });
  equal(read(frame).payload.slice(16).toHex(), "0201020000000001");
  equal(made.deadline, seconds(5), "who asked is confirmed when it does not confirm itself");
});

Deno.test("ndp: who asks is known but stale (RFC 4861 7.2.3)", () => {
  const made = ndpHost();
  made.deliver(solicitation());
  equal(peer(made), `stale ${PEER_MAC}`);
  made.deliver(solicitation({ mac: MOVED }));
  equal(peer(made), `stale ${MOVED}`);
});

Deno.test("ndp: a unicast solicitation without a link address is answered, too (RFC 4861 7.2.4)", () => {
  const made = reachable();
  made.deliver(solicitation({ destination: OWN6, mac: null }));
  deepEqual(made.transmit().map(say), [`NA SO ${OWN6} from ${OWN6} to ${PEER6}`]);
  equal(peer(made), `reachable ${PEER_MAC}`);
});

Deno.test("ndp: a probe for an address in use is answered to all, unsolicited (RFC 4861 7.2.4)", () => {
  const made = ndpHost();
  made.deliver(probe(OWN6));
  deepEqual(made.transmit().map(say), [`NA O ${OWN6} from ${OWN6} to ff02::1`]);
  equal(made.ip.neighbours.size, 0);
});

Deno.test("ndp: what a router has passed on is ignored: the hop limit must be 255 (RFC 4861 7.1)", () => {
  for (const hopLimit of [0, 1, 64, 254]) {
    const made = ndpHost();
    made.deliver(solicitation({ hopLimit }), advertisement({ hopLimit }));
    deepEqual(made.transmit(), []);
    equal(made.ndp.counters.badHopLimit, 2);
  }
});

Deno.test("ndp: messages of another code, a wrong checksum, or cut short are ignored (RFC 4861 7.1)", () => {
  const made = ndpHost();
  made.deliver(solicitation({ code: 1 }), advertisement({ code: 1 }));
  deepEqual(counted(made.ndp.counters), { malformed: 2 });
  made.deliver(solicitation({ checksumError: 1 }));
  equal(made.ip.counters.badLinkControl, 1);
  deepEqual(made.transmit(), []);
});

Deno.test("ndp: an option of no length, or beyond the end, discards the message (RFC 4861 7.1)", () => {
  const made = ndpHost();
  for (const options of [[14, 0, 0, 0, 0, 0, 0, 0], [14, 2, 0, 0, 0, 0, 0, 0], [14, 1, 0]]) {
    made.deliver(solicitation({ options: Uint8Array.from(options) }));
  }
  equal(made.ndp.counters.malformed, 3);
  made.deliver(solicitation({ options: Uint8Array.of(200, 1, 0, 0, 0, 0, 0, 0) }));
  equal(made.ndp.counters.received, 1, "but one that is not known is skipped (RFC 4861 4.6)");
});

Deno.test("ndp: a probe to one host, or with a link address, and a target that is a group are ignored (RFC 4861 7.1.1)", () => {
  const made = ndpHost();
  made.deliver(
    probe(OWN6, { destination: OWN6 }),
    probe(OWN6, { destination: "ff02::1" }),
    probe(OWN6, { mac: PEER_MAC }),
    solicitation({ target: "ff02::1:ff00:1", destination: OWN6 }),
    advertisement({ target: "ff02::1" }),
    advertisement({ destination: "ff02::1", flags: "SO" }),
    advertisement({ source: "::" }),
  );
  deepEqual(counted(made.ndp.counters), { badAddress: 7 });
  deepEqual(made.transmit(), []);
});

Deno.test("ndp: a look-up asks the solicited-node group, three times, a second apart (RFC 4861 7.2.2)", () => {
  const made = ndpHost();
  made.ip.neighbours.lookup(Address.parse(PEER6), 0, new Mac());
  const ask = `NS ${PEER6} from ${OWN6} to ${solicitedNode(PEER6)}`;
  deepEqual(run(made, 0, seconds(20)), [`0: ${ask}`, `1: ${ask}`, `2: ${ask}`]);
  equal(made.ip.neighbours.size, 0);
  equal(made.deadline, NEVER);
});

Deno.test("ndp: an unsolicited advertisement resolves a look-up, but proves nothing (RFC 4861 7.2.5)", () => {
  const solicited = looking();
  solicited.deliver(advertisement());
  equal(peer(solicited), `reachable ${PEER_MAC}`);
  const unsolicited = looking();
  unsolicited.deliver(advertisement({ flags: "O" }));
  equal(peer(unsolicited), `stale ${PEER_MAC}`);
  const nameless = looking();
  nameless.deliver(advertisement({ mac: null }));
  equal(peer(nameless), "incomplete -");
});

Deno.test("ndp: nobody is known who was not looked up (RFC 4861 7.2.5)", () => {
  const made = ndpHost();
  made.deliver(advertisement(), advertisement({ flags: "O", destination: "ff02::1" }));
  equal(made.ip.neighbours.size, 0);
  equal(made.ndp.counters.notForUs, 2);
});

Deno.test("ndp: without the override flag another link address is not taken, but the old one is in doubt (RFC 4861 7.2.5)", () => {
  for (const flags of ["", "S"]) {
    const made = reachable();
    made.deliver(advertisement({ flags, mac: MOVED, destination: OWN6 }));
    equal(peer(made), `stale ${PEER_MAC}`, flags);
    made.deliver(advertisement({ flags, mac: MOVED }));
    equal(peer(made), `stale ${PEER_MAC}`, "what is stale stays as it was");
  }
});

Deno.test("ndp: with the override flag it is taken: reachable if solicited, else stale (RFC 4861 7.2.5)", () => {
  const solicited = reachable();
  solicited.deliver(advertisement({ flags: "SO", mac: MOVED }));
  equal(peer(solicited), `reachable ${MOVED}`);
  const unsolicited = reachable();
  unsolicited.deliver(advertisement({ flags: "O", mac: MOVED, destination: "ff02::1" }));
  equal(peer(unsolicited), `stale ${MOVED}`);
  const same = reachable();
  same.deliver(advertisement({ flags: "O", destination: "ff02::1" }));
  equal(peer(same), `reachable ${PEER_MAC}`, "news that is none changes nothing");
});

Deno.test("ndp: a neighbour in use is confirmed by a solicitation to itself, and stays (RFC 4861 7.3.3)", () => {
  const made = ndpHost();
  made.deliver(solicitation());
  made.transmit();
  made.deliver(echoRequest6());
  const ask = `NS ${PEER6} from ${OWN6} to ${PEER6}`;
  deepEqual(run(made, 1, seconds(5)), [`5: ${ask}`]);
  made.deliver(advertisement({ mac: null, flags: "S" }));
  equal(
    peer(made),
    `reachable ${PEER_MAC}`,
    "a solicited answer without a link address confirms the known one",
  );
});

Deno.test("ndp: one that does not answer is asked three times by itself, and is then looked up anew (RFC 4861 7.3.3)", () => {
  const made = ndpHost();
  made.deliver(solicitation(), echoRequest6());
  const ask = `NS ${PEER6} from ${OWN6} to ${PEER6}`;
  const said = run(made, 0, seconds(20)).filter((line) => !line.includes("NA"));
  deepEqual(said, [`5: ${ask}`, `6: ${ask}`, `7: ${ask}`]);
  equal(peer(made), undefined);
});

Deno.test("ndp: somebody else's use of our address is counted, and changes nothing", () => {
  const made = ndpHost();
  made.deliver(
    advertisement({ target: OWN6, flags: "O", destination: "ff02::1" }),
    solicitation({ source: OWN6, target: OWN6 }),
  );
  equal(made.ndp.counters.conflicts, 2);
  deepEqual(made.transmit(), []);
  equal(made.ip.neighbours.size, 0);
});

Deno.test("ndp: what the link plays back to us is no claim (RFC 4862 5.4.3)", () => {
  const made = ndpHost();
  const link = { source: OWN_MAC };
  made.deliver(
    advertisement({ target: OWN6, flags: "O", destination: "ff02::1", link }),
    probe(OWN6, { link }),
  );
  equal(made.ndp.counters.conflicts, 0);
  deepEqual(made.transmit(), []);
});

Deno.test("ndp: sixteen answers wait at most; the rest are not given, and counted", () => {
  const made = ndpHost();
  for (let n = 2; n < 22; n++) made.deliver(solicitation({ source: `2001:db8::${n}` }));
  equal(made.transmit().filter((frame) => say(frame).startsWith("NA")).length, 16);
  equal(made.ndp.counters.unanswered, 4);
});

Deno.test("ndp: router solicitations are for routers (RFC 4861 6.2.6), and link-local peers are neighbours like others", () => {
  const made = ndpHost();
  made.deliver(solicitation({ source: PEER_LOCAL6, target: "fe80::1" }));
  deepEqual(made.transmit().map(say), [`NA SO fe80::1 from fe80::1 to ${PEER_LOCAL6}`]);
  equal(peer(made, PEER_LOCAL6), `delay ${PEER_MAC}`);
});

Deno.test("ndp: a scan of a /64 by forged requests asks for nobody twice in a second, and harms nobody known", () => {
  const made = ndpHost({ guard: false, ip: { neighbours: { capacity: 64 } } });
  made.deliver(solicitation());
  made.transmit();
  made.deliver(advertisement());
  const last = new Map<string, number>();
  for (let now = 0, n = 0; now < seconds(1.5); now += 100, n++) {
    made.at(now).deliver(echoRequest6({ ip: { source: `2001:db8::1:${(n % 500).toString(16)}` } }));
    for (const frame of made.transmit()) {
      const said = say(frame);
      if (!said.startsWith("NS")) continue;
      equal(now - (last.get(said) ?? -seconds(1)) >= seconds(1), true, said);
      last.set(said, now);
    }
  }
  equal(made.ip.neighbours.size <= 64 + 16, true);
  equal(peer(made), `reachable ${PEER_MAC}`);
});

Deno.test("ndp: an address that comes into use is advertised to all, twice, where that is asked for (RFC 4861 7.2.6)", () => {
  const made = ndpHost({ ndp: { announce: true }, ip: { addresses: [`${OWN6}/64`] } });
  const all = `NA O ${OWN6} from ${OWN6} to ff02::1`;
  deepEqual(run(made, 0, seconds(10)), [`0: ${all}`, `2: ${all}`]);
  equal(made.deadline, NEVER);
  made.ndp.announce();
  equal(run(made, seconds(10), seconds(20)).length, 2, "on another cable once more");
  deepEqual(run(ndpHost(), 0, seconds(10)), [], "by default not");
});

Deno.test("ndp: an address that is probed for is advertised only when nobody has it (RFC 4862 5.4)", () => {
  const tentative = () => {
    const made = ndpHost({ ndp: { announce: true }, ip: { addresses: [] } });
    made.ip.addresses.add(`${OWN6}/64`, { state: AddressState.Tentative });
    return made;
  };
  const said = run(tentative(), 0, seconds(10)).map((said) => said.split(" ")[1]);
  deepEqual(said, ["NS", "NA", "NA"]);
  const made = tentative();
  made.deliver(probe(OWN6));
  deepEqual(run(made, 0, seconds(10)), []);
});
