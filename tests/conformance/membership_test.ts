/**
 * Membership in groups: IGMP (RFC 3376, RFC 2236, RFC 1112) and MLD (RFC 3810, RFC 2710).
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { AddressState } from "../../stack/host/addresses.ts";
import { Autoconf } from "../../stack/ndp/autoconf.ts";
import { Membership } from "../../stack/multicast/endpoint.ts";
import { type Instant, NEVER, seconds } from "../../stack/store/time.ts";
import { Address } from "../../stack/wire/address.ts";
import * as igmp from "../../stack/wire/igmp.ts";
import * as ipv4Wire from "../../stack/wire/ipv4.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import { verifyChecksum } from "../../stack/wire/icmpv6.ts";
import { ethernet, ipv4, OWN_MAC } from "../support/frames.ts";
import { OWN_LOCAL6 } from "../support/frames-v6.ts";
import { type Host, host } from "../support/host.ts";
import { mldMessage, query, query6 } from "../support/groups.ts";
import { bytes6 } from "../support/ndp.ts";

const GROUP = "239.1.2.3", OTHER = "239.9.9.9";
const GROUP6 = "ff05::1:3", SOLICITED = "ff02::1:ff00:1";

type Made = Host & { readonly membership: Membership };

function member(addresses: readonly string[], ...groups: string[]): Made {
  const made = host({ knowsPeer: false, ip: { addresses } });
  const membership = new Membership(made.ip, 1);
  made.ip.linkControl = membership;
  for (const group of groups) made.ip.addresses.join(Address.parse(group));
  return Object.assign(made, { membership });
}

const member4 = (...groups: string[]) => member(["10.0.0.1/24"], ...groups);
const member6 = (...groups: string[]) => member([`${OWN_LOCAL6}/64`], ...groups);

/** What a report says: "IS_EX 239.1.2.3 to 224.0.0.22". */
function say(frame: Uint8Array): string {
  return frame[12] === 8 ? sayIgmp(frame) : sayMld(frame);
}

const RECORDS: Readonly<Record<number, string>> = { 2: "IS_EX", 3: "TO_IN", 4: "TO_EX" };

function sayIgmp(frame: Uint8Array): string {
  const at = 14 + ipv4Wire.headerLength(frame, 14);
  equal(ipv4Wire.protocol(frame, 14), Protocol.Igmp);
  equal(ipv4Wire.hopLimit(frame, 14), 1, "it stays on the link");
  equal(frame.slice(34, 38).toHex(), "94040000", "router alert");
  ok(ipv4Wire.verifyChecksum(frame, 14));
  equal(igmp.check(frame, at, frame.length), 0);
  const to = new Address().readV4(frame, 14 + ipv4Wire.DESTINATION);
  const type = igmp.type(frame, at);
  if (type !== igmp.Type.ReportV3) {
    return `${type === igmp.Type.Leave ? "leave" : type === igmp.Type.ReportV2 ? "v2" : "v1"} ${
      new Address().readV4(frame, at + igmp.GROUP)
    } to ${to}`;
  }
  equal(ipv4Wire.trafficClass(frame, 14), 0xc0);
  const records = Array.from({ length: igmp.records(frame, at) }, (_, index) => {
    const record = at + 8 + 8 * index;
    return `${RECORDS[frame[record]!]} ${new Address().readV4(frame, record + 4)}`;
  });
  equal(frame.length, at + 8 + 8 * records.length);
  return `${records.join(", ")} to ${to}`;
}

function sayMld(frame: Uint8Array): string {
  const at = 14 + 40 + 8;
  equal(frame[20], Protocol.HopByHop);
  equal(frame[21], 1, "it stays on the link");
  equal(frame.slice(54, 62).toHex(), "3a00050200000100", "router alert");
  const source = new Address().readV6(frame, 22), to = new Address().readV6(frame, 38);
  ok(verifyChecksum(frame, at, frame.length, source, to));
  const from = source.isUnspecified ? " from ::" : "";
  if (frame[at] !== 143) {
    return `${frame[at] === 132 ? "done" : "v1"} ${new Address().readV6(frame, at + 8)} to ${to}${from}`;
  }
  const records = Array.from({ length: frame[at + 7]! }, (_, index) => {
    const record = at + 8 + 20 * index;
    return `${RECORDS[frame[record]!]} ${new Address().readV6(frame, record + 4)}`;
  });
  equal(frame.length, at + 8 + 20 * records.length);
  return `${records.join(", ")} to ${to}${from}`;
}

/** Lets time pass up to `to`, with what is sent. */
function run(made: Host, to: Instant): [Instant, string][] {
  const said: [Instant, string][] = [];
  for (let now = made.nic.now(); now <= to; now = Math.max(now + 1, Math.min(made.deadline, to + 1))) {
    for (const frame of made.at(now).transmit()) said.push([now, say(frame)]);
    ok(made.deadline > now, "the host spins");
  }
  made.at(to);
  return said;
}

