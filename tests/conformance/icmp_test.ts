/**
 * What a host says by ICMP, and what it must not: RFC 792, RFC 1122 3.2.2.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { LayerError } from "../../stack/error.ts";
import { LEARNT_METRIC } from "../../stack/host/routes.ts";
import { seconds } from "../../stack/store/time.ts";
import { isError, Type, Unreachable } from "../../stack/wire/icmpv4.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import {
  BROADCAST_MAC,
  concat,
  data,
  echoRequest,
  ethernet,
  type EthernetFields,
  expectFrame,
  icmp,
  ipv4,
  type Ipv4Fields,
  OWN,
  PEER,
  read,
} from "../support/frames.ts";
import { type Host, host } from "../support/host.ts";
import { check, fc } from "../support/property.ts";
import { Address } from "../../stack/wire/address.ts";
import { Cidr } from "../../stack/wire/cidr.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { deliver } from "./ledger.ts";

Deno.test("icmp: an echo reply carries the request's data, all of it (RFC 1122 3.2.2.6)", () => {
  check(
    fc.property(
      fc.uint8Array({ maxLength: 1_472 }),
      fc.nat(0xffff),
      fc.nat(0xffff),
      (bytes, identifier, sequence) => {
        const { outcome, sent } = deliver(
          host(),
          echoRequest({ data: bytes, icmp: { identifier, sequence } }),
        );
        equal(outcome, "icmp end.answered");
        const expected = icmp(bytes, { type: Type.EchoReply, identifier, sequence });
        deepEqual(sent[0]?.slice(34), expected, "bit for bit what computing it anew would give");
      },
    ),
    { runs: 300 },
  );
});

Deno.test("icmp: an echo reply comes from the request's destination, whichever own address that is (RFC 1122 3.2.2.6)", () => {
  const addresses = ["10.0.0.1/24", "10.0.0.9/24", "192.168.7.1/24"];
  for (const destination of ["10.0.0.1", "10.0.0.9", "192.168.7.1"]) {
    const { sent } = deliver(host({ ip: { addresses } }), echoRequest({ ip: { destination } }));
    expectFrame(sent[0], { ip: { source: destination, destination: PEER } });
  }
});

Deno.test("icmp: an echo reply has the request's type of service (RFC 1349 5.1), and a hop limit of its own", () => {
  for (const trafficClass of [0, 0x10, 0xb8, 0xff]) {
    const { sent } = deliver(host(), echoRequest({ ip: { trafficClass, hopLimit: 3 } }));
    expectFrame(sent[0], { ip: { trafficClass, hopLimit: 64 } });
  }
});

Deno.test("icmp: an echo request's code is the reply's, and its checksum still right", () => {
  const { sent } = deliver(host(), echoRequest({ icmp: { code: 7 } }));
  expectFrame(sent[0], { icmp: { type: Type.EchoReply, code: 7, isChecksumRight: true } });
});

Deno.test("icmp: an echo request to a broadcast or multicast address is not answered (RFC 1122 3.2.2.6)", () => {
  const group = "01:00:5e:00:00:fb";
  const cases: [Ipv4Fields, EthernetFields][] = [
    [{ destination: "255.255.255.255" }, { destination: BROADCAST_MAC }],
    [{ destination: "10.0.0.255" }, { destination: BROADCAST_MAC }],
    [{ destination: "10.0.0.255" }, {}],
    [{ destination: "224.0.0.251" }, { destination: group }],
  ];
  for (const [ip, link] of cases) {
    const made = host();
    made.ip.addresses.join(Address.parse("224.0.0.251"));
    made.eth.join(Mac.parse(group));
    const { outcome, sent } = deliver(made, echoRequest({ ip, link }));
    equal(outcome, "icmp end.groupEcho");
    deepEqual(sent, []);
  }
});

Deno.test("icmp: a request is answered to where it came from, through the gateway if need be (RFC 1122 3.2.2.6)", () => {
  const made = host({ ip: { addresses: [`${OWN}/24`], gateways: ["10.0.0.254"] } });
  made.knows("10.0.0.254", "02:00:00:00:00:fe");
  const { sent } = deliver(made, echoRequest({ ip: { source: "8.8.8.8" } }));
  expectFrame(sent[0], { destination: "02:00:00:00:00:fe", ip: { destination: "8.8.8.8" } });
});

Deno.test("icmp: a message of an unknown type is silently discarded (RFC 1122 3.2.2)", () => {
  for (const type of [1, 2, 7, 44, 99, 255]) {
    const { outcome, sent } = deliver(host(), ethernet(ipv4(icmp(data(8), { type }))));
    equal(outcome, "icmp end.unhandled");
    deepEqual(sent, []);
  }
});

Deno.test("icmp: deprecated requests get no answer (RFC 6918)", () => {
  for (
    const type of [
      Type.InformationRequest,
      Type.AddressMaskRequest,
      Type.TimestampRequest,
      Type.DomainNameRequest,
    ]
  ) {
    deepEqual(deliver(host(), ethernet(ipv4(icmp(data(12), { type })))).sent, []);
  }
});

Deno.test("icmp: a wrong checksum, or a message shorter than its header, is silently discarded (RFC 792)", () => {
  equal(deliver(host(), echoRequest({ icmp: { checksumError: 1 } })).outcome, "icmp.wrongChecksum");
  for (let length = 0; length < 8; length++) {
    const { outcome, sent } = deliver(host(), ethernet(ipv4(icmp(data(8)).slice(0, length))));
    equal(outcome, "icmp.truncated");
    deepEqual(sent, []);
  }
});

// Errors about received packets: a handler reports each packet, and the rules decide.

/** Has a host report a packet as having no listener, and answers with the result and what left. */
function report(packet: Uint8Array, link: EthernetFields = {}): { error: LayerError; sent: Uint8Array[] } {
  let error: LayerError = LayerError.BadSize;
  const made = host({
    receive: ({ icmp }) => (packet) => {
      error = icmp.report(packet, Type.DestinationUnreachable, Unreachable.Port);
    },
  });
  made.ip.addresses.join(Address.parse("224.0.0.251"));
  const sent = made.deliver(ethernet(packet, link));
  return { error, sent };
}

