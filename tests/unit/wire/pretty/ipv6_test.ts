import { deepEqual, equal, match } from "node:assert/strict";
import { EtherType } from "../../../../stack/wire/ethernet.ts";
import { Problem, Type } from "../../../../stack/wire/icmpv6.ts";
import { describe, explain } from "../../../../stack/wire/pretty/frame.ts";
import { Protocol } from "../../../../stack/wire/protocol.ts";
import { concat, data, echoRequest6, ethernet } from "../../../support/frames.ts";
import { icmpv6, ipv6 } from "../../../support/frames-v6.ts";
import { FAMILIES, fragmentHeader } from "../../../support/fragments.ts";

const line = (frame: Uint8Array) => describe(frame, 0, frame.length);
const frameOf = (payload: Uint8Array, protocol: number) =>
  ethernet(ipv6(payload, { protocol }), { etherType: EtherType.Ipv6 });

Deno.test("pretty: ICMPv6 echoes, errors and NDP in a line", () => {
  const from = "2001:db8::2 > 2001:db8::1: ICMPv6";
  equal(line(echoRequest6()), `${from} echo request, id 5, seq 1, length 16`);
  equal(
    line(echoRequest6({ icmp: { checksumError: 1 } })),
    `${from} echo request, id 5, seq 1, length 16 (wrong checksum)`,
  );
  const quoted = ipv6(icmpv6(data(8)));
  const tooBig = icmpv6(quoted, { type: Type.PacketTooBig, rest: 1_280 });
  equal(
    line(frameOf(tooBig, Protocol.Icmpv6)),
    `${from} packet too big, mtu 1280, for ${line(echoRequest6())}`,
  );
  const problem = icmpv6(quoted, { type: Type.ParameterProblem, code: Problem.NextHeader, rest: 6 });
  match(
    line(frameOf(problem, Protocol.Icmpv6)),
    /parameter problem, unrecognized next header, pointer 6, for/,
  );
  const target = Uint8Array.from([0xfe, 0x80, ...Array<number>(13).fill(0), 9]);
  const solicitation = icmpv6(target, { type: Type.NeighbourSolicitation, rest: 0 });
  equal(
    line(frameOf(solicitation, Protocol.Icmpv6)),
    `${from} neighbour solicitation, target fe80::9, length 24`,
  );
  match(line(frameOf(data(3), Protocol.Icmpv6)), /ICMPv6 \(truncated\), 3 bytes$/);
});

Deno.test("pretty: what is behind extension headers is printed, and each of them has its line", () => {
  const hop = Uint8Array.of(Protocol.Routing, 0, 1, 4, 0, 0, 0, 0);
  const route = Uint8Array.of(Protocol.Icmpv6, 0, 4, 0, 0, 0, 0, 0);
  const frame = frameOf(concat(hop, route, icmpv6(data(8))), Protocol.HopByHop);
  equal(line(frame), line(echoRequest6()));
  deepEqual(explain(frame, 0, frame.length).slice(4, 6).map((text) => text.trim()), [
    "hop-by-hop 8 bytes, next header routing",
    "routing 8 bytes, type 4, segments left 0, next header ICMPv6",
  ]);
});

Deno.test("pretty: fragments of IPv6 say which part they are", () => {
  const payload = icmpv6(data(100));
  const { fragment } = FAMILIES[1]!;
  const from = "2001:db8::2 > 2001:db8::1: ICMPv6 fragment, id 0x00001234";
  equal(line(fragment(payload, 0, 48, false)), `${from}, offset 0, more, length 48`);
  equal(line(fragment(payload, 48, 108, true)), `${from}, offset 48, last, length 60`);
  equal(
    line(frameOf(concat(fragmentHeader(0, true), icmpv6(data(8))), Protocol.Fragment)),
    line(echoRequest6()),
  );
  match(line(frameOf(data(5), Protocol.Fragment)), /fragment, length 5$/, "a header that is not whole");
});