const words = (said: readonly [Instant, string][]) => said.map(([, what]) => what);

Deno.test("igmp: joining is told twice, within a second, in case one is lost (RFC 3376 5.1)", () => {
  const made = member4(GROUP);
  const said = run(made, seconds(100));
  deepEqual(words(said), Array(2).fill(`TO_EX ${GROUP} to 224.0.0.22`));
  equal(said[0]![0], 0);
  ok(said[1]![0] > 0 && said[1]![0] <= seconds(1.01));
  equal(made.deadline, NEVER);
});

Deno.test("igmp: leaving is told twice, too", () => {
  const made = member4(GROUP);
  run(made, seconds(10));
  made.ip.addresses.leave(Address.parse(GROUP));
  deepEqual(words(run(made, seconds(20))), Array(2).fill(`TO_IN ${GROUP} to 224.0.0.22`));
  deepEqual(run(made, seconds(100)), []);
});

Deno.test("igmp: what is left before the second report is told as left; and joined again as joined", () => {
  const made = member4(GROUP);
  made.transmit();
  made.ip.addresses.leave(Address.parse(GROUP));
  made.transmit();
  made.ip.addresses.join(Address.parse(GROUP));
  deepEqual(words(run(made, seconds(10))), Array(2).fill(`TO_EX ${GROUP} to 224.0.0.22`));
});

Deno.test("igmp: a general query is answered with all groups, after a random time within its limit (RFC 3376 5.2)", () => {
  const times = new Set<number>();
  for (let seed = 0; seed < 20; seed++) {
    const made = host({ knowsPeer: false });
    made.ip.linkControl = new Membership(made.ip, seed);
    for (const group of [GROUP, OTHER]) made.ip.addresses.join(Address.parse(group));
    run(made, seconds(10));
    made.deliver(query({ code: 50 }));
    const said = run(made, seconds(30));
    deepEqual(words(said), [`IS_EX ${GROUP}, IS_EX ${OTHER} to 224.0.0.22`]);
    ok(said[0]![0] > seconds(10) && said[0]![0] <= seconds(15.01));
    times.add(said[0]![0]);
  }
  ok(times.size > 15);
});

Deno.test("igmp, mld: groups are told of anew when the cable was pulled, since switch and router may be others", () => {
  const made = host({ knowsPeer: false, ip: { addresses: ["10.0.0.1/24", `${OWN_LOCAL6}/64`] } });
  const autoconf = new Autoconf(made.ip, { mac: Mac.parse(OWN_MAC), secret: [1, 2, 3, 4] });
  made.ip.addresses.join(Address.parse(GROUP));
  const isReport = (frame: Uint8Array) => frame[23] === Protocol.Igmp || frame[20] === Protocol.HopByHop;
  const reports = (from: Instant, to: Instant) => {
    const said: string[] = [];
    for (let now = from; now < to; now = Math.min(made.deadline, to)) {
      said.push(...made.at(now).transmit().filter(isReport).map(say));
    }
    return said.sort();
  };
  const igmpReport = `TO_EX ${GROUP} to 224.0.0.22`, mldReport = `TO_EX ${SOLICITED} to ff02::16`;
  deepEqual(reports(0, seconds(100)), [igmpReport, igmpReport, mldReport, mldReport]);
  autoconf.announce();
  deepEqual(reports(seconds(100), seconds(200)), [igmpReport, igmpReport, mldReport, mldReport]);
});

Deno.test("igmp: a query about one group is answered for it alone, and not by who is not in it", () => {
  const made = member4(GROUP, OTHER);
  run(made, seconds(10));
  made.deliver(query({ group: GROUP, code: 10 }), query({ group: "239.7.7.7", code: 10 }));
  deepEqual(words(run(made, seconds(30))), [`IS_EX ${GROUP} to 224.0.0.22`]);
});

Deno.test("igmp: a code from 128 on is a floating-point number (RFC 3376 4.1.1)", () => {
  equal(igmp.codeValue(0x7f), 127);
  equal(igmp.codeValue(0x80), 128);
  equal(igmp.codeValue(0xff), 31_744);
});

