/**
 * Fragments put together and made, of both families: RFC 791 3.2, RFC 815, RFC 1122 3.3.2, RFC 3168 5.3, RFC 5722, RFC
 * 6864, RFC 6946, RFC 6980, RFC 7112, RFC 7739, RFC 8200 4.5.
 *
 * @module
 */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { seconds } from "../../stack/store/time.ts";
import { Problem, Type } from "../../stack/wire/icmpv6.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import { concat, data, echoRequest6, expectFrame, read } from "../support/frames.ts";
import { groupMac, icmpv6, ipv6, PEER6 } from "../support/frames-v6.ts";
import {
  cut,
  FAMILIES,
  type Family,
  fragmentHeader,
  join,
  pattern,
  readFragment,
  slices,
} from "../support/fragments.ts";
import { counted, type Host, host6, type HostOptions } from "../support/host.ts";
import { check, fc } from "../support/property.ts";
import { ethernet } from "../support/frames.ts";
import { EtherType } from "../../stack/wire/ethernet.ts";
import { deliver } from "./ledger.ts";

/** What the host says to these frames, at once and when it is asked. */
function exchange(made: Host, frames: readonly Uint8Array[]): Uint8Array[] {
  const at = frames.map((frame) => deliver(made, frame).sent);
  return [...at.flat(), ...made.transmit(1_000)];
}

/** Asserts that an echo request of this data, sent so, is answered by one that has the same data. */
function isAnswered(family: Family, made: Host, frames: readonly Uint8Array[], bytes: Uint8Array): void {
  const sent = exchange(made, frames);
  const reply = sent.length === 1 ? read(sent[0]).payload : join(sent).payload.slice(8);
  deepEqual(reply, bytes, `${family.name}: the same data`);
}

/** Asserts that these frames are not answered, and that all was counted. */
function isSilent(made: Host, frames: readonly Uint8Array[], counters: Record<string, number>): void {
  deepEqual(exchange(made, frames), []);
  deepEqual(counted(made.ip.counters), counters);
}

