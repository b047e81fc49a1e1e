/**
 * What an IPv4 host takes, drops and never answers: RFC 791, RFC 894, RFC 1122 3.2.1, RFC 6864, RFC 7126.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { EtherType } from "../../stack/wire/ethernet.ts";
import { Type } from "../../stack/wire/icmpv4.ts";
import { Flag } from "../../stack/wire/ipv4.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import {
  BROADCAST_MAC,
  concat,
  data,
  type EchoFields,
  echoRequest,
  ethernet,
  expectFrame,
  icmp,
  ipv4,
  OWN,
  PEER,
  read,
} from "../support/frames.ts";
import { host } from "../support/host.ts";
import { check, fc } from "../support/property.ts";
import { deliver } from "./ledger.ts";

/** Asserts that an echo request with these fields is dropped for this reason, without a word. */
function isDropped(reason: string, fields: EchoFields): void {
  const { outcome, sent } = deliver(
    host({ ip: { addresses: [`${OWN}/24`], gateways: ["10.0.0.254"] } }),
    echoRequest(fields),
  );
  equal(outcome, `ip.${reason}`);
  deepEqual(sent, []);
}

/** Asserts that an echo request with these fields is answered. */
function isAnswered(fields: EchoFields): Uint8Array {
  const { outcome, sent } = deliver(host(), echoRequest(fields));
  equal(outcome, "icmp end.answered");
  expectFrame(sent[0], {
    icmp: { type: Type.EchoReply, isChecksumRight: true },
    ip: { isChecksumRight: true },
  });
  return sent[0]!;
}

Deno.test("ipv4: a version other than 4 is silently discarded (RFC 1122 3.2.1.1)", () => {
  for (const version of [0, 3, 5, 6, 15]) isDropped("wrongVersion", { ip: { version } });
});

Deno.test("ipv4: a wrong header checksum is silently discarded, whichever way it is wrong (RFC 1122 3.2.1.2)", () => {
  for (const checksumError of [1, -1, 0x100, 0x8000]) isDropped("wrongChecksum", { ip: { checksumError } });
});

Deno.test("ipv4: a source that no host can have is silently discarded (RFC 1122 3.2.1.3)", () => {
  const impossible = [
    "0.0.0.0",
    "0.0.0.9",
    "127.0.0.1",
    "127.255.255.254",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "10.0.0.255",
    OWN,
  ];
  for (const source of impossible) isDropped("badSource", { ip: { source } });
});

Deno.test("ipv4: a host that starts up calls to all from 0.0.0.0, and to nobody else (RFC 1122 3.2.1.3 (a))", () => {
  const made = host();
  const from = { source: "0.0.0.0", protocol: Protocol.Udp };
  const toAll = ethernet(ipv4(data(8), { ...from, destination: "255.255.255.255" }), {
    destination: BROADCAST_MAC,
  });
  made.deliver(toAll);
  equal(made.ip.counters.received, 1);
  isDropped("badSource", {
    ip: { ...from, destination: "10.0.0.255" },
    link: { destination: BROADCAST_MAC },
  });
  isDropped("badSource", { ip: from });
});

Deno.test("ipv4: what is for another host is silently discarded: a host is no router (RFC 1122 3.2.1.3, 3.3.1.1)", () => {
  for (const destination of ["10.0.0.3", "8.8.8.8", "224.0.0.2", "0.0.0.0", "10.0.1.255", "192.168.0.1"]) {
    isDropped("notForUs", { ip: { destination } });
  }
});

Deno.test("ipv4: a loopback address never comes over a wire (RFC 1122 3.2.1.3 (g))", () => {
  isDropped("badSource", { ip: { destination: "127.0.0.1" } });
});

Deno.test("ipv4: a packet for one host in a frame for all is silently discarded (RFC 1122 3.3.6)", () => {
  isDropped("unicastInGroup", { link: { destination: BROADCAST_MAC } });
});

Deno.test("ipv4: a time to live of 1 or 0 is no reason to drop what is for this host (RFC 1122 3.2.1.7)", () => {
  for (const hopLimit of [0, 1, 255]) isAnswered({ ip: { hopLimit } });
});

