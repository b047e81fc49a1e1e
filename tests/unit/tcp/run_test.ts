import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { Network } from "../../../nic/link/network.ts";
import { seconds } from "../../../stack/store/time.ts";
import { Sink } from "../../../stack/tcp/buffers.ts";
import { CloseReason, type Connection } from "../../../stack/tcp/connection.ts";
import * as wire from "../../../stack/wire/tcp.ts";
import { testSeed } from "../../support/property.ts";
import { type Behaviour, type Data, Twins, type Way, WAYS } from "../../support/run-twins.ts";
import { connectWith, PatternUser, tcpHost } from "../../support/tcp.ts";

const { Flag } = wire;
const MSS = 988;

function opened(way: Way = "Ethernet, IPv4", behaviour: Behaviour = {}): Twins {
  const twins = new Twins(way, behaviour);
  twins.open();
  // So that the largest segment of the peer is known.
  twins.burst([{ length: MSS }]);
  return twins;
}

const full = (more: Partial<Data> = {}): Data => ({ length: MSS, ...more });

for (const way of WAYS) {
  Deno.test(`joining: segments in a row over ${way} are one run: the user hears of the first, and of the rest`, () => {
    const twins = opened(way);
    const [before, joinedBefore] = twins.calls;
    const sent = twins.burst([full(), full({ identification: 1 }), full({ identification: 2 }), full()]);
    equal(twins.joined, 3);
    deepEqual(twins.calls, [before + 4, joinedBefore + 2]);
    equal(twins.received, 5 * MSS);
    equal(sent.length, 1, "and it is acknowledged once");
  });
}

Deno.test("joining: a shorter segment and one that is pushed are the last of a run", () => {
  const twins = opened();
  twins.burst([full(), full(), { length: 10 }, full(), full(), full({ flags: Flag.Ack | Flag.Psh }), full()]);
  equal(twins.joined, 4);
  twins.burst([{ length: 10 }, { length: 10 }, { length: 10 }]);
  equal(twins.joined, 4, "what is short begins none");
});

Deno.test("joining: padding behind a segment is no data", () => {
  const twins = opened();
  twins.burst([full(), full({ padding: 6 }), { length: 5, padding: 1 }]);
  equal(twins.joined, 2);
  equal(twins.received, 3 * MSS + 5);
});

Deno.test("joining: a run does not outlast its burst", () => {
  const twins = opened();
  twins.burst([full(), full()]);
  twins.burst([full()]);
  twins.burst([full()], 0);
  equal(twins.joined, 1);
});

const BREAKS: Record<string, Partial<Data>> = {
  "a mark of congestion (RFC 3168)": { trafficClass: 3 },
  "another traffic class": { trafficClass: 0x20 },
  "another hop limit": { hopLimit: 63 },
  "another station": { from: "02:00:00:00:00:77" },
  "another window": { window: 0x7000 },
  "another acknowledgment": { acknowledges: -1 },
  "another timestamp (RFC 7323)": { timestamp: 1_001 },
  "no timestamp": { timestamp: null },
  "a SACK block": { sack: true },
  "a FIN": { flags: Flag.Ack | Flag.Fin },
  "a RST": { flags: Flag.Ack | Flag.Rst },
  "a SYN": { flags: Flag.Ack | Flag.Syn },
  "CWR": { flags: Flag.Ack | Flag.Cwr },
  "urgent data": { flags: Flag.Ack | Flag.Urg, urgent: 5 },
  "a gap": { offset: 1 },
  "data twice": { offset: -MSS },
  "a wrong checksum": { damage: "tcp" },
  "a wrong checksum of IP": { damage: "ip" },
  "more data than the first": { length: MSS + 12 },
  "no data": { length: 0 },
  "no acknowledgment": { flags: Flag.Psh },
};

for (const [what, difference] of Object.entries(BREAKS)) {
  Deno.test(`joining: ${what} goes through the tree`, () => {
    const twins = opened();
    twins.burst([full(), full()]);
    const { joined } = twins;
    equal(joined, 1);
    twins.burst([full(), full(difference)]);
    equal(twins.joined, joined);
  });
}

Deno.test("joining: what the window does not take goes through the tree", () => {
  const twins = opened("Ethernet, IPv4", { isIdle: true });
  twins.burst([full(), full(), full(), full(), full(), full(), full(), full(), full(), full()]);
  equal(
    twins.joined,
    6,
    "eight kilobytes hold eight, the first of them came before, the second began the run",
  );
});

