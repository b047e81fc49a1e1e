/** Which segments a connection takes, in every state and at every edge of its window: RFC 9293 3.10.7.4. */
import { deepEqual, equal } from "node:assert/strict";
import { milliseconds } from "../../../stack/store/time.ts";
import { familyTest } from "../../support/family.ts";
import { type Answer, expect, type Segment } from "../../support/peer-tcp.ts";
import { inState, type StateName, stateOf, STATES } from "./states.ts";

const BUFFER = 8_192;

/** Where a segment starts, against the window [start, end). */
const PLACES = ["start-1", "start", "start+1", "start+2", "end-1", "end", "end+1", "end+2"] as const;
type Place = (typeof PLACES)[number];

const KINDS = {
  SYN: { flags: "S" },
  "SYN-ACK": { flags: "SA" },
  data: { flags: "A", length: 1 },
  FIN: { flags: "FA" },
  ACK: { flags: "A" },
  RST: { flags: "R" },
} as const satisfies Record<string, Segment>;
type Kind = keyof typeof KINDS;

const isInside = (place: Place) => place.startsWith("start") ? place !== "start-1" : place === "end-1";

/** What the RFCs have the connection do: its answer, and where it is then. */
function rule(
  state: StateName,
  kind: Kind,
  place: Place,
): { answer: "ACK" | "SYN-ACK" | "-"; state: string } {
  const hasFin = ["CLOSE-WAIT", "CLOSING", "LAST-ACK"].includes(state);
  const opened = state === "SYN-RECEIVED" ? "ESTABLISHED" : state;
  switch (kind) {
    case "RST":
      // RFC 5961 3.2
      if (place === "start") return { answer: "-", state: "CLOSED" };
      return { answer: isInside(place) ? "ACK" : "-", state };
    case "SYN":
      // RFC 5961 4.2; RFC 9293 3.10.7.4: the SYN of this very connection is answered as at first.
      return { answer: state === "SYN-RECEIVED" && place === "start-1" ? "SYN-ACK" : "ACK", state };
    case "SYN-ACK":
      return { answer: "ACK", state };
    case "ACK":
      if (isInside(place)) return { answer: "-", state: opened };
      // A peer whose data fills the window numbers its acknowledgments with what follows.
      return place === "end" ? { answer: "-", state: opened } : { answer: "ACK", state };
    case "data":
      if (!isInside(place)) return { answer: "ACK", state };
      // The seventh check: behind the peer's FIN there is no text.
      if (hasFin) return { answer: "-", state };
      // In order it may be acknowledged later, out of order at once; the first segments at once as well.
      return { answer: place === "start" && state !== "SYN-RECEIVED" ? "-" : "ACK", state: opened };
    case "FIN": {
      if (!isInside(place)) return { answer: "ACK", state };
      if (hasFin) return { answer: "-", state };
      if (place !== "start") return { answer: "ACK", state: opened };
      const next: Partial<Record<StateName, StateName>> = {
        "SYN-RECEIVED": "CLOSE-WAIT",
        ESTABLISHED: "CLOSE-WAIT",
        "FIN-WAIT-1": "CLOSING",
        "FIN-WAIT-2": "TIME-WAIT",
      };
      return { answer: "ACK", state: next[state]! };
    }
  }
}

function shown(answers: readonly Answer[]): string {
  return answers.map(({ flags }) => flags.replace("SA", "SYN-ACK").replace(/^A$/, "ACK")).join(" ") || "-";
}

