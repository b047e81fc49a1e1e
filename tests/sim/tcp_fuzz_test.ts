/** Random segments and random users at a connection in every state: nothing throws, stalls, floods or stays for ever. */
import { equal, ok } from "node:assert/strict";
import { milliseconds, seconds } from "../../mod.ts";
import { ConnectionState } from "../../stack/tcp/state.ts";
import { inState, STATES } from "../conformance/tcp/states.ts";
import { familyTest } from "../support/family.ts";
import { listening, type PeerOptions, TcpPeer } from "../support/peer-tcp.ts";
import { check, fc } from "../support/property.ts";
import { segment } from "../support/tcp-frames.ts";
import { broken } from "../support/tcp-invariants.ts";

/** Where the fuzz begins. */
const BEGINNINGS = [...STATES, "LISTEN", "SYN-SENT"] as const;

/** A number near one of the edges that matter, or anywhere. */
const near = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: -3_000, max: 70_000 }),
  fc.integer(),
);

const optionBytes = fc.oneof(
  { arbitrary: fc.constant<number[]>([]), weight: 3 },
  // MSS, window scale, SACK permitted, timestamps, SACK: well-formed and not.
  {
    arbitrary: fc.array(
      fc.oneof(
        fc.constantFrom(
          [0],
          [1],
          [2, 4, 0, 0],
          [2, 4, 5, 180],
          [3, 3, 14],
          [3, 3, 255],
          [4, 2],
          [8, 10, 0, 0, 0, 1, 0, 0, 0, 0],
          [8, 9, 1, 2],
          [5, 10, 0, 0, 0, 1, 0, 0, 0, 9],
          [5, 2],
          [255, 0],
          [30, 255],
        ),
        fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 12 }),
      ),
      { maxLength: 4 },
    ).map((parts) => parts.flat().slice(0, 40)),
    weight: 1,
  },
);

/** One thing that happens. */
type Step =
  | {
    kind: "segment";
    seq: number;
    ack: number;
    flags: number;
    length: number;
    window: number;
    options: number[];
  }
  | { kind: "write" | "read" | "pass"; count: number }
  | { kind: "close" | "abort" | "orphan" | "keepAlive" };

const flags = fc.oneof(
  { arbitrary: fc.constantFrom(0x10, 0x18, 0x11, 0x10, 0x10), weight: 4 },
  { arbitrary: fc.constantFrom(0x02, 0x12, 0x04, 0x14, 0x29, 0, 0xff, 0x50, 0x90), weight: 2 },
  { arbitrary: fc.integer({ min: 0, max: 255 }), weight: 1 },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constant("segment" as const),
      seq: near,
      ack: near,
      flags,
      length: fc.constantFrom(0, 0, 0, 1, 2, 100, 1_400),
      window: fc.constantFrom(0, 0, 1, 100, 2_000, 65_535),
      options: optionBytes,
    }),
    weight: 12,
  },
  {
    arbitrary: fc.record({
      kind: fc.constantFrom("write" as const, "read" as const),
      count: fc.integer({ min: 1, max: 5_000 }),
    }),
    weight: 3,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant("pass" as const),
      count: fc.constantFrom(1_000, 50_000, 1_000_000, 70_000_000),
    }),
    weight: 3,
  },
  {
    arbitrary: fc.record({ kind: fc.constantFrom("close", "abort", "orphan", "keepAlive") }) as fc.Arbitrary<
      Step
    >,
    weight: 1,
  },
);

const options: fc.Arbitrary<PeerOptions> = fc.record({
  iss: fc.constantFrom(0x1000_0000, -100, 0x7fff_ff00),
  buffer: fc.constantFrom(4_096, 65_536),
  window: fc.constantFrom(1, 1_000, 65_535),
  syn: fc.constantFrom(
    { mss: 1_000 },
    {},
    { mss: 1_400, sackPermitted: true },
    { mss: 1_400, sackPermitted: true, scale: 7, timestamps: [1, 0] as const },
    { scale: 14 },
  ),
});

