/**
 * What an IPv6 host takes, drops and never answers: RFC 8200 3, RFC 4291 2.5 to 2.8, RFC 2464, RFC 4942 2.2.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { EtherType } from "../../stack/wire/ethernet.ts";
import { Type } from "../../stack/wire/icmpv6.ts";
import { data, type Echo6Fields, echoRequest6, ethernet, expectFrame, OWN, read } from "../support/frames.ts";
import { groupMac, ipv6, OWN6, OWN_LOCAL6, PEER6, PEER_LOCAL6 } from "../support/frames-v6.ts";
import { host6 } from "../support/host.ts";
import { check, fc } from "../support/property.ts";
import { deliver } from "./ledger.ts";

/** Asserts that an echo request with these fields is dropped for this reason, without a word. */
function isDropped(reason: string, fields: Echo6Fields, message: string = reason): void {
  const { outcome, sent } = deliver(host6(), echoRequest6(fields));
  equal(outcome, reason, message);
  deepEqual(sent, []);
}

/** Asserts that an echo request with these fields is answered. */
function isAnswered(fields: Echo6Fields): Uint8Array {
  const { outcome, sent } = deliver(host6(), echoRequest6(fields));
  equal(outcome, "icmp end.answered");
  expectFrame(sent[0], { icmp6: { type: Type.EchoReply, isChecksumRight: true } });
  return sent[0]!;
}

Deno.test("ipv6: an echo request is answered to its sender, from the address that it was sent to", () => {
  expectFrame(isAnswered({ data: data(30), ip: { trafficClass: 0xb8, hopLimit: 1, flowLabel: 0x12345 } }), {
    etherType: EtherType.Ipv6,
    ip6: { source: OWN6, destination: PEER6, hopLimit: 64, trafficClass: 0xb8, payloadLength: 38 },
    icmp6: { rest: 0x5_0001, code: 0 },
    payload: data(30),
  });
  expectFrame(isAnswered({ ip: { source: PEER_LOCAL6, destination: OWN_LOCAL6 } }), {
    ip6: { source: OWN_LOCAL6, destination: PEER_LOCAL6 },
  });
});

Deno.test("ipv6: a version other than 6 is discarded", () => {
  for (const version of [0, 4, 5, 7, 15]) isDropped("ip.wrongVersion", { ip: { version } });
});

Deno.test("ipv6: a payload length beyond the frame is discarded; padding is no part of the packet", () => {
  for (const payloadLength of [17, 1_500, 65_535]) isDropped("ip.truncated", { ip: { payloadLength } });
  const answer = isAnswered({ data: data(2), link: { padTo: 100 } });
  equal(answer.length, 14 + 40 + 8 + 2);
});

Deno.test("ipv6: truncated at every byte: counted once, never answered", () => {
  const whole = echoRequest6({ data: data(20) });
  for (let length = 0; length < whole.length; length++) {
    const { outcome, sent } = deliver(host6(), whole.slice(0, length));
    equal(outcome, length < 14 ? "eth.truncated" : "ip.truncated", `cut to ${length} bytes`);
    deepEqual(sent, []);
  }
});

Deno.test("ipv6: a group, nobody, the host itself and the loopback address are no sources (RFC 4291 2.5.2, 2.5.3, 2.7)", () => {
  for (const source of ["ff02::1", "ff0e::1", "::", "::1", OWN6, OWN_LOCAL6]) {
    isDropped("ip.badSource", { ip: { source } }, source);
  }
  isDropped("ip.badSource", { ip: { destination: "::1" } });
});

Deno.test("ipv6: mapped addresses, which stand for IPv4, are never taken from the wire (RFC 4942 2.2)", () => {
  isDropped("ip.badSource", { ip: { source: "::ffff:10.0.0.2" } });
  isDropped("ip.badSource", { ip: { destination: `::ffff:${OWN}` } }, "though 10.0.0.1 is ours");
});

Deno.test("ipv6: what is for another host, or a group that this one is not in, is left alone", () => {
  for (const destination of ["2001:db8::9", "fe80::9", "::", OWN6.replace("db8", "db9")]) {
    isDropped("ip.notForUs", { ip: { destination } }, destination);
  }
  for (const destination of ["ff02::2", "ff05::2", "ff02::1:ff00:9", "ff01::1"]) {
    isDropped(
      "ip.notForUs",
      { ip: { destination }, link: { destination: groupMac(destination) } },
      destination,
    );
  }
});

Deno.test("ipv6: one host's packet, sent to a group of stations, is not taken", () => {
  isDropped("ip.unicastInGroup", { link: { destination: groupMac("ff02::1") } });
});

Deno.test("ipv6: echo requests to all nodes and to the own solicited-node group are answered from a unicast address (RFC 4443 4.2)", () => {
  for (const destination of ["ff02::1", "ff02::1:ff00:1"]) {
    const link = { destination: groupMac(destination) };
    expectFrame(isAnswered({ ip: { source: PEER6, destination }, link }), {
      ip6: { source: OWN6, destination: PEER6 },
    });
    expectFrame(isAnswered({ ip: { source: PEER_LOCAL6, destination }, link }), {
      ip6: { source: OWN_LOCAL6, destination: PEER_LOCAL6 },
    });
  }
});