for (const state of STATES) {
  if (state === "TIME-WAIT") continue;
  familyTest(
    `tcp: in ${state} a segment at either edge of the window is taken, answered or dropped (RFC 9293 3.10.7.4, RFC 5961)`,
    () => {
      for (const kind of Object.keys(KINDS) as Kind[]) {
        for (const place of PLACES) {
          const peer = inState(state, { buffer: BUFFER, slots: 16 });
          const [c] = peer.tcp.connections;
          const window = (c!.rcvEdge - c!.rcvNxt) | 0;
          const [from, by] = [
            place.startsWith("start") ? peer.next : peer.next + window,
            /[+-].*/.exec(place),
          ];
          // What acknowledges our FIN would change the state by itself.
          const ack = state === "SYN-RECEIVED" || state === "ESTABLISHED" || state === "CLOSE-WAIT" ||
              state === "FIN-WAIT-2"
            ? peer.expected
            : 1;
          const segment = { ...KINDS[kind], seq: from + Number(by?.[0] ?? 0), ack };
          const answers = peer.send(segment);
          deepEqual(
            { answer: shown(answers), state: stateOf(peer) },
            rule(state, kind, place),
            `${kind} at ${place}`,
          );
          for (const { flags, seq, ack } of answers) {
            if (flags !== "A") continue;
            equal(seq, state === "SYN-RECEIVED" ? 1 : c!.finSent ? 2 : 1, `${kind} at ${place}: SND.NXT`);
            equal(ack, (c!.rcvNxt - peer.iss) | 0, `${kind} at ${place}: RCV.NXT`);
          }
        }
      }
    },
  );
}

familyTest(
  "tcp: a segment that is longer than the window is cut to it at both ends (RFC 9293 3.10.7.4)",
  () => {
    const peer = inState("ESTABLISHED", { buffer: 4_096 });
    peer.send({ flags: "A", seq: 1, length: 1_000 });
    peer.send({ flags: "A", seq: 501, length: 1_000 }, { flags: "A", seq: 1_501, length: 1_400 });
    equal(peer.user.receive.length, 2_900);
    peer.send({ flags: "A", seq: 2_901, length: 1_400 });
    expect(peer.pass(milliseconds(50)), [{ flags: "A", ack: 4_097, window: 0 }]);
    equal(peer.user.receive.length, 4_096);
  },
);

familyTest(
  "tcp: with a window of nothing only what has no length, at RCV.NXT, is taken; its acknowledgment counts (RFC 9293 3.10.7.4)",
  () => {
    const peer = inState("ESTABLISHED", { buffer: 4_096 });
    peer.user.write(500);
    expect(peer.flush(), [{ length: 500 }]);
    for (let seq = 1; seq < 4_097; seq += 1_024) peer.send({ flags: "A", seq, ack: 1, length: 1_024 });
    equal(peer.connection.rcvEdge, peer.connection.rcvNxt);
    expect(peer.send({ flags: "A", seq: 4_097, ack: 1, length: 1 }), [{ flags: "A", ack: 4_097, window: 0 }]);
    expect(peer.send({ flags: "A", seq: 4_097, ack: 501 }), []);
    equal(peer.user.send.length, 0, "the acknowledgment has been read");
    expect(peer.send({ flags: "RA", seq: 4_097, ack: 501, length: 5 }), []);
    equal(stateOf(peer), "CLOSED", "a reset may carry data (RFC 9293 3.5.3)");
  },
);

familyTest(
  "tcp: a segment without ACK is dropped, whatever else it carries (RFC 9293 3.10.7.4, the fifth check)",
  () => {
    for (const flags of ["", "F", "P", "U", "FPU"]) {
      const peer = inState("ESTABLISHED");
      expect(peer.send({ flags, seq: 1, length: 5 }), []);
      equal(peer.user.receive.length, 0);
      equal(stateOf(peer), "ESTABLISHED");
    }
  },
);

familyTest(
  "tcp: with a window of nothing the acknowledgment beside data counts, the data does not (RFC 9293 3.10.7.4)",
  () => {
    const peer = inState("ESTABLISHED", { buffer: 4_096 });
    peer.user.write(500);
    peer.flush();
    for (let seq = 1; seq < 4_097; seq += 1_024) peer.send({ flags: "A", seq, ack: 1, length: 1_024 });
    expect(peer.send({ flags: "A", seq: 4_097, ack: 501, length: 1 }), [{
      flags: "A",
      ack: 4_097,
      window: 0,
    }]);
    equal(peer.user.send.length, 0, "the acknowledgment has been read");
    equal(peer.user.receive.length, 4_096, "the data has not");
    expect(peer.send({ flags: "A", seq: 4_098, ack: 501, length: 1 }), [{
      flags: "A",
      ack: 4_097,
      window: 0,
    }]);
  },
);