function begin(name: typeof BEGINNINGS[number], options: PeerOptions): TcpPeer {
  const settings = { ...options, tcp: { userTimeout: seconds(100), connections: 4, timeWaits: 4 } };
  if (name === "LISTEN") return listening(settings);
  if (name !== "SYN-SENT") return inState(name, settings);
  const peer = new TcpPeer(settings);
  peer.connect();
  peer.flush();
  return peer;
}

/** Does one step, and answers how many segments left in answer to a segment. */
function act(peer: TcpPeer, step: Step): number {
  const [c] = peer.tcp.connections;
  switch (step.kind) {
    case "segment": {
      const frame = segment({
        sourcePort: 5_000,
        destinationPort: peer.ownPort,
        sequence: ((c?.rcvNxt ?? peer.iss + 1) + step.seq) | 0,
        acknowledgment: ((c?.sndNxt ?? peer.irs + 1) + step.ack) | 0,
        flags: step.flags,
        window: step.window,
        options: step.options,
        data: step.length,
      });
      return peer.host.deliver(frame).length + peer.host.transmit(256).length;
    }
    case "pass":
      peer.pass(step.count);
      break;
    case "keepAlive":
      c?.setKeepAlive(true);
      break;
    case "orphan":
      if (c !== undefined) peer.tcp.orphan(c);
      break;
    default:
      use(peer, step);
  }
  peer.flush();
  return 0;
}

/** What a user may do, as long as there is a connection that was handed out. */
function use(peer: TcpPeer, step: Step): void {
  const c = peer.users.at(-1)?.connection;
  if (c === undefined || c.index < 0) return;
  if (step.kind === "close") c.close();
  else if (step.kind === "abort") c.abort();
  else if (step.kind === "read") peer.user.read(step.count);
  else if (step.kind === "write" && !c.finWanted && peer.user.send.free >= step.count) {
    peer.user.write(step.count);
  }
}

familyTest(
  "tcp: whatever segments come in whatever state, nothing throws, stalls or floods, and all slots come back",
  () => {
    const property = fc.property(
      fc.constantFrom(...BEGINNINGS),
      options,
      fc.array(step, { maxLength: 40 }),
      (beginning, options, steps) => {
        const peer = begin(beginning, options);
        for (const step of steps) {
          const sent = act(peer, step);
          // An acknowledgment lets out what its window allows, of buffers of this size.
          ok(sent <= 256, `${sent} segments for one`);
          equal(broken(peer.tcp, peer.now), undefined);
        }
        isOver(peer);
      },
    );
    check(property, { runs: 1_500 });
  },
);

familyTest("tcp: segments that carry no acknowledgment of data get at most one answer each", () => {
  const quiet = fc.array(step.filter(({ kind }) => kind === "segment"), { maxLength: 60 });
  const property = fc.property(
    fc.constantFrom(...BEGINNINGS),
    options,
    quiet,
    (beginning, options, steps) => {
      const peer = begin(beginning, options);
      let sent = 0;
      for (const step of steps) sent += act(peer, step);
      // With nothing to send there is nothing to let out; a handshake's and a close's own segments come on top.
      ok(sent <= steps.length + 4, `${sent} answers to ${steps.length} segments`);
    },
  );
  check(property, { runs: 500 });
});

/** The user closes, nobody reads any more, the peer is silent: in time there is nothing left. */
function isOver(peer: TcpPeer): void {
  peer.listener?.close();
  for (const c of peer.tcp.connections) {
    c.close();
    peer.tcp.orphan(c);
  }
  const left = peer.pass(seconds(400));
  const [c] = peer.tcp.connections;
  equal(peer.tcp.connections.size, 0, `left in ${Object.keys(ConnectionState)[c?.state ?? 0]}`);
  peer.tcp.tick(peer.now + milliseconds(1));
  equal(peer.tcp.timeWaits.size, 0, "an entry in TIME-WAIT is left");
  ok(left.length < 1_000, `${left.length} segments to a silent peer`);
}