Deno.test("ipv4: options that are not understood are ignored (RFC 1122 3.2.1.8)", () => {
  const lists = [
    [1, 1, 1, 0],
    [0, 99, 99, 99],
    [7, 7, 4, 0, 0, 0, 0, 0],
    [68, 8, 5, 0, 0, 0, 0, 0],
    [130, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [148, 4, 0, 0],
    [222, 6, 1, 2, 3, 4, 1, 1],
    [222, 2, 1, 1],
    Array(40).fill(1),
  ];
  for (const options of lists) {
    const answer = isAnswered({ ip: { options }, data: data(20) });
    expectFrame(answer, { ip: { headerLength: 20 }, payload: data(20) });
  }
});

Deno.test("ipv4: malformed options are silently discarded (RFC 1122 3.2.1.8)", () => {
  const lists = [[7], [1, 1, 1, 7], [7, 0, 4, 0], [7, 1, 4, 0], [7, 9, 4, 0, 0, 0, 0, 0], [1, 222, 255, 0]];
  for (const list of lists) {
    const padded = [...list, ...Array((4 - list.length % 4) % 4).fill(7)];
    isDropped("badOptions", { ip: { options: padded } });
  }
});

Deno.test("ipv4: source routes are refused, loose and strict (RFC 7126 4.3, 4.4)", () => {
  for (const type of [131, 137]) {
    isDropped("sourceRoute", { ip: { options: [type, 7, 4, 10, 0, 0, 9, 0] } });
    isDropped("sourceRoute", { ip: { options: [1, 7, 3, 4, type, 3, 4, 0] } });
  }
});

Deno.test("ipv4: a source route behind the list's end is padding (RFC 791 3.1)", () => {
  isAnswered({ ip: { options: [0, 131, 3, 4] } });
});

Deno.test("ipv4: a header length below 20, and a total length below the header's, are silently discarded", () => {
  for (const headerLength of [0, 4, 16]) isDropped("malformed", { ip: { headerLength } });
  for (const totalLength of [0, 1, 19]) isDropped("malformed", { ip: { totalLength } });
});

Deno.test("ipv4: a total length beyond the frame is silently discarded", () => {
  for (const totalLength of [37, 1_500, 65_535]) {
    isDropped("truncated", { ip: { totalLength }, data: data(8) });
  }
});

Deno.test("ipv4: a header length beyond the frame is silently discarded", () => {
  const packet = ipv4(data(8));
  packet[0] = 0x4f;
  const { outcome, sent } = deliver(host(), ethernet(packet));
  ok(outcome === "ip.malformed" || outcome === "ip.truncated", outcome);
  deepEqual(sent, []);
});

Deno.test("ipv4: no fragment is answered alone, be it first, middle or last (RFC 791 3.2)", () => {
  isDropped("fragmentsKept", { ip: { flags: Flag.MoreFragments } });
  isDropped("fragmentsKept", { ip: { flags: Flag.MoreFragments, offset: 1_480 } });
  isDropped("fragmentsKept", { ip: { flags: 0, offset: 1_480 } });
  isDropped("badFragment", { ip: { flags: 0, offset: 65_528 } });
  isAnswered({ ip: { flags: 0 } });
});

Deno.test("ipv4: Ethernet's padding is no part of the packet (RFC 894)", () => {
  for (const padTo of [46, 100, 1_500]) {
    const answer = isAnswered({ data: data(5), link: { padTo } });
    equal(answer.length, 14 + 20 + 8 + 5);
  }
});

Deno.test("ipv4: padding may hold anything: it is not in the checksum and not in the answer", () => {
  const frame = concat(echoRequest({ data: data(5) }), data(13, 200));
  const { outcome, sent } = deliver(host(), frame);
  equal(outcome, "icmp end.answered");
  deepEqual(read(sent[0]).payload, data(5));
});

Deno.test("ipv4: a frame longer than the link should carry is dealt with all the same", () => {
  const long = host({ nic: { mtu: 1_500, frameLength: 4_000 } });
  const { outcome, sent } = deliver(long, echoRequest({ data: data(3_000) }));
  equal(outcome, "icmp end.answered");
  deepEqual(sent, []);
  deepEqual(long.transmit().map((frame) => frame.length - 34), [1_480, 1_480, 48], "in fragments");
});

Deno.test("ipv4: what is sent is atomic, DF set, and needs no identification (RFC 6864 4.1)", () => {
  const answer = isAnswered({ ip: { identification: 0xbeef, flags: 0 } });
  expectFrame(answer, { ip: { flags: Flag.DontFragment, offset: 0, identification: 0 } });
});

Deno.test("ipv4: other EtherTypes are counted and left alone", () => {
  for (const etherType of [0, 46, 0x05dc, 0x0600, EtherType.Vlan, 0x88cc, 0xffff]) {
    const { outcome, sent } = deliver(host(), ethernet(ipv4(icmp()), { etherType }));
    equal(outcome, "ip.otherEtherType");
    deepEqual(sent, []);
  }
  const asV6 = ethernet(ipv4(icmp()), { etherType: EtherType.Ipv6 });
  equal(deliver(host(), asV6).outcome, "ip.wrongVersion", "the EtherType is the one that counts");
});

Deno.test("ipv4: truncated at every byte: counted once, never answered", () => {
  const whole = echoRequest({ data: data(20), ip: { options: [7, 7, 4, 0, 0, 0, 0, 0] } });
  for (let length = 0; length < whole.length; length++) {
    const { outcome, sent } = deliver(host(), whole.slice(0, length));
    equal(outcome, length < 14 ? "eth.truncated" : "ip.truncated", `cut to ${length} bytes`);
    deepEqual(sent, []);
  }
});

Deno.test("ipv4: every single bit flipped in a request: counted once, and answered only if nobody could tell", () => {
  const whole = echoRequest({ data: data(12) });
  const answered = new Set<number>();
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const frame = whole.slice();
    frame[bit >> 3]! ^= 0x80 >> (bit & 7);
    const { sent } = deliver(host(), frame);
    if (sent.length > 0) answered.add(bit >> 3);
  }
  // The checksums cover all but the Ethernet header; there the source may be any station, which is not where answers go.
  deepEqual([...answered], [6, 7, 8, 9, 10, 11]);
});

