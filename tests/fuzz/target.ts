/**
 * What is fuzzed: an input that fast-check makes up, the rules that must hold of it, and its form as text.
 *
 * @module
 */
import { fc } from "../support/property.ts";
import type { Codec } from "./codec.ts";

/** How a {@linkcode Target} is described. */
export interface TargetOptions<T> {
  /** Its name, which is also that of its folder in the corpus. */
  readonly name: string;
  /** How many inputs `deno task test` tries: about a second's worth. */
  readonly runs: number;
  /** How an input is written down. */
  readonly codec: Codec<T>;
  /** Makes up inputs. */
  readonly input: fc.Arbitrary<T>;
  /** Throws when something that must hold of the input does not. */
  readonly run: (input: T) => void;
}

/** An input that breaks a rule. */
export interface Finding {
  /** The smallest such input that was found, written down. */
  readonly input: string;
  /** What broke, first line first. */
  readonly message: string;
}

/** What came of some runs. */
export interface Outcome {
  /** How many inputs were tried. */
  readonly runs: number;
  /** The first that broke a rule. */
  readonly finding: Finding | undefined;
}

/** Something to fuzz, whatever its inputs are. */
export interface Target {
  /** Its name, which is also that of its folder in the corpus. */
  readonly name: string;
  /** How many inputs `deno task test` tries. */
  readonly runs: number;
  /** What the names of its corpus entries end with. */
  readonly extension: string;
  /** Runs one input that was written down; throws when a rule does not hold. */
  readonly replay: (text: string) => void;
  /** Tries inputs, the same for the same seed, until one breaks a rule, and at most for so many milliseconds. */
  readonly fuzz: (seed: number, runs: number, milliseconds: number) => Outcome;
}

/** A target of its description. */
export function target<T>(options: TargetOptions<T>): Target {
  const { name, runs, codec, input, run } = options;
  const property = fc.property(input, run);
  return {
    name,
    runs,
    extension: codec.extension,
    replay: (text) => run(codec.parse(text)),
    fuzz: (seed, runs, milliseconds) => {
      const details = fc.check(property, {
        seed,
        numRuns: runs,
        interruptAfterTimeLimit: milliseconds,
        markInterruptAsFailure: false,
      });
      const { numRuns, failed, counterexample, errorInstance } = details;
      if (!failed || counterexample === null) return { runs: numRuns, finding: undefined };
      const message = errorInstance instanceof Error
        ? errorInstance.stack ?? errorInstance.message
        : String(errorInstance);
      return { runs: numRuns, finding: { input: codec.format(counterexample[0]), message } };
    },
  };
}