Deno.test("ipv6: messages of NDP and MLD reach no handler; without anybody who speaks them they are dropped", () => {
  for (const type of [130, 131, 132, 133, 134, 135, 136, 137, 143]) {
    isDropped("ip.badLinkControl", { icmp: { type } });
    isDropped("ip.badLinkControl", { icmp: { type }, ip: { source: "::" } });
  }
});

Deno.test("ipv6: who speaks NDP and MLD gets its messages whole, with their hop limit, and only those", () => {
  const made = host6();
  const seen: unknown[] = [];
  made.ip.linkControl = {
    receive: ({ hopLimit, source, isGroup, frame, payloadAt }) =>
      seen.push([String(source), hopLimit, isGroup, frame.bytes[payloadAt]]),
    send: () => false,
    deadline: () => Infinity,
  };
  const group = "ff02::1:ff00:1";
  const link = { destination: groupMac(group) };
  deliver(
    made,
    echoRequest6({ icmp: { type: 135 }, ip: { source: "::", destination: group, hopLimit: 255 }, link }),
  );
  deliver(made, echoRequest6({ icmp: { type: 136 }, ip: { source: OWN6, hopLimit: 254 } }));
  deepEqual(seen, [["::", 255, true, 135], [OWN6, 254, false, 136]]);
  equal(deliver(made, echoRequest6({ icmp: { type: 135, checksumError: 1 } })).outcome, "ip.badLinkControl");
  equal(deliver(made, echoRequest6({ icmp: { type: 128 } })).outcome, "icmp end.answered");
  equal(made.ip.counters.linkControl, 2);
});

Deno.test("ipv6: ICMPv6 of a wrong checksum, and without the pseudo-header in it, is dropped (RFC 4443 2.3)", () => {
  isDropped("icmp.wrongChecksum", { icmp: { checksumError: 1 } });
  isDropped("icmp.truncated", { ip: { payloadLength: 7 } });
  const frame = echoRequest6();
  frame[14 + 8]! ^= 1; // the source
  equal(deliver(host6(), frame).outcome, "icmp.wrongChecksum");
});

Deno.test("ipv6: each family has its own ICMP: the other's is unknown to it", () => {
  isDropped("icmp.otherProtocol", { ip: { protocol: 1 } });
});

Deno.test("ipv6: every single bit flipped in a request: counted once, and answered only if nobody could tell", () => {
  const whole = echoRequest6({ data: data(12) });
  const answered = new Set<number>();
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const frame = whole.slice();
    frame[bit >> 3]! ^= 0x80 >> (bit & 7);
    if (deliver(host6(), frame).sent.length > 0) answered.add(bit >> 3);
  }
  // No checksum covers Ethernet's source, nor IPv6's traffic class, flow label and hop limit.
  deepEqual([...answered].sort((a, b) => a - b), [6, 7, 8, 9, 10, 11, 14, 15, 16, 17, 21]);
});

Deno.test("ipv6: random frames and random damage: no exception, one counter each, no forbidden answer", () => {
  const seeds = [
    echoRequest6({ data: data(20) }),
    echoRequest6({ ip: { destination: "ff02::1" }, link: { destination: groupMac("ff02::1") } }),
    ethernet(ipv6(data(40), { protocol: 0 }), { etherType: EtherType.Ipv6 }),
    ethernet(ipv6(data(40), { protocol: 44 }), { etherType: EtherType.Ipv6 }),
  ];
  const damaged = fc.record({
    seed: fc.constantFrom(...seeds),
    hits: fc.array(fc.tuple(fc.nat(90), fc.nat(255)), { maxLength: 4 }),
    cut: fc.option(fc.nat(100)),
  }).map(({ seed, hits, cut }) => {
    const frame = seed.slice();
    for (const [at, value] of hits) if (at < frame.length) frame[at] = value;
    return cut === null ? frame : frame.slice(0, cut);
  });
  const noise = fc.uint8Array({ maxLength: 120 }).map((bytes) =>
    ethernet(bytes, { etherType: EtherType.Ipv6 })
  );
  const policy = { verify: false, fill: true };
  const capabilities = { ipv4: policy, icmpv4: policy, icmpv6: policy, udp: policy, tcp: policy };
  check(
    fc.property(fc.oneof(damaged, noise), fc.boolean(), (frame, isTrusting) => {
      const made = host6(isTrusting ? { nic: { capabilities } } : {});
      const { sent } = deliver(made, frame);
      equal(sent.length <= 1, true, "one frame, one answer at most");
      const answer = sent[0];
      if (answer === undefined) return;
      const { destination, ip6, icmp6 } = read(answer);
      equal(parseInt(destination.slice(0, 2), 16) & 1, 0, "no answer goes to a group of stations");
      if (!isTrusting) equal(icmp6?.isChecksumRight, true);
      equal([OWN6, OWN_LOCAL6].includes(ip6?.source ?? ""), true);
      equal([PEER6, PEER_LOCAL6].includes(ip6?.destination ?? ""), true, "nobody else is known on this link");
    }),
    { runs: 3_000 },
  );
});