for (const family of FAMILIES) {
  const name = (rule: string) => `fragments: ${family.name}: ${rule}`;
  const whole = pattern(3_000);
  const request = family.request(whole);
  const make = ({ nic, ...options }: HostOptions = {}) =>
    host6({ nic: { frameLength: 9_100, ...nic }, ...options });

  Deno.test(name("a packet in fragments is taken when it is whole, in whatever order they come"), () => {
    const parts = cut(family, request, [800, 1_600, 2_400]);
    for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]]) {
      const made = make();
      isAnswered(family, made, order.map((index) => parts[index]!), whole);
      const { fragmentsKept, received, reassembled } = made.ip.counters;
      deepEqual([fragmentsKept, received, reassembled], [3, 1, 1]);
      equal(made.ip.reassembly.bytes, 0, "nothing is kept of it");
    }
  });

  Deno.test(name("a short answer to a packet in fragments needs none itself"), () => {
    const short = data(40);
    const made = make();
    const [answer, ...more] = exchange(made, cut(family, family.request(short), [16]));
    deepEqual(more, []);
    deepEqual(read(answer).payload, short);
    equal((read(answer).icmp ?? read(answer).icmp6)?.isChecksumRight, true);
  });

  Deno.test(name("packets of up to 65,535 bytes go both ways"), () => {
    const most = family.name === "IPv4" ? 65_535 - 20 - 8 : 65_535 - 8;
    for (const length of [60_000, most]) {
      const bytes = pattern(length);
      isAnswered(family, make(), slices(family, family.request(bytes), 1_400), bytes);
    }
  });

  Deno.test(name("an answer is cut to what the link takes, where that is less than the NIC does"), () => {
    const made = make();
    made.ip.pathMtus.setLinkMtu(family.name === "IPv4", 1_300);
    const bytes = pattern(1_400);
    const sent = exchange(made, slices(family, family.request(bytes), 8_000));
    deepEqual(sent.map((frame) => frame.length <= 14 + 1_300), [true, true]);
    deepEqual(join(sent).payload.slice(8), bytes);
  });

  Deno.test(
    name("a fragment that comes twice is dropped once, and the packet is taken (RFC 8200 4.5)"),
    () => {
      const made = make();
      const parts = cut(family, request, [800, 1_600]);
      isAnswered(family, made, [parts[0]!, parts[1]!, parts[0]!, parts[1]!, parts[2]!], whole);
      equal(made.ip.counters.duplicateFragment, 2);
    },
  );

  const overlaps: Record<
    string,
    (piece: (from: number, to: number, isLast?: boolean) => Uint8Array) => Uint8Array[]
  > = {
    "the end of another": (piece) => [piece(0, 800), piece(792, 1_600), piece(1_600, 3_008, true)],
    "the start of another": (piece) => [piece(800, 1_600), piece(0, 808), piece(1_600, 3_008, true)],
    "the inside of another": (piece) => [piece(0, 1_600), piece(800, 808), piece(1_600, 3_008, true)],
    "all of another": (piece) => [piece(800, 808), piece(0, 1_600), piece(1_600, 3_008, true)],
    "the same start, but longer": (piece) => [piece(0, 800), piece(0, 1_600), piece(1_600, 3_008, true)],
    "what lies behind the end": (piece) => [piece(1_600, 2_400, true), piece(2_400, 2_408), piece(0, 1_600)],
    "a second end": (piece) => [piece(1_600, 3_008, true), piece(800, 1_600, true), piece(0, 800)],
    "an end before what is there": (piece) => [piece(1_600, 3_000), piece(800, 1_600, true)],
  };
  for (const [what, parts] of Object.entries(overlaps)) {
    Deno.test(name(`an overlap spoils the packet, and nobody is told: ${what} (RFC 5722 4)`), () => {
      const made = make();
      const piece = (from: number, to: number, isLast = false) => family.fragment(request, from, to, isLast);
      const frames = parts(piece);
      deepEqual(exchange(made, frames), []);
      ok(made.ip.counters.overlappingFragment >= 1);
      equal(made.ip.reassembly.bytes, 0, "its data is gone");
      // RFC 8200 4.5: those that come yet are dropped, too; when its time is over, no error tells of it.
      deepEqual(exchange(made, cut(family, request, [800, 1_600])), []);
      made.at(seconds(family.lifetime));
      deepEqual(made.transmit(), []);
      isAnswered(family, made, cut(family, request, [800, 1_600]), whole);
    });
  }

  Deno.test(name("only fragments of one packet belong together"), () => {
    const differences = [
      { identification: 0x1235 },
      { source: family.name === "IPv4" ? "10.0.0.3" : "2001:db8::3" },
      ...(family.name === "IPv4" ? [{ protocol: Protocol.Udp }] : [{ destination: "fe80::1" }]),
    ];
    for (const fields of differences) {
      const made = make();
      const [first] = cut(family, request, [1_600]);
      const [, last] = cut(family, request, [1_600], fields);
      isSilent(made, [first!, last!], { fragmentsKept: 2 });
      equal(made.ip.reassembly.size, 2);
    }
  });

  Deno.test(
    name("a packet that stays unfinished is given up, and its sender told if the first fragment came"),
    () => {
      const made = make();
      const parts = cut(family, request, [800, 1_600]);
      deepEqual(exchange(made, [parts[0]!, parts[1]!]), []);
      equal(made.deadline, seconds(family.lifetime));
      made.at(seconds(family.lifetime) - 1);
      deepEqual(made.transmit(), []);
      made.at(seconds(family.lifetime));
      const [error, ...more] = made.transmit();
      deepEqual(more, []);
      const view = read(error);
      const message = view.icmp ?? view.icmp6;
      deepEqual([message?.type, message?.code, message?.isChecksumRight], [family.timeExceeded, 1, true]);
      equal((view.ip ?? view.ip6)?.destination, family.peer);
      equal((view.ip ?? view.ip6)?.source, family.own);
      const packet = parts[0]!.slice(14);
      const quoted = family.name === "IPv4" ? 576 - 28 : 1280 - 48;
      deepEqual(
        view.payload,
        packet.slice(0, Math.min(quoted, packet.length)),
        "it quotes the first fragment",
      );
      equal(made.ip.reassembly.size, 0);
      equal(made.ip.counters.reassemblyTimeout, 1);
    },
  );

  Deno.test(name("without the first fragment nobody is told (RFC 1122 3.3.2, RFC 8200 4.5)"), () => {
    const made = make();
    const parts = cut(family, request, [800, 1_600]);
    deepEqual(exchange(made, [parts[1]!, parts[2]!]), []);
    made.at(seconds(family.lifetime));
    deepEqual(made.transmit(), []);
    equal(made.ip.counters.reassemblyTimeout, 1);
    equal(made.deadline, Infinity);
  });

  Deno.test(name("no error tells of an unfinished error, nor of what was sent to many"), () => {
    const made = make();
    const error = family.request(whole);
    error[0] = family.name === "IPv4" ? 3 : 1;
    exchange(made, [family.fragment(error, 0, 800, false)]);
    const group = family.name === "IPv4" ? "10.0.0.255" : "ff02::1";
    const station = family.name === "IPv4" ? "ff:ff:ff:ff:ff:ff" : groupMac(group);
    exchange(made, [family.fragment(request, 0, 800, false, { destination: group, station })]);
    equal(made.ip.reassembly.size, 2);
    made.at(seconds(family.lifetime));
    deepEqual(made.transmit(), []);
    equal(made.ip.counters.reassemblyTimeout, 2);
  });

  Deno.test(name("what comes when the time is over begins anew"), () => {
    const made = make();
    const parts = cut(family, request, [800, 1_600]);
    deliver(made, parts[0]!);
    made.at(seconds(family.lifetime));
    deliver(made, parts[1]!);
    deliver(made, parts[2]!);
    equal(made.ip.counters.received, 0);
    isAnswered(family, made, [parts[0]!], whole);
  });

  Deno.test(name("when too many are unfinished, the oldest makes room; a source has its share"), () => {
    const made = make({ ip: { reassembly: { packets: 8, packetsOfOne: 4 } } });
    const other = family.name === "IPv4" ? "10.0.0.3" : "2001:db8::3";
    const piece = (identification: number, source: string) =>
      family.fragment(request, 0, 800, false, { identification, source });
    for (let id = 0; id < 6; id++) deliver(made, piece(id, family.peer));
    deepEqual([made.ip.reassembly.size, made.ip.counters.reassemblyGivenUp], [4, 2]);
    deliver(made, piece(0, other));
    equal(made.ip.reassembly.size, 5, "another source is not hindered");
    for (let host = 10; host < 30; host++) {
      deliver(made, piece(0, family.name === "IPv4" ? `10.0.0.${host}` : `2001:db8::${host}`));
    }
    equal(made.ip.reassembly.size, 8);
  });

  Deno.test(name("memory is bounded, however far apart what comes lies"), () => {
    const made = make({ ip: { reassembly: { bytes: 16 << 10 } } });
    const most = pattern(65_000);
    for (let id = 0; id < 100; id++) {
      for (let block = 0; block < 16; block++) {
        const from = block * 4_096;
        deliver(made, family.fragment(most, from, from + 8, false, { identification: id }));
      }
    }
    ok(made.ip.reassembly.bytes <= 16 << 10);
    const { fragmentOverflow, reassemblyGivenUp } = made.ip.counters;
    ok(fragmentOverflow > 0 && reassemblyGivenUp > 0);
    isAnswered(family, made, cut(family, request, [800, 1_600], { identification: 999 }), whole);
  });

  Deno.test(name("more fragments than any honest packet has spoil it"), () => {
    const made = make();
    for (let part = 0; part < 129; part++) {
      deliver(made, family.fragment(request, part * 16, part * 16 + 8, false));
    }
    equal(made.ip.counters.fragmentOverflow, 1);
    equal(made.ip.reassembly.bytes, 0);
  });

  Deno.test(
    name(
      "a mark of congestion on one fragment marks the packet, unless it says that it takes none (RFC 3168 5.3)",
    ),
    () => {
      const [ect, ce] = [1, 3];
      for (
        const [marks, expected] of [[[ect, ce], 3], [[ect, ect], 1], [[0, 0], 0], [
          [0, ce],
          undefined,
        ]] as const
      ) {
        let seen: number | undefined;
        const made = make({
          receive: () => (packet) => {
            seen = packet.trafficClass;
          },
        });
        const frames = [
          family.fragment(request, 0, 1_600, false, { trafficClass: marks[0] }),
          family.fragment(request, 1_600, 3_008, true, { trafficClass: marks[1] }),
        ];
        for (const frame of frames) made.deliver(frame);
        equal(seen, expected);
      }
    },
  );

  Deno.test(
    name(
      "fragments of one packet have an identification, which the next packet's differs from (RFC 6864 4.3)",
    ),
    () => {
      const made = make({ ip: { seed: [1, 2] } });
      const ids = [0, 1, 2].map(() => join(exchange(made, cut(family, request, [1_600]))).identification);
      equal(new Set(ids).size, 3);
      const other = make({ ip: { seed: [3, 4] } });
      const id = join(exchange(other, cut(family, request, [1_600]))).identification;
      notEqual(id, ids[0], "and which depends on a secret (RFC 7739)");
    },
  );

  Deno.test(
    name("all fragments but the last carry a multiple of 8 bytes, and as many as the MTU allows"),
    () => {
      for (const mtu of [1_280, 1_281, 1_500, 9_000]) {
        const made = make({ nic: { mtu } });
        const bytes = pattern(20_000);
        const sent = exchange(made, slices(family, family.request(bytes), 1_200));
        const lengths = sent.map((frame) => readFragment(frame).data.length);
        const room = mtu - family.headers;
        for (const length of lengths.slice(0, -1)) equal(length, room & ~7);
        ok(lengths.at(-1)! <= room);
        deepEqual(join(sent).payload.slice(8), bytes);
      }
    },
  );

  Deno.test(
    name("answers in fragments are bounded: what finds no room is counted, and nothing is left behind"),
    () => {
      const made = make({ ip: { largePackets: 2 } });
      for (let id = 0; id < 4; id++) {
        for (const frame of cut(family, request, [1_600], { identification: id })) deliver(made, frame);
      }
      deepEqual([made.icmp.counters.answered, made.ip.counters.fragmentOverflow], [2, 2]);
      equal(made.transmit(1_000).length, 2 * 3);
      isAnswered(family, made, cut(family, request, [1_600], { identification: 9 }), whole);
    },
  );

  Deno.test(name("any division of any packet gives the packet"), () => {
    check(
      fc.property(
        fc.integer({ min: 1, max: 4_000 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 }),
        fc.integer(),
        (length, eighths, seed) => {
          const bytes = pattern(length);
          const payload = family.request(bytes);
          const places = eighths.map((place) => place * 8).filter((place) => place < payload.length);
          if (places.length === 0) return;
          const parts = cut(family, payload, places.sort((a, b) => a - b));
          // Some order, some of them twice.
          const frames = parts.map((part, index) => ({ part, key: (seed * (index + 7)) % 101 }))
            .sort((a, b) => a.key - b.key).map(({ part }) => part);
          if (seed % 2 === 0) frames.splice(1, 0, frames[0]!);
          isAnswered(family, make(), frames, bytes);
        },
      ),
      { runs: 100 },
    );
  });
}

