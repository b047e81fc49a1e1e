/**
 * ICMPv6 errors and the rules that forbid them, echo modes, and packets too big about what was sent: RFC 4443, RFC 8201.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { LayerError } from "../../stack/error.ts";
import { seconds } from "../../stack/store/time.ts";
import { Address } from "../../stack/wire/address.ts";
import { EtherType } from "../../stack/wire/ethernet.ts";
import { Problem, Type, Unreachable } from "../../stack/wire/icmpv6.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import { data, echoRequest6, ethernet, type EthernetFields, expectFrame, read } from "../support/frames.ts";
import { groupMac, icmpv6, ipv6, type Ipv6Fields, OWN6, PEER6 } from "../support/frames-v6.ts";
import { join, pattern } from "../support/fragments.ts";
import { counted, type Host, host6 } from "../support/host.ts";
import { deliver } from "./ledger.ts";

const v6 = (packet: Uint8Array, link: EthernetFields = {}) =>
  ethernet(packet, { etherType: EtherType.Ipv6, ...link });

/** Has a host report a packet, and answers with the result and what left. */
function report(
  packet: Uint8Array,
  link: EthernetFields = {},
  type: number = Type.DestinationUnreachable,
  code: number = Unreachable.Port,
): { error: LayerError; sent: Uint8Array[] } {
  let error: LayerError = LayerError.BadSize;
  const made = host6({
    receive: ({ icmp }) => (packet) => {
      error = icmp.report(packet, type, code);
    },
  });
  const sent = made.deliver(v6(packet, link));
  return { error, sent };
}

const udp = (fields: Ipv6Fields = {}, payload = data(40)) =>
  ipv6(payload, { protocol: Protocol.Udp, ...fields });

Deno.test("icmpv6: an error quotes the packet it is about, as much as fits 1,280 bytes (RFC 4443 2.4 c)", () => {
  for (const length of [40, 1_192, 1_193, 1_400]) {
    const packet = udp({ hopLimit: 3, flowLabel: 7 }, data(length));
    const { error, sent } = report(packet);
    equal(error, LayerError.None);
    expectFrame(sent[0], {
      ip6: { source: OWN6, destination: PEER6, protocol: Protocol.Icmpv6 },
      icmp6: { type: Type.DestinationUnreachable, code: Unreachable.Port, isChecksumRight: true },
      payload: packet.slice(0, 1_280 - 48),
    });
  }
});

Deno.test("icmpv6: no error about an error or a redirect, but one about another message (RFC 4443 2.4 e)", () => {
  for (let type = 0; type < 256; type++) {
    if (type >= 130 && type <= 137 || type === 143) continue; // The links' own, which reach nobody.
    const { sent } = report(ipv6(icmpv6(data(8), { type })));
    equal(sent.length, type < 128 ? 0 : 1, `type ${type}`);
  }
});

Deno.test("icmpv6: no error about what was sent to a group, but that it was too big, or an option unknown (RFC 4443 2.4 e)", () => {
  const packet = udp({ destination: "ff02::1" });
  const link = { destination: groupMac("ff02::1") };
  const allowed: [number, number][] = [[Type.PacketTooBig, 0], [Type.ParameterProblem, Problem.Option]];
  for (
    const type of [Type.DestinationUnreachable, Type.TimeExceeded, Type.ParameterProblem, Type.PacketTooBig]
  ) {
    for (const code of [0, 1, 2]) {
      const isAllowed = allowed.some(([t, c]) => t === type && (t === Type.PacketTooBig || c === code));
      const { error, sent } = report(packet, link, type, code);
      equal(error, isAllowed ? LayerError.None : LayerError.Illegal, `${type} ${code}`);
      if (isAllowed) equal(read(sent[0]).ip6?.source, OWN6, "from a unicast address (RFC 4443 2.2)");
    }
  }
});