Deno.test("joining: two connections in turn make no run, one after the other make two", () => {
  const twins = opened();
  twins.open(5_001);
  twins.burst([full({ port: 5_001 })]);
  twins.burst([full(), full({ port: 5_001 }), full(), full({ port: 5_001 })]);
  equal(twins.joined, 0);
  twins.burst([full(), full(), full({ port: 5_001 }), full({ port: 5_001 })]);
  equal(twins.joined, 2);
});

Deno.test("joining: between the segments of a run the user hears of the data before anything else", () => {
  const twins = opened();
  twins.burst([full(), full(), { length: 0, flags: Flag.Ack | Flag.Fin }]);
  equal(twins.joined, 1, "and the log of both, which has what was read before the FIN, is the same");
});

Deno.test("joining: numbers wrap inside of a run", () => {
  const twins = new Twins("Ethernet, IPv4");
  twins.open(5_000, 0x7fff_ffff - 2 * MSS);
  twins.burst([full()]);
  twins.burst([full(), full(), full()]);
  twins.open(5_001, -2 * MSS - 7);
  twins.burst([full({ port: 5_001 })]);
  twins.burst([full({ port: 5_001 }), full({ port: 5_001 }), full({ port: 5_001 })]);
  equal(twins.joined, 4);
});

/** Numerical Recipes' generator. */
function numbers(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) % below;
  };
}

const ODD: readonly Partial<Data>[] = [
  ...Object.values(BREAKS),
  { length: 1 },
  { length: 500 },
  { flags: Flag.Ack | Flag.Psh },
  { padding: 3 },
  { acknowledges: 1 },
  { acknowledges: -500 },
  { offset: 3 * MSS },
  { offset: -10 },
  { timestamp: 999 },
  { timestamp: 5 },
  { window: 0 },
];

Deno.test("joining: whatever comes, in whatever order, it makes no difference that can be seen", () => {
  const below = numbers(testSeed());
  let joined = 0;
  for (let run = 0; run < 80; run++) {
    const behaviour = [{}, { echoes: true }, { isIdle: true }][below(3)]!;
    const twins = new Twins(WAYS[below(WAYS.length)]!, behaviour, below(4) > 0);
    const ports = [5_000, 5_001];
    for (const port of ports) twins.open(port, below(2) === 0 ? -1_500 : 77);
    for (let burst = 0; burst < 12; burst++) {
      let port = ports[below(2)]!;
      const segments: Data[] = [];
      for (let left = below(12); left > 0; left--) {
        if (below(6) === 0) port = ports[below(2)]!;
        segments.push({
          length: MSS,
          identification: below(0xffff),
          port,
          ...(below(6) === 0 ? ODD[below(ODD.length)] : {}),
        });
      }
      twins.burst(segments, [0, 100, 300_000][below(3)]);
    }
    joined += twins.joined;
  }
  ok(joined > 100, `${joined} were joined`);
});

Deno.test("joining: no bit of a segment may be wrong", () => {
  const below = numbers(testSeed() + 1);
  let joined = 0;
  for (let run = 0; run < 150; run++) {
    const twins = opened(WAYS[below(WAYS.length)]!);
    const frames = Array.from({ length: 4 }, (_, identification) => twins.frame(full({ identification })));
    const spoilt = frames[1 + below(3)]!;
    const at = below(below(2) === 0 ? 80 : spoilt.length);
    spoilt[at]! ^= 1 << below(8);
    twins.deliver(frames);
    joined += twins.joined;
  }
  ok(joined > 100, `${joined} were joined`);
});

for (const by of ["readable", "write"] as const) {
  Deno.test(`joining: a user whose ${by} throws in the middle of a run has aborted (RFC 9293 3.10.5)`, () => {
    const network = new Network();
    const [from, to] = [tcpHost(network, 1), tcpHost(network, 2)];
    const sender = new PatternUser(20_000);
    const reasons: CloseReason[] = [];
    const isRun = () => to.tcp.counters.joined > 0;
    const fail = () => {
      if (isRun()) throw new Error("a user's fault");
    };
    to.tcp.listen({ port: 7 }, (c) => {
      const sink = new Sink(0xffff);
      c.receiveBuffer = by === "readable" ? sink : { window: 0xffff, write: fail, advance: () => {} };
      const closed = (_: Connection, reason: CloseReason) => void reasons.push(reason);
      return by === "readable" ? { closed, readable: fail } : { closed };
    });
    connectWith(from, to, 7, sender);
    throws(() => network.run(seconds(1)), /a user's fault/);
    network.run(seconds(2));
    equal(to.tcp.connections.size, 0);
    deepEqual(reasons, [CloseReason.Aborted]);
    equal(sender.reason, CloseReason.Reset, "the peer hears of it");
    equal(network.pool.available, network.pool.slots.length);
  });
}
