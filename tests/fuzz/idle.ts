/**
 * Finds missing deadlines: a host that is asked only when it says so, and one that is asked at other times, too, say the
 * same at the same times, whatever happens to them. Or else a deadline is missing, and the first one stalls.
 *
 * @module
 */
import { deepEqual, ok } from "node:assert/strict";
import { type Instant, milliseconds, NEVER, seconds } from "../../stack/store/time.ts";
import type { Host } from "../support/host.ts";
import { fc } from "../support/property.ts";
import { HEX } from "./codec.ts";
import { type Target, target } from "./target.ts";

/** Something that happens to a host. */
export type Deed<T> = (made: T, now: Instant) => void;

/** What is compared with itself. */
export interface IdleOptions<T extends Host> {
  /** The target's name. */
  readonly name: string;
  /** How many inputs `deno task test` tries. */
  readonly runs: number;
  /** Makes a host; what is of chance is the same for all that are made with the same byte. */
  readonly make: (options: number) => T;
  /** How many bytes {@linkcode IdleOptions.make} knows. */
  readonly kinds: number;
  /** What happens to it. */
  readonly deeds: readonly Deed<T>[];
  /** Hears what it says. */
  readonly hear?: (made: T, frame: Uint8Array) => void;
  /** Makes it look for what is due, whatever it has said of that. */
  readonly stir?: (made: T) => void;
  /** What its users were told. */
  readonly told?: (made: T) => unknown;
}

const WAITS: readonly Instant[] = [
  0,
  1,
  milliseconds(100),
  seconds(1),
  seconds(2),
  seconds(7),
  seconds(40),
  seconds(400),
  seconds(8_000),
];

/** When else the busy host is asked, counted from when it was left alone. */
const MOMENTS: readonly Instant[] = [
  0,
  1,
  milliseconds(10),
  milliseconds(300),
  milliseconds(600),
  seconds(1),
  seconds(1.5),
  seconds(2),
  seconds(3),
  seconds(5),
  seconds(11),
  seconds(33),
  seconds(100),
  seconds(1_000),
];

/** A target that compares such a host with itself. */
export function idleTarget<T extends Host>(options: IdleOptions<T>): Target {
  const { name, runs, kinds, deeds } = options;
  const step = fc.tuple(fc.nat(deeds.length - 1), fc.nat(WAITS.length - 1));
  const input = fc.tuple(fc.nat(kinds - 1), fc.array(step, { minLength: 1, maxLength: 20 })).map(
    ([kind, steps]) => Uint8Array.from([kind, ...steps.flat()]),
  );
  return target({ name, runs, codec: HEX, input, run: (bytes) => run(options, bytes) });
}

function run<T extends Host>(options: IdleOptions<T>, bytes: Uint8Array): void {
  const [kind = 0] = bytes;
  const { make, deeds, told } = options;
  const idle = make(kind), busy = make(kind);
  let now = 0;
  for (let at = 1; at + 2 <= bytes.length; at += 2) {
    const deed = deeds[bytes[at]! % deeds.length]!, end = now + WAITS[bytes[at + 1]! % WAITS.length]!;
    const [said, saidByBusy] = [[idle, []] as const, [busy, MOMENTS] as const].map(([made, moments]) => {
      made.at(now);
      deed(made, now);
      return pass(options, made, now, end, moments);
    });
    deepEqual(said, saidByBusy, "a host that is asked at other times, too, says something else");
    deepEqual(told?.(idle), told?.(busy), "a host that is asked at other times, too, tells something else");
    now = end;
  }
}

/** Lets time pass from `from` to `to`, and answers with what is said; `moments`: when the host is asked besides. */
function pass<T extends Host>(
  options: IdleOptions<T>,
  made: T,
  from: Instant,
  to: Instant,
  moments: readonly Instant[],
): string[] {
  const said: string[] = [];
  const others = moments.map((moment) => from + moment);
  const next = (after: Instant) => Math.min(made.deadline, others.find((moment) => moment > after) ?? NEVER);
  for (let now = Math.max(from, next(from - 1)); now <= to; now = next(now)) {
    if (others.includes(now)) options.stir?.(made);
    ask(options, made, now, said);
  }
  made.at(to);
  return said;
}

/** Asks a host until it wants no more for now. */
function ask<T extends Host>({ hear }: IdleOptions<T>, made: T, now: Instant, said: string[]): void {
  for (let turn = 0; turn < 64; turn++) {
    for (const frame of made.at(now).transmit(16)) {
      said.push(`${now} ${frame.toHex()}`);
      hear?.(made, frame);
    }
    if (made.deadline > now) return;
  }
  ok(false, "the host always wants to be asked again at once");
}