const udp = (fields: Ipv4Fields = {}, payload = data(40)) =>
  ipv4(payload, { protocol: Protocol.Udp, ...fields });

Deno.test("icmp: an error quotes the packet it is about, header first, byte for byte (RFC 1122 3.2.2)", () => {
  const packet = udp({ options: [7, 7, 4, 0, 0, 0, 0, 0], hopLimit: 3, trafficClass: 0x10 });
  const { error, sent } = report(packet);
  equal(error, LayerError.None);
  expectFrame(sent[0], {
    ip: { source: OWN, destination: PEER, protocol: Protocol.Icmp, isChecksumRight: true },
    icmp: { type: Type.DestinationUnreachable, code: Unreachable.Port, isChecksumRight: true },
    payload: packet,
  });
});

Deno.test("icmp: an error quotes as much as 576 bytes allow (RFC 1812 4.3.2.3)", () => {
  const packet = udp({}, data(1_400));
  const [frame] = report(packet).sent;
  equal(frame?.length, 14 + 576);
  deepEqual(read(frame).payload, packet.slice(0, 576 - 28));
});

Deno.test("icmp: no error about an ICMP error, but one about another message (RFC 1122 3.2.2)", () => {
  for (let type = 0; type < 256; type++) {
    const { sent } = report(ipv4(icmp(data(8), { type })));
    equal(sent.length, isError(type) ? 0 : 1, `type ${type}`);
  }
});

Deno.test("icmp: no error about what was sent to a broadcast or multicast address, of IP or link (RFC 1122 3.2.2)", () => {
  const many: [Ipv4Fields, EthernetFields][] = [
    [{ destination: "255.255.255.255" }, {}],
    [{ destination: "10.0.0.255" }, { destination: BROADCAST_MAC }],
    [{ destination: "224.0.0.251" }, {}],
  ];
  for (const [ip, link] of many) {
    const { error, sent } = report(udp(ip), link);
    equal(error, LayerError.Illegal);
    deepEqual(sent, []);
  }
});

Deno.test("icmp: errors are limited in rate, and go on when time has passed (RFC 1812 4.3.2.8)", () => {
  let failures = 0;
  const made = host({
    ip: { addresses: [`${OWN}/24`], errorRate: 10, errorBurst: 5 },
    receive: ({ icmp }) => (packet) => {
      if (icmp.report(packet, Type.DestinationUnreachable, Unreachable.Port) === LayerError.Exhausted) {
        failures++;
      }
    },
  });
  const frame = ethernet(udp());
  const sent = made.deliver(...Array(40).fill(frame)).length;
  ok(sent >= 3 && sent <= 20, `${sent}`);
  equal(failures, 40 - sent);
  equal(made.icmp.counters.limitedError, 40 - sent);
  ok(made.at(seconds(1)).deliver(...Array(40).fill(frame)).length >= 3);
});

Deno.test("icmp: how many errors follow each other is left to chance, so that they count no open ports (CVE-2020-25705)", () => {
  const made = host({
    ip: { addresses: [`${OWN}/24`], errorRate: 50, errorBurst: 50 },
    receive: ({ icmp }) => (packet) => void icmp.closedPort(packet),
  });
  const frame = ethernet(udp()), counts = new Set<number>();
  let sum = 0;
  for (let second = 0; second < 200; second++) {
    const { length } = made.at(seconds(2 * second)).deliver(...Array(120).fill(frame));
    counts.add(length);
    sum += length;
  }
  ok(counts.size > 10, `${[...counts]}`);
  ok(sum > 200 * 45 && sum < 200 * 60, `${sum / 200} on average`);
});

