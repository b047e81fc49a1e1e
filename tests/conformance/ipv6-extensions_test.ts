/**
 * Extension headers of IPv6, and the options in them: RFC 8200 4, RFC 5095, RFC 8504 5.3.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { EtherType } from "../../stack/wire/ethernet.ts";
import { Problem, Type } from "../../stack/wire/icmpv6.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import { concat, data, ethernet, expectFrame, read } from "../support/frames.ts";
import { groupMac, icmpv6, ipv6, OWN6, PEER6 } from "../support/frames-v6.ts";
import { host6 } from "../support/host.ts";
import { deliver } from "./ledger.ts";

const { HopByHop, Destination, Routing, Icmpv6, None } = Protocol;

/** An extension header: its number, and what is behind its first two bytes, padded to 8. */
type Header = readonly [protocol: number, body: readonly number[]];

/** The headers in a row, each saying what the next is, then `last`. */
function chain(headers: readonly Header[], last: number): Uint8Array {
  return concat(...headers.map(([, body], index) => {
    const bytes = new Uint8Array(Math.ceil((body.length + 2) / 8) * 8);
    bytes.set(body, 2);
    bytes[0] = headers[index + 1]?.[0] ?? last;
    bytes[1] = bytes.length / 8 - 1;
    return bytes;
  }));
}

interface Fields {
  readonly destination?: string;
  readonly last?: number;
  readonly payload?: Uint8Array;
}

/** An echo request behind these headers. */
function request(headers: readonly Header[], fields: Fields = {}): Uint8Array {
  const { destination = OWN6, last = Icmpv6 } = fields;
  const payload = fields.payload ?? icmpv6(data(8), {}, PEER6, destination);
  const packet = ipv6(concat(chain(headers, last), payload), {
    protocol: headers[0]?.[0] ?? last,
    destination,
  });
  const station = destination === OWN6 ? {} : { destination: groupMac(destination) };
  return ethernet(packet, { etherType: EtherType.Ipv6, ...station });
}

function isAnswered(headers: readonly Header[], fields: Fields = {}): void {
  const { outcome, sent } = deliver(host6(), request(headers, fields));
  equal(outcome, "icmp end.answered");
  expectFrame(sent[0], { ip6: { protocol: Icmpv6, payloadLength: 16 }, payload: data(8) });
}

function isDropped(reason: string, headers: readonly Header[], fields: Fields = {}): void {
  const { outcome, sent } = deliver(host6(), request(headers, fields));
  equal(outcome, `ip.${reason}`);
  deepEqual(sent, []);
}

/** Asserts that the packet is dropped, and its sender told at which byte it went wrong. */
function isReported(
  reason: string,
  code: number,
  at: number,
  headers: readonly Header[],
  fields: Fields = {},
): void {
  const frame = request(headers, fields);
  const { outcome, sent } = deliver(host6(), frame);
  equal(outcome, `ip.${reason}`);
  expectFrame(sent[0], {
    ip6: { source: OWN6, destination: PEER6 },
    icmp6: { type: Type.ParameterProblem, code, rest: at, isChecksumRight: true },
    payload: frame.slice(14),
  });
}

/** An option of 4 bytes whose type asks for `action` where it is not known. */
const unknown = (action: number): number[] => [(action << 6) | 0x1e, 2, 0xaa, 0xbb];
const GROUP = "ff02::1";

for (const [protocol, name] of [[HopByHop, "hop-by-hop"], [Destination, "destination"]] as const) {
  Deno.test(`extensions: ${name} options that are padding or router alerts are passed over (RFC 8200 4.2, RFC 2711)`, () => {
    for (const body of [[], [0, 0, 0, 0, 0, 0], [1, 4, 0, 0, 0, 0], [5, 2, 0, 0, 1, 0], [1, 0, 0, 0, 1, 0]]) {
      isAnswered([[protocol, body]]);
    }
  });

  Deno.test(`extensions: an unknown ${name} option of action 00 is passed over (RFC 8200 4.2)`, () => {
    isAnswered([[protocol, unknown(0)]]);
    isAnswered([[protocol, unknown(0)]], { destination: GROUP });
  });

  Deno.test(`extensions: an unknown ${name} option of action 01 has the packet dropped in silence (RFC 8200 4.2)`, () => {
    isDropped("badOptions", [[protocol, unknown(1)]]);
    isDropped("badOptions", [[protocol, unknown(1)]], { destination: GROUP });
  });

  Deno.test(`extensions: an unknown ${name} option of action 10 is told to the sender, even of a group's packet (RFC 8200 4.2)`, () => {
    isReported("badOptions", Problem.Option, 42, [[protocol, unknown(2)]]);
    isReported("badOptions", Problem.Option, 42, [[protocol, unknown(2)]], { destination: GROUP });
    isReported("badOptions", Problem.Option, 46, [[protocol, [1, 2, 0, 0, ...unknown(2)]]]);
  });

  Deno.test(`extensions: an unknown ${name} option of action 11 is told to the sender, but of a group's packet (RFC 8200 4.2)`, () => {
    isReported("badOptions", Problem.Option, 42, [[protocol, unknown(3)]]);
    isDropped("badOptions", [[protocol, unknown(3)]], { destination: GROUP });
  });

  Deno.test(`extensions: ${name} options that run over their header have the packet dropped`, () => {
    isDropped("badOptions", [[protocol, [0x1e, 5, 0, 0, 0, 0]]]);
    isDropped("badOptions", [[protocol, [0, 0, 0, 0, 0, 0x1e]]]);
    isDropped("badOptions", [[protocol, [1, 255]]]);
  });

  Deno.test(`extensions: more ${name} options than eight are more than anybody needs (RFC 8504 5.3)`, () => {
    const options = (count: number) => Array.from({ length: count }, () => unknown(0)).flat();
    isAnswered([[protocol, options(8)]]);
    isDropped("tooManyExtensions", [[protocol, options(9)]]);
  });
}