Deno.test("igmp: with a router of version 2 on the link it is spoken, for four minutes and twenty seconds (RFC 3376 7.2.1)", () => {
  const made = member4(GROUP);
  run(made, seconds(10));
  made.deliver(query({ version: 2, code: 100 }));
  deepEqual(words(run(made, seconds(30))), [`v2 ${GROUP} to ${GROUP}`]);
  made.ip.addresses.leave(Address.parse(GROUP));
  deepEqual(words(run(made, seconds(60))), [`leave ${GROUP} to 224.0.0.2`], "once (RFC 2236 3)");
  made.ip.addresses.join(Address.parse(OTHER));
  const joined = run(made, seconds(100));
  deepEqual(words(joined), Array(2).fill(`v2 ${OTHER} to ${OTHER}`));
  made.at(seconds(271)).deliver(query({ code: 10 }));
  deepEqual(words(run(made, seconds(300))), [`IS_EX ${OTHER} to 224.0.0.22`], "then version 3 again");
});

Deno.test("igmp: with a router of version 1 nobody says that it goes (RFC 1112)", () => {
  const made = member4(GROUP);
  run(made, seconds(10));
  made.deliver(query({ version: 1 }));
  deepEqual(words(run(made, seconds(30))), [`v1 ${GROUP} to ${GROUP}`]);
  made.ip.addresses.leave(Address.parse(GROUP));
  deepEqual(run(made, seconds(60)), []);
});

Deno.test("igmp: in version 2 another's report spares ours; in version 3 it does not (RFC 2236 3, RFC 3376 A.2)", () => {
  const report = () => {
    const bytes = new Uint8Array(8);
    igmp.emit(bytes, 0, igmp.Type.ReportV2, Address.parse(GROUP));
    return ethernet(ipv4(bytes, { protocol: Protocol.Igmp, destination: GROUP, hopLimit: 1 }), {
      destination: "01:00:5e:01:02:03",
    });
  };
  for (const [version, expected] of [[2, 0], [3, 1]] as const) {
    const made = member4(GROUP);
    run(made, seconds(10));
    made.deliver(query({ version, code: 100 }), report());
    equal(run(made, seconds(60)).length, expected);
    equal(made.membership.counters.reports, 1);
  }
});

Deno.test("igmp: queries that a router has passed on, of a wrong checksum or about no group are ignored and counted", () => {
  const made = member4(GROUP);
  run(made, seconds(10));
  made.deliver(query({ hopLimit: 2 }), query({ group: "10.0.0.9" }), query({ checksumError: 1 }));
  made.deliver(ethernet(ipv4(new Uint8Array(7), { protocol: Protocol.Igmp, hopLimit: 1 })));
  deepEqual(run(made, seconds(60)), []);
  equal(made.membership.counters.badQuery, 2);
  equal(made.membership.counters.malformed, 2);
  equal(made.ip.counters.linkControl, 4);
});

Deno.test("igmp: queries without a router alert, and general ones to others than all hosts, are ignored (RFC 3376 9.1)", () => {
  const made = member4(GROUP);
  run(made, seconds(10));
  const versions = [2, 3] as const;
  for (const version of versions) {
    made.deliver(query({ version, isAlert: false }), query({ version, destination: GROUP }));
  }
  equal(made.membership.counters.badQuery, 4);
  deepEqual(run(made, seconds(60)), []);
});

Deno.test("igmp: a switch without an address asks from 0.0.0.0, and is answered (RFC 4541 2.1.1)", () => {
  for (const version of [2, 3] as const) {
    const made = member4(GROUP);
    run(made, seconds(10));
    made.deliver(query({ version, source: "0.0.0.0" }));
    equal(run(made, seconds(60)).length, 1);
    deepEqual([made.membership.counters.queries, made.ip.counters.badSource], [1, 0]);
    made.deliver(query({ source: "0.0.0.0", destination: "10.0.0.1" }));
    equal(made.ip.counters.badSource, 1);
  }
});

Deno.test("igmp: the group of all hosts is never reported (RFC 3376 5); a host without an address reports from 0.0.0.0", () => {
  const made = member(["10.0.0.1/24"], "224.0.0.1");
  deepEqual(run(made, seconds(10)), []);
  const nobody = member([], GROUP);
  equal(run(nobody, seconds(10)).length, 2);
});

Deno.test("igmp: many groups take many reports, each within the MTU", () => {
  const made = member4(...Array.from({ length: 100 }, (_, n) => `239.0.0.${n + 1}`));
  const said = words(run(made, seconds(0)));
  equal(said.length, 4);
  equal(said.join(", ").match(/TO_EX/g)?.length, 100);
});

Deno.test("igmp: a flood of queries is answered once, and nothing grows", () => {
  const made = member4(GROUP);
  run(made, seconds(10));
  for (let n = 0; n < 1_000; n++) made.deliver(query({ code: 100 }), query({ group: GROUP, code: 100 }));
  ok(run(made, seconds(30)).length <= 2);
});