const V6 = FAMILIES[1]!;
const ipv6Frame = (payload: Uint8Array, protocol: number) =>
  ethernet(ipv6(payload, { protocol }), { etherType: EtherType.Ipv6 });

/** Asserts that a frame is dropped as no fragment that can be, and that its sender is told where it went wrong. */
function isReported(frame: Uint8Array, code: number, pointer: number): void {
  const made = host6();
  const { outcome, sent } = deliver(made, frame);
  equal(outcome, "ip.badFragment");
  expectFrame(sent[0], {
    ip6: { destination: PEER6 },
    icmp6: { type: Type.ParameterProblem, code, rest: pointer, isChecksumRight: true },
    payload: frame.slice(14),
  });
  equal(made.ip.counters.errorsSent, 1);
}

Deno.test("fragments: IPv6: a length that is no multiple of 8 is told to the sender, at the payload length (RFC 8200 4.5)", () => {
  isReported(V6.fragment(pattern(100), 0, 81, false), Problem.Field, 4);
});

Deno.test("fragments: IPv6: a packet that would be over 65,535 bytes is told to the sender, at the offset (RFC 8200 4.5)", () => {
  isReported(ipv6Frame(concat(fragmentHeader(65_528, true), data(8)), Protocol.Fragment), Problem.Field, 42);
});