Deno.test("ipv4: random frames and random damage: no exception, one counter each, no forbidden answer", () => {
  const seeds = [
    echoRequest({ data: data(20) }),
    echoRequest({ data: data(4), ip: { options: [7, 7, 4, 0, 0, 0, 0, 0] } }),
    echoRequest({ ip: { destination: "10.0.0.255" }, link: { destination: BROADCAST_MAC } }),
    echoRequest({ ip: { source: "8.8.8.8" } }),
  ];
  const damaged = fc.record({
    seed: fc.constantFrom(...seeds),
    hits: fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 }),
    cut: fc.option(fc.nat(80)),
  }).map(({ seed, hits, cut }) => {
    const frame = seed.slice();
    for (const [at, value] of hits) if (at < frame.length) frame[at] = value;
    return cut === null ? frame : frame.slice(0, cut);
  });
  const noise = fc.uint8Array({ maxLength: 120 }).map((bytes) => ethernet(bytes));
  // Without checksums in the way the damage gets deeper.
  const policy = { verify: false, fill: true };
  const capabilities = { ipv4: policy, icmpv4: policy, icmpv6: policy, udp: policy, tcp: policy };
  check(
    fc.property(
      fc.oneof(damaged, noise, fc.uint8Array({ maxLength: 100 })),
      fc.boolean(),
      (frame, isTrusting) => {
        const made = host({ nic: isTrusting ? { capabilities } : {} });
        const { sent } = deliver(made, frame);
        ok(sent.length <= 1, "one frame, one answer at most");
        if (sent.length === 1) isAllowed(read(frame), read(sent[0]));
      },
    ),
    { runs: 3_000 },
  );
});

/** Asserts that an answer is one that a host may give. */
function isAllowed(request: ReturnType<typeof read>, answer: ReturnType<typeof read>): void {
  equal(parseInt(answer.destination.slice(0, 2), 16) & 1, 0, "no answer goes to a group of stations");
  if (answer.arp !== undefined) {
    equal(answer.arp.operation, 2);
    equal(request.arp?.operation, 1);
    return;
  }
  ok(answer.ip !== undefined && answer.icmp !== undefined && request.ip !== undefined);
  equal(answer.icmp.type, Type.EchoReply);
  equal(answer.ip.source, OWN);
  equal(answer.ip.destination, PEER, "nobody else is known on this link");
  equal(request.ip.destination, OWN, "only what was sent to this host alone is answered");
  ok(answer.ip.isChecksumRight);
}
