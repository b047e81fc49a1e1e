/**
 * IPv4 address conflict detection, RFC 5227, and link-local addresses, RFC 3927.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { AddressOrigin, AddressState, addressStateName } from "../../stack/host/addresses.ts";
import { type Instant, NEVER, seconds } from "../../stack/store/time.ts";
import { Address } from "../../stack/wire/address.ts";
import { Operation } from "../../stack/wire/arp.ts";
import {
  arpFrame,
  arpReply,
  BROADCAST_MAC,
  echoRequest,
  expectFrame,
  OWN,
  OWN_MAC,
  PEER,
  PEER_MAC,
  read,
} from "../support/frames.ts";
import { type Host, host, type HostOptions } from "../support/host.ts";

const NEW = "10.0.0.77";

/** A host that wants one more address. */
function claiming(origin: AddressOrigin = AddressOrigin.Manual, options: HostOptions = {}): Host {
  const made = host({ knowsPeer: false, ...options });
  made.ip.addresses.add(`${NEW}/24`, { state: AddressState.Tentative, origin });
  return made;
}

/** Lets time pass up to `to`, with what is sent, as [microseconds, what]. */
function run(made: Host, to: Instant): [Instant, string][] {
  const said: [Instant, string][] = [];
  for (let now = made.nic.now(); now <= to; now = Math.max(now + 1, Math.min(made.deadline, to + 1))) {
    for (const frame of made.at(now).transmit()) {
      const { arp, destination } = read(frame);
      equal(destination, BROADCAST_MAC);
      equal(arp?.operation, Operation.Request);
      equal(arp?.senderMac, OWN_MAC);
      said.push([now, arp?.sender === "0.0.0.0" ? `probe ${arp.target}` : `announce ${arp?.sender}`]);
    }
  }
  made.at(to);
  return said;
}

function state({ ip }: Host, address: string = NEW): string | undefined {
  const own = ip.addresses.find(Address.parse(address));
  return own === undefined ? undefined : addressStateName(own.state);
}

/** Somebody else's claim to an address. */
const claim = (sender: string) => arpFrame({ sender, target: sender, senderMac: PEER_MAC });

Deno.test("acd: an address is probed for three times, then announced twice, and used from the first announcement on (RFC 5227 2.1, 2.3)", () => {
  const made = claiming();
  const said = run(made, seconds(30));
  deepEqual(said.map(([, what]) => what.split(" ")[0]), ["probe", "probe", "probe", "announce", "announce"]);
  ok(said.every(([, what]) => what.endsWith(NEW)));
  const times = said.map(([now]) => now);
  ok(times[0]! <= seconds(1), "PROBE_WAIT");
  for (const probe of [1, 2]) {
    const gap = times[probe]! - times[probe - 1]!;
    ok(gap >= seconds(1) && gap <= seconds(2.001), `${gap}: PROBE_MIN to PROBE_MAX`);
  }
  equal(Math.round((times[3]! - times[2]!) / 1e6), 2, "ANNOUNCE_WAIT");
  equal(Math.round((times[4]! - times[3]!) / 1e6), 2, "ANNOUNCE_INTERVAL");
  equal(state(made), "preferred");
  equal(made.deadline, NEVER);
});

Deno.test("acd: while it is probed for it is not answered for, and nothing is sent from it (RFC 5227 2.1)", () => {
  const made = claiming();
  run(made, seconds(2));
  deepEqual(made.deliver(arpFrame({ target: NEW })), []);
  deepEqual(made.deliver(echoRequest({ ip: { destination: NEW } })), []);
  equal(state(made), "tentative");
});

Deno.test("acd: any packet from that address while it is probed for is a conflict: the address is not used (RFC 5227 2.1.1)", () => {
  for (
    const frame of [
      claim(NEW),
      arpReply({ sender: NEW, target: "0.0.0.0" }),
      arpFrame({ sender: NEW, target: PEER }),
    ]
  ) {
    const made = claiming();
    run(made, seconds(2));
    made.deliver(frame);
    equal(state(made), "duplicate");
    equal(made.ip.arp.conflicts.counters.duplicates, 1);
    deepEqual(run(made, seconds(30)), [], "nothing more is said of it");
    equal(made.ip.neighbours.size, 0, "nor learnt");
  }
});