Deno.test("icmp: an error's quotation is not padded, cut or moved by the frame's own padding (RFC 894)", () => {
  const packet = udp({}, data(5));
  const made = report(concat(packet, new Uint8Array(21)));
  deepEqual(read(made.sent[0]).payload, packet);
});

const GATEWAY = "10.0.0.254", BETTER = "10.0.0.253", FAR = "192.0.2.9";

/** Fields of a redirect. */
interface RedirectFields {
  readonly from?: string;
  readonly to?: string;
  readonly code?: number;
  /** Whose packet is quoted, and where it went. */
  readonly source?: string;
  readonly destination?: string;
}

/** The gateway's word that another one is nearer to where the quoted packet went. */
function redirect(fields: RedirectFields = {}): Uint8Array {
  const { from = GATEWAY, to = BETTER, code = 1, source = OWN, destination = FAR } = fields;
  const quoted = ipv4(data(8), { source, destination, protocol: Protocol.Udp });
  const { d } = Address.parse(to);
  const second = { identifier: d >>> 16, sequence: d & 0xffff };
  return ethernet(ipv4(icmp(quoted, { type: 5, code, ...second }), { source: from }));
}

function redirected(): Host {
  return host({ ip: { gateways: [GATEWAY] } });
}

/** Where a packet goes next. */
function nextHop({ ip, nic }: Host, destination: string = FAR): string | undefined {
  const route = ip.routes.lookup(Address.parse(destination), nic.now());
  return route === undefined ? undefined : String(route.gateway);
}

Deno.test("icmp: a redirect of the gateway in use is followed, for that host alone and for a while (RFC 1122 3.2.2.2)", () => {
  for (const code of [0, 1, 2, 3]) {
    const made = redirected();
    made.deliver(redirect({ code }));
    deepEqual([nextHop(made), nextHop(made, "192.0.2.10")], [BETTER, GATEWAY]);
    equal(made.icmp.counters.redirects, 1);
    equal(nextHop(made.at(seconds(601))), GATEWAY);
  }
});

Deno.test("icmp: another redirect for the host takes its place, from the gateway that is in use then", () => {
  const made = redirected();
  made.deliver(redirect(), redirect({ to: "10.0.0.252" }));
  equal(nextHop(made), BETTER, "the first one is not asked any more");
  made.deliver(redirect({ from: BETTER, to: "10.0.0.252" }));
  equal(nextHop(made), "10.0.0.252");
  equal(made.icmp.counters.badRedirect, 1);
});

Deno.test("icmp: a leased route to the host gives way to the redirect, and is there again when that ends", () => {
  const made = redirected();
  const leased = "10.0.0.252", network = Cidr.parse(`${FAR}/32`);
  made.ip.routes.set({ network, gateway: Address.parse(leased), metric: LEARNT_METRIC });
  made.deliver(redirect({ from: leased }));
  equal(nextHop(made), BETTER);
  equal(nextHop(made.at(seconds(601))), leased);
  made.ip.redirects.neighboursLost(seconds(601));
  equal(nextHop(made), leased);
});

Deno.test("icmp: redirects from others, to off the link, to ourselves or nobody, or about nothing of ours are ignored (RFC 1122 3.2.2.2)", () => {
  const made = redirected();
  made.deliver(
    redirect({ from: PEER }),
    redirect({ from: "198.51.100.1" }),
    redirect({ to: "192.0.2.1" }),
    redirect({ to: OWN }),
    redirect({ to: "10.0.0.255" }),
    redirect({ to: "0.0.0.0" }),
    redirect({ to: "127.0.0.1" }),
    redirect({ to: "224.0.0.1" }),
    redirect({ source: "10.0.0.7" }),
    redirect({ destination: "10.0.0.7" }),
    redirect({ destination: "224.0.0.9" }),
    redirect({ destination: "127.0.0.9" }),
    redirect({ code: 4 }),
  );
  deepEqual([made.icmp.counters.redirects, made.icmp.counters.badRedirect], [0, 13]);
  equal(made.ip.redirects.size, 0);
  equal(nextHop(made), GATEWAY);
});

Deno.test("icmp: who forwards packets follows no redirect (RFC 1812 5.2.7.2)", () => {
  const made = redirected();
  made.ip.recv(() => {}, () => {});
  made.deliver(redirect());
  equal(nextHop(made), GATEWAY);
});

Deno.test("icmp: a flood of redirects keeps 64 of them, and one whose gateway does not answer is forgotten (RFC 1122 3.3.1.4)", () => {
  const made = redirected();
  for (let host = 1; host < 255; host++) made.deliver(redirect({ destination: `192.0.2.${host}` }));
  deepEqual([made.ip.redirects.size, made.ip.routes.size], [64, 65]);
  equal(nextHop(made, "192.0.2.254"), BETTER);
  made.ip.neighbours.lookup(Address.parse(BETTER), 0, made.eth.mac);
  for (let wait = 0; wait <= 4; wait++) made.at(seconds(wait)).transmit();
  equal(nextHop(made, "192.0.2.254"), GATEWAY);
  equal(made.ip.redirects.size, 0);
});