Deno.test("icmpv6: errors of both families are limited together, and go on when time has passed (RFC 4443 2.4 f)", () => {
  const made = host6({
    ip: { addresses: [`${OWN6}/64`], errorRate: 10, errorBurst: 5 },
    receive: ({ icmp }) => (packet) => {
      icmp.closedPort(packet);
    },
  });
  const frame = v6(udp());
  const sent = made.deliver(...Array(40).fill(frame)).length;
  ok(sent >= 3 && sent <= 20, `${sent}`);
  equal(made.icmp.counters.limitedError, 40 - sent);
  ok(made.at(seconds(1)).deliver(...Array(40).fill(frame)).length >= 3);
});

Deno.test("icmpv6: in silent mode no echo is answered, in manual mode the handler decides (RFC 4443 4.1)", () => {
  const silent = host6({ icmp: { echo: "silent" } });
  equal(deliver(silent, echoRequest6()).outcome, "icmp end.silenced");
  const manual = host6({
    icmp: { echo: "manual" },
    receive: ({ icmp }) =>
      icmp.recv((packet) => {
        ok(packet.isEchoRequest && !packet.isV4);
        packet.answer();
      }),
  });
  expectFrame(manual.deliver(echoRequest6())[0], { icmp6: { type: Type.EchoReply, isChecksumRight: true } });
});

/** What a router says that a reply of the host's was too long. */
function tooBig(reply: Uint8Array, mtu: number): Uint8Array {
  const quoted = reply.slice(14, 14 + 1_280 - 48);
  return v6(
    ipv6(icmpv6(quoted, { type: Type.PacketTooBig, rest: mtu }, "2001:db8::fe"), { source: "2001:db8::fe" }),
  );
}

function answers(made: Host, length: number): Uint8Array[] {
  return [...made.deliver(echoRequest6({ data: pattern(length) })), ...made.transmit()];
}

Deno.test("icmpv6: a reply that was too big for its path is the last one sent whole (RFC 8201 4, 5.3)", () => {
  const made = host6();
  const [whole, ...none] = answers(made, 1_400);
  deepEqual(none, []);
  made.deliver(tooBig(whole!, 1_300));
  const sent = answers(made, 1_400);
  ok(sent.length === 2 && sent.every((frame) => frame.length <= 14 + 1_300));
  deepEqual(join(sent).payload.slice(8), pattern(1_400));
  made.at(seconds(601));
  equal(answers(made, 1_400).length, 1, "after ten minutes it is tried again");
});

Deno.test("icmpv6: a packet too big about a reply that was never sent changes nothing (RFC 8201 4)", () => {
  const made = host6();
  const [whole] = answers(made, 1_400);
  const other = whole!.slice();
  other[14 + 40 + 7]! ^= 1; // another sequence number
  made.deliver(tooBig(other, 1_300));
  equal(made.ip.pathMtus.size, 0);
  equal(answers(made, 1_400).length, 1);
});

Deno.test("icmpv6: a message that tells of less than 1,280 bytes is discarded (RFC 8201 4)", () => {
  const made = host6();
  for (const mtu of [0, 100, 1_279]) {
    made.deliver(tooBig(answers(made, 1_400)[0]!, mtu));
    equal(made.ip.pathMtus.size, 0, `an MTU of ${mtu}`);
  }
  made.deliver(tooBig(answers(made, 1_400)[0]!, 1_280));
  equal(made.ip.pathMtus.get(Address.parse(PEER6), 0), 1_280);
});

Deno.test("icmpv6: how many paths are known is bounded, whoever was learnt first is forgotten", () => {
  const made = host6({ ip: { pathMtus: 4 } });
  const { pathMtus } = made.ip;
  for (let host = 1; host <= 9; host++) pathMtus.learn(Address.parse(`2001:db8::${host}`), 1_300, 1_500, 0);
  equal(pathMtus.size, 4);
  equal(pathMtus.get(Address.parse("2001:db8::9"), 0), 1_300);
  ok(pathMtus.get(Address.parse("2001:db8::1"), 0) > 65_535);
  deepEqual(counted(made.ip.counters), {});
});