Deno.test("acd: somebody else's probe for the same address is a conflict, our own played back is none (RFC 5227 2.1.1)", () => {
  const made = claiming();
  made.transmit();
  made.deliver(arpFrame({ sender: "0.0.0.0", target: NEW, senderMac: OWN_MAC }));
  equal(state(made), "tentative");
  made.deliver(arpFrame({ sender: "0.0.0.0", target: NEW }));
  equal(state(made), "duplicate");
});

Deno.test("acd: a given address is defended by one announcement in ten seconds, and kept (RFC 5227 2.4 c)", () => {
  const made = host({ knowsPeer: false });
  made.deliver(claim(OWN));
  deepEqual(run(made, seconds(1)), [[0, `announce ${OWN}`]]);
  for (let second = 2; second < 10; second++) {
    made.at(seconds(second)).deliver(claim(OWN), arpReply({ sender: OWN }));
    deepEqual(run(made, seconds(second)), []);
  }
  made.at(seconds(10)).deliver(claim(OWN));
  deepEqual(run(made, seconds(10)).length, 1);
  equal(made.ip.arp.conflicts.counters.conflicts, 18);
  equal(made.ip.arp.conflicts.counters.defended, 2);
  equal(made.ip.arp.counters.badSender, 18);
  ok(made.ip.addresses.owns(Address.parse(OWN)));
});

Deno.test("acd: a leased address is defended once, and given up when the other goes on (RFC 5227 2.4 b)", () => {
  const made = claiming(AddressOrigin.Dhcp);
  run(made, seconds(20));
  made.deliver(claim(NEW));
  equal(run(made, seconds(21)).length, 1);
  made.at(seconds(25)).deliver(claim(NEW));
  equal(state(made), "duplicate");
  equal(made.ip.arp.conflicts.counters.givenUp, 1);
  deepEqual(run(made, seconds(60)), []);
});

Deno.test("acd: claims ten seconds apart are defended against each time", () => {
  const made = claiming(AddressOrigin.Dhcp);
  run(made, seconds(20));
  for (let round = 2; round < 8; round++) {
    made.at(seconds(10 * round)).deliver(claim(NEW));
    equal(run(made, seconds(10 * round)).length, 1);
  }
  equal(state(made), "preferred");
});

Deno.test("acd: a flood of claims costs one announcement, and nothing grows", () => {
  const made = host({ knowsPeer: false, guard: false });
  for (let n = 0; n < 10_000; n++) made.at(n * 10).deliver(claim(OWN));
  equal(made.transmit().length, 1);
  equal(made.ip.neighbours.size, 0);
});

Deno.test("acd: an address that is taken away while it is probed for is forgotten", () => {
  const made = claiming();
  run(made, seconds(2));
  made.ip.addresses.remove(Address.parse(NEW));
  deepEqual(run(made, seconds(30)), []);
  equal(made.deadline, NEVER);
});

/** A host that tells of the addresses that it uses without having probed for them, too. */
function announcing(): Host {
  const made = host({ knowsPeer: false });
  made.ip.arp.conflicts.announcesAll = true;
  return made;
}

Deno.test("acd: an address in use that was not probed for is announced twice, and so is one that comes later (RFC 5227 2.3)", () => {
  const made = announcing();
  deepEqual(run(made, seconds(10)), [[0, `announce ${OWN}`], [seconds(2), `announce ${OWN}`]]);
  equal(made.deadline, NEVER);
  made.ip.addresses.add(`${NEW}/24`);
  deepEqual(run(made, seconds(20)).map(([, what]) => what), [`announce ${NEW}`, `announce ${NEW}`]);
  equal(made.ip.arp.conflicts.isIdle, true);
});