Deno.test("mld: groups are told of as they are joined and left, the solicited-node groups of the own addresses too (RFC 3810 6)", () => {
  const made = member6(GROUP6);
  const joined = `TO_EX ${GROUP6}, TO_EX ${SOLICITED} to ff02::16`;
  const said = words(run(made, seconds(10)));
  equal(said[0], joined);
  ok(said.length >= 2 && said.length <= 3, said.join("\n"));
  made.ip.addresses.leave(Address.parse(GROUP6));
  deepEqual(words(run(made, seconds(20))), Array(2).fill(`TO_IN ${GROUP6} to ff02::16`));
});

Deno.test("mld: while there is no link-local address the report comes from nobody (RFC 3810 5.2.13)", () => {
  const made = member([]);
  made.ip.addresses.add("fe80::1/64", { state: AddressState.Tentative });
  equal(words(run(made, 0))[0], `TO_EX ${SOLICITED} to ff02::16 from ::`);
});

Deno.test("mld: what nobody has told of, which routers drop, is told again when there is a link-local address (RFC 3590 4)", () => {
  const made = member([], GROUP6);
  made.ip.addresses.add("fe80::1/64", { state: AddressState.Tentative });
  const early = words(run(made, seconds(2)));
  ok(early.length >= 2 && early.every((what) => what.endsWith(" from ::")), early.join("\n"));
  made.ip.addresses.setState(Address.parse("fe80::1"), AddressState.Preferred);
  const said = words(run(made, seconds(10)));
  equal(said[0], `TO_EX ${GROUP6}, TO_EX ${SOLICITED} to ff02::16`);
  ok(said.length >= 2 && said.length <= 3, said.join("\n"));
  made.ip.addresses.setState(Address.parse("fe80::1"), AddressState.Deprecated);
  deepEqual(words(run(made, seconds(20))), [], "once");
});

Deno.test("mld: queries are answered within their limit, by the version of the router (RFC 3810 6.2, 8.2.1)", () => {
  const made = member6(GROUP6);
  run(made, seconds(10));
  made.deliver(query6("::", 5_000));
  const said = run(made, seconds(30));
  deepEqual(words(said), [`IS_EX ${GROUP6}, IS_EX ${SOLICITED} to ff02::16`]);
  ok(said[0]![0] <= seconds(15.01));
  made.deliver(query6("::", 1_000, 1));
  deepEqual(words(run(made, seconds(60))).sort(), [
    `v1 ${SOLICITED} to ${SOLICITED}`,
    `v1 ${GROUP6} to ${GROUP6}`,
  ]);
  made.ip.addresses.leave(Address.parse(GROUP6));
  deepEqual(words(run(made, seconds(90))), [`done ${GROUP6} to ff02::2`]);
});

Deno.test("mld: queries from afar, from addresses that are not link-local, or about no group are ignored (RFC 3810 6.2)", () => {
  const made = member6(GROUP6);
  run(made, seconds(10));
  made.deliver(
    query6("::", 1_000, 2, { hopLimit: 255 }),
    query6("::", 1_000, 2, { source: "2001:db8::2" }),
    query6("2001:db8::2", 1_000),
  );
  equal(made.membership.counters.badQuery, 3);
  made.deliver(mldMessage(130, 0, new Uint8Array(8)));
  equal(made.membership.counters.malformed, 1);
  deepEqual(run(made, seconds(60)), []);
});

Deno.test("mld: what comes without a router alert of its kind is no MLD (RFC 3810 5.1.14, 6.2; RFC 2711 2.1)", () => {
  const made = member6(GROUP6);
  run(made, seconds(10));
  const other = Uint8Array.of(5, 2, 0, 1, 1, 0), padding = Uint8Array.of(1, 4, 0, 0, 0, 0);
  for (const options of [null, padding, other]) {
    made.deliver(query6("::", 1_000, 2, { options }));
    made.deliver(mldMessage(131, 0, bytes6(GROUP6), { options }));
  }
  equal(made.membership.counters.badQuery, 6);
  deepEqual(run(made, seconds(60)), []);
});

Deno.test("mld: nobody off the link keeps us from reporting (RFC 2710 3)", () => {
  const made = member6(GROUP6);
  run(made, seconds(10));
  made.deliver(query6("::", 1_000, 1), mldMessage(131, 0, bytes6(GROUP6), { hopLimit: 64 }));
  made.deliver(mldMessage(131, 0, bytes6(GROUP6), { source: "2001:db8::2" }));
  equal(words(run(made, seconds(60))).length, 2);
  made.deliver(query6("::", 1_000, 1), mldMessage(131, 0, bytes6(GROUP6)));
  equal(words(run(made, seconds(90))).length, 1, "but a neighbour spares us that");
});

Deno.test("mld: groups of one host or interface, and of all nodes, are not told of (RFC 3810 6)", () => {
  const made = member(["10.0.0.1/24"], "ff01::5", "ff02::1", "ff00::5");
  deepEqual(run(made, seconds(10)), []);
});