Deno.test("fragments: IPv6: a first fragment without the whole chain of headers is refused (RFC 7112 5)", () => {
  const options = Uint8Array.of(Protocol.Icmpv6, 0, 1, 4, 0, 0, 0, 0);
  const cutOff = concat(fragmentHeader(0, false, 1, Protocol.Destination), options);
  isReported(ipv6Frame(cutOff, Protocol.Fragment), Problem.FirstFragment, 0);
});

Deno.test("fragments: IPv6: an atomic fragment is a whole packet, whatever else has its identification (RFC 6946 4)", () => {
  const made = host6({ nic: { frameLength: 9_100 } });
  const request = V6.request(pattern(3_000));
  deliver(made, V6.fragment(request, 0, 1_600, false));
  const { outcome, sent } = deliver(
    made,
    ipv6Frame(concat(fragmentHeader(0, true), V6.request(data(8))), 44),
  );
  equal(outcome, "icmp end.answered");
  deepEqual(read(sent[0]).payload, data(8));
  equal(read(sent[0]).ip6?.protocol, Protocol.Icmpv6, "and so is the answer (RFC 6946 3)");
  isAnswered(V6, made, [V6.fragment(request, 1_600, 3_008, true)], pattern(3_000));
});

Deno.test("fragments: IPv6: a fragment inside a packet that was put together is refused", () => {
  const inner = concat(fragmentHeader(0, false, 7), data(16));
  const made = host6();
  const [first, last] = cut(V6, inner, [16], { protocol: Protocol.Fragment });
  deliver(made, first!);
  equal(deliver(made, last!).outcome, "ip.badFragment");
});