Deno.test("acd: an address that is taken away between its announcements is not announced, and anew when it comes back", () => {
  const made = announcing();
  equal(run(made, seconds(1)).length, 1);
  made.ip.addresses.remove(Address.parse(OWN));
  deepEqual(run(made, seconds(10)), []);
  made.ip.addresses.add(`${OWN}/24`);
  equal(run(made, seconds(20)).length, 2);
});

Deno.test("acd: on another cable what is in use is announced once more", () => {
  const made = announcing();
  run(made, seconds(10));
  made.ip.arp.conflicts.announce();
  deepEqual(run(made, seconds(20)).map(([, what]) => what), [`announce ${OWN}`, `announce ${OWN}`]);
});

Deno.test("acd: who hears an announcement goes on with the new station, and nobody is remembered for it alone (RFC 826)", () => {
  const made = host({ knowsPeer: false });
  const moved = "02:00:00:00:00:77";
  made.deliver(arpFrame({ sender: PEER, target: OWN, senderMac: PEER_MAC }));
  made.deliver(arpFrame({ sender: PEER, target: PEER, senderMac: moved }));
  equal(String(made.ip.neighbours.station(Address.parse(PEER))), moved);
  made.deliver(arpFrame({ sender: "10.0.0.50", target: "10.0.0.50", senderMac: moved }));
  equal(made.ip.neighbours.size, 1);
});

/** A host without an address, that gives itself one. */
function linkLocal(seed: number): Host {
  const made = host({ knowsPeer: false, ip: { addresses: [], neighbours: { seed: [seed, 0] } } });
  made.ip.arp.conflicts.useLinkLocal();
  return made;
}

const chosen = ({ ip }: Host) => String(ip.addresses.entries()[0]?.cidr);

Deno.test("link-local: an address of 169.254.1.0 to 169.254.254.255 is chosen at random, and probed for (RFC 3927 2.1)", () => {
  const all = new Set<string>();
  for (let seed = 0; seed < 50; seed++) {
    const made = linkLocal(seed);
    const [, third] = /^169\.254\.(\d+)\.\d+\/16$/.exec(chosen(made)) ?? [];
    ok(Number(third) >= 1 && Number(third) <= 254, chosen(made));
    all.add(chosen(made));
  }
  ok(all.size > 45, "and by another host another one");
  const made = linkLocal(7);
  equal(run(made, seconds(30)).length, 5);
  equal(state(made, chosen(made).split("/")[0]), "preferred");
  equal(chosen(made), chosen(linkLocal(7)), "the same seed tries the same again (RFC 3927 2.1)");
});

Deno.test("link-local: after a conflict another address is tried; after ten, one a minute (RFC 3927 2.2.1)", () => {
  const made = linkLocal(3);
  const tried: string[] = [];
  while (tried.length < 10) {
    run(made, made.nic.now() + 1_000);
    const address = chosen(made).split("/")[0]!;
    tried.push(address);
    made.deliver(claim(address));
  }
  equal(new Set(tried).size, 10);
  const at = made.nic.now();
  run(made, at + seconds(59));
  equal(made.ip.addresses.entries().length, 0);
  run(made, at + seconds(61));
  equal(made.ip.addresses.entries().length, 1);
});

Deno.test("link-local: whatever tells of the address goes to everybody (RFC 3927 2.5)", () => {
  const made = linkLocal(7);
  run(made, seconds(30));
  const own = chosen(made).split("/")[0]!;
  const [frame] = made.deliver(arpFrame({ sender: "169.254.9.9", target: own }));
  expectFrame(frame, { destination: BROADCAST_MAC, arp: { operation: Operation.Reply, sender: own } });
});

Deno.test("link-local: in use, it is defended once and then given up for another (RFC 3927 2.5 b)", () => {
  const made = linkLocal(7);
  run(made, seconds(30));
  const own = chosen(made).split("/")[0]!;
  made.deliver(claim(own));
  equal(run(made, seconds(31)).length, 1);
  made.deliver(claim(own));
  run(made, seconds(32));
  ok(chosen(made).startsWith("169.254.") && !chosen(made).startsWith(`${own}/`));
});