Deno.test("extensions: the headers of a whole chain are passed over in their order (RFC 8200 4.1)", () => {
  isAnswered([[HopByHop, []], [Destination, []], [Routing, [2, 0]], [Destination, unknown(0)]]);
});

Deno.test("extensions: hop-by-hop options anywhere but first are not recognised (RFC 8200 4)", () => {
  isReported("refusedExtension", Problem.NextHeader, 40, [[Destination, []], [HopByHop, []]]);
  isReported("refusedExtension", Problem.NextHeader, 40, [[HopByHop, []], [HopByHop, []]]);
});

Deno.test("extensions: a route that is done with is passed over, whatever its type (RFC 8200 4.4, RFC 5095 3)", () => {
  for (const type of [0, 2, 4, 253]) isAnswered([[Routing, [type, 0]]]);
});

Deno.test("extensions: a route that goes on is refused, type 0 like any other that is not known (RFC 5095 3)", () => {
  for (const type of [0, 4, 253]) isReported("refusedExtension", Problem.Field, 42, [[Routing, [type, 1]]]);
  isReported("refusedExtension", Problem.Field, 50, [[Destination, []], [Routing, [0, 9]]]);
});

Deno.test("extensions: after no-next-header nothing is looked at (RFC 8200 4.7)", () => {
  isDropped("noNextHeader", [], { last: None, payload: data(40) });
  isDropped("noNextHeader", [[Destination, []]], { last: None });
});

Deno.test("extensions: a chain of headers is bounded (RFC 8504 5.3)", () => {
  const headers = (count: number) => Array.from({ length: count }, (): Header => [Destination, []]);
  isAnswered(headers(8));
  isDropped("tooManyExtensions", headers(9));
});

Deno.test("extensions: a header that ends behind its packet has that dropped", () => {
  for (const protocol of [HopByHop, Destination, Routing, Protocol.Fragment]) {
    isDropped("malformed", [], { last: protocol, payload: data(7) });
  }
  isDropped("malformed", [], { last: Destination, payload: Uint8Array.of(58, 1, 1, 4, 0, 0, 0, 0) });
  isDropped("malformed", [], { last: Destination, payload: new Uint8Array(0) });
});

Deno.test("extensions: a protocol that nobody speaks is told to the sender, at the byte that names it (RFC 4443 3.4)", () => {
  for (
    const [headers, at] of [[[], 6], [[[Destination, []]], 40], [
      [[HopByHop, []], [Destination, []]],
      48,
    ]] as const
  ) {
    const made = host6({
      receive: ({ icmp }) => (packet) => {
        icmp.unknownProtocol(packet);
      },
    });
    const frame = request(headers, { last: 200, payload: data(20) });
    const [error] = made.deliver(frame);
    expectFrame(error, {
      icmp6: { type: Type.ParameterProblem, code: Problem.NextHeader, rest: at, isChecksumRight: true },
      payload: frame.slice(14),
    });
  }
});

Deno.test("extensions: an error about a packet quotes as much as leaves it within 1,280 bytes (RFC 4443 2.4 c)", () => {
  const frame = request([[Destination, unknown(2)]], { payload: data(1_400) });
  const { sent } = deliver(host6(), frame);
  equal(sent[0]?.length, 14 + 1_280);
  deepEqual(read(sent[0]).payload, frame.slice(14, 14 + 1_280 - 48));
});