Deno.test("fragments: IPv6: NDP in fragments is ignored (RFC 6980 5)", () => {
  const made = host6();
  let taken = 0;
  made.ip.linkControl = { receive: () => taken++, send: () => false, deadline: () => Infinity };
  const message = icmpv6(data(24), { type: Type.NeighbourSolicitation });
  const [first, last] = cut(V6, message, [16]);
  deliver(made, first!);
  equal(deliver(made, last!).outcome, "ip.badLinkControl");
  const atomic = deliver(made, ipv6Frame(concat(fragmentHeader(0, true), message), Protocol.Fragment));
  equal(atomic.outcome, "ip.badLinkControl");
  equal(taken, 0);
  equal(
    deliver(made, echoRequest6({ icmp: { type: Type.NeighbourSolicitation } })).outcome,
    "ip.linkControl",
  );
});

Deno.test("fragments: IPv4: lengths that no fragment has are dropped in silence", () => {
  const V4 = FAMILIES[0]!;
  for (
    const frame of [
      V4.fragment(pattern(100), 0, 81, false),
      V4.fragment(pattern(65_536), 65_520, 65_536, true),
    ]
  ) {
    const { outcome, sent } = deliver(host6(), frame);
    equal(outcome, "ip.badFragment");
    deepEqual(sent, []);
  }
});
