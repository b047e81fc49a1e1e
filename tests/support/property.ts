/**
 * Property tests, the same on every run: a fixed seed, which the environment may replace. The one module that
 * imports fast-check.
 *
 * - `ETHOX_SEED=N` runs every property with that seed: a failure prints the one it had.
 * - `ETHOX_RUNS=N` replaces every property's number of runs, to search longer.
 *
 * @module
 */

import fc from "fast-check";

// A bound such as maxLength is then really reached; by default only small arrays are tried, whatever their bound.
fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });

export { fc };

/** How one property is run. */
export interface PropertyOptions {
  /** How many cases to try; 100 unless given. `ETHOX_RUNS` goes before it. */
  readonly runs?: number;
}

const DEFAULT_SEED = 793;

/** The seed of this run: `ETHOX_SEED`, or a fixed one. Signed 32 bits. For tests that draw their own numbers too. */
export function testSeed(): number {
  return wholeNumber("ETHOX_SEED") ?? DEFAULT_SEED;
}

/**
 * Runs a property, such as `check(fc.property(fc.nat(), (n) => n >= 0))`.
 *
 * @throws {Error} with the smallest counterexample found, and the seed that finds it again.
 */
export function check<T>(property: fc.IProperty<T>, options: PropertyOptions = {}): void {
  report(fc.check(property, parameters<T>(options)));
}

/** As {@linkcode check}, for `fc.asyncProperty`. */
export async function checkAsync<T>(
  property: fc.IAsyncProperty<T>,
  options: PropertyOptions = {},
): Promise<void> {
  report(await fc.check(property, parameters<T>(options)));
}

function parameters<T>(options: PropertyOptions): fc.Parameters<T> {
  return { seed: testSeed(), numRuns: wholeNumber("ETHOX_RUNS") ?? options.runs ?? 100 };
}

function report<T>(details: fc.RunDetails<T>): void {
  if (!details.failed) return;
  const message = `${fc.defaultReportMessage(details)}\nRun it again with ETHOX_SEED=${details.seed}`;
  throw new Error(message, { cause: details.errorInstance });
}

function wholeNumber(name: string): number | undefined {
  const text = Deno.env.get(name);
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || (value | 0) !== value) {
    throw new RangeError(`${name} must be a whole number of at most 32 bits, but is "${text}"`);
  }
  return value;
}
