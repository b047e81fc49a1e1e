/** Every combination of flags, in every state, at every edge: nothing of it makes a connection fail, babble or leak. */
import { equal, ok } from "node:assert/strict";
import { seconds } from "../../mod.ts";
import { inState, stateOf, STATES } from "../conformance/tcp/states.ts";
import { familyTest, isV6 } from "../support/family.ts";
import { listening, type Segment, TcpPeer } from "../support/peer-tcp.ts";

const FLAGS = Array.from({ length: 64 }, (_, bits) => {
  return [..."FSRPAU"].filter((_, bit) => ((bits >> bit) & 1) !== 0).join("");
});
const WINDOW = 4_096;
/** From the left edge of what the host takes. */
const SEQUENCES = [-0x8000_0000, -WINDOW, -1, 0, 1, WINDOW - 1, WINDOW, WINDOW + 1, 0x7fff_ffff];
/** From the host's SND.NXT. */
const ACKNOWLEDGMENTS = [-0x8000_0000, -100_000, -1, 0, 1, 0x7fff_ffff];

/** The host in one of the states, those of no connection among them. */
function bring(state: (typeof STATES)[number] | "CLOSED" | "LISTEN" | "SYN-SENT", iss: number): TcpPeer {
  const options = { buffer: WINDOW, slots: 8, iss, tcp: { connections: 4, timeWaits: 4, ecn: false } };
  if (state === "CLOSED") return new TcpPeer(options);
  if (state === "LISTEN") return listening(options);
  if (state !== "SYN-SENT") return inState(state, options);
  const peer = new TcpPeer(options);
  peer.connect();
  peer.flush();
  return peer;
}

for (const state of ["CLOSED", "LISTEN", "SYN-SENT", ...STATES] as const) {
  familyTest(
    `tcp: any flags with any numbers in ${state}: one answer at most, no reset of a reset, no slot kept (RFC 9293 3.10.7)`,
    () => {
      // Numbers that wrap just here, and numbers that do not.
      const iss = isV6() ? -2 : 0x1000_0000;
      for (const flags of FLAGS) {
        for (const from of SEQUENCES) {
          for (const acked of ACKNOWLEDGMENTS) {
            if (!flags.includes("A") && acked !== 0) continue;
            // Lengths in turn, so that each comes with each number and with each combination.
            const length = (SEQUENCES.indexOf(from) + acked) % 2 === 0 ? 0 : 10;
            meet(state, iss, { flags, length }, from, acked);
          }
        }
      }
    },
  );
}

function meet(
  state: Parameters<typeof bring>[0],
  iss: number,
  segment: Segment,
  from: number,
  acked: number,
): void {
  const peer = bring(state, iss);
  const seq = peer.next + from, ack = peer.expected + acked;
  const why = () => `${state}: ${segment.flags} seq ${from} ack ${acked} length ${segment.length}`;
  const answers = peer.send({ ...segment, seq, ack });
  ok(answers.length <= 1, why());
  const isReset = segment.flags.includes("R");
  for (const answer of answers) {
    if (isReset) ok(!answer.flags.includes("R"), why());
    equal(answer.length, 0, why());
  }
  // What a listener's user was given, and what the peer may have opened, is told exactly once that it is over.
  for (const c of peer.tcp.connections) c.abort();
  peer.flush();
  equal(peer.tcp.connections.size, 0, why());
  if (peer.listener !== undefined) equal(peer.listener.halfOpen, 0, why());
  for (const { heard } of peer.users) {
    const ends = heard.filter((what) => !["opened", "readable", "peerClosed"].includes(what));
    equal(ends.length, 1, `${why()}: ${heard}`);
    equal(heard.at(-1), ends[0], why());
  }
  if (stateOf(peer) === "TIME-WAIT") peer.pass(seconds(61));
  equal(stateOf(peer), "CLOSED", why());
}
