/**
 * The whole receive tree, with guard mode on and off: what happens to a host in both worlds is the same.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import { arpFrame, OWN } from "../../support/frames.ts";
import { fc } from "../../support/property.ts";
import { frame } from "../frames/mutate.ts";
import { address, port } from "../frames/pools.ts";
import { target } from "../target.ts";
import { PROFILE_NAMES } from "../tree/profiles.ts";
import { SCRIPT, type Script, type Step } from "../tree/script.ts";
import { World } from "../tree/world.ts";

const wait = fc.oneof(
  fc.constantFrom(0, 1, 999_999, 1_000_000, 3_000_000, 44_999_999, 45_000_000, 60_000_000, 3_600_000_000),
  fc.nat(5_000_000),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.array(frame, { minLength: 1, maxLength: 3 }).map((frames) => ({
      kind: "rx" as const,
      frames,
    })),
  },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 8 }).map((max) => ({ kind: "tx" as const, max })) },
  { weight: 1, arbitrary: wait.map((time) => ({ kind: "wait" as const, time })) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("say" as const),
      to: fc.oneof(fc.constantFrom("10.0.0.2", "10.0.0.9", OWN), address),
      port,
      length: fc.oneof(fc.nat(32), fc.constantFrom(544, 545, 1_472, 1_473, 65_507, 65_508)),
    }),
  },
);

/** The peer asks for the host, and is known from then on: nobody else is answered at once. */
const GREETING: Step = { kind: "rx", frames: [arpFrame()] };

const script: fc.Arbitrary<Script> = fc.record({
  profile: fc.constantFrom(...PROFILE_NAMES),
  greets: fc.nat(4).map((dice) => dice > 0),
  steps: fc.array(step, { minLength: 1, maxLength: 10 }),
}).map(({ profile, greets, steps }) => ({ profile, steps: greets ? [GREETING, ...steps] : steps }));

function run({ profile, steps }: Script): void {
  const worlds = [new World(profile, false, 0x00), new World(profile, true, 0xff)] as const;
  for (const world of worlds) {
    for (const step of steps) world.step(step);
    world.finish();
  }
  equal(
    worlds[0].log.join("\n"),
    worlds[1].log.join("\n"),
    "bytes around a frame, or guard mode, change what happens",
  );
}

/** Scripts of frames, time and datagrams against a whole host. */
export const tree = target({ name: "tree", runs: 1_500, codec: SCRIPT, input: script, run });
