/**
 * What `deno test` reports in JUnit's format, and what two runs of the same files say together.
 *
 * @module
 */

/** How a test ended. `unreached`: its file broke before it was its turn, or a filter left it out. */
export type Outcome = "passed" | "failed" | "skipped" | "unreached";

/** A test, or a step of one. */
export interface Case {
  /** The module that registered it, which may be one that helps tests; relative to where `deno test` was started. */
  readonly file: string;
  readonly name: string;
  readonly outcome: Outcome;
  /** The first line of what went wrong; empty unless it failed. */
  readonly error: string;
}

/** How many tests ended how. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Reads a report. */
export function readReport(xml: string): Case[] {
  const cases: Case[] = [];
  for (const [, attributes = "", body = ""] of xml.matchAll(CASE)) {
    const of = (name: string) => unescape(new RegExp(` ${name}="([^"]*)"`, "s").exec(attributes)?.[1] ?? "");
    const [, fault] = /<(?:failure|error)\b[^>]*? message="([^"]*)"/s.exec(body) ?? [];
    cases.push({
      file: of("classname").replace(/^\.\//, ""),
      name: of("name"),
      outcome: fault !== undefined ? "failed" : !body.includes("<skipped")
        ? "passed"
        // A test that is ignored has a time, one that was not reached has none.
        : / time="/.test(attributes)
        ? "skipped"
        : "unreached",
      error: unescape(fault ?? "").replace(/^Uncaught /, "").trimStart().split("\n")[0]!.trimEnd(),
    });
  }
  return cases;
}

const CASE = /<testcase\b((?:\s+[\w-]+="[^"]*")*)\s*(?:\/>|>(.*?)<\/testcase>)/gs;

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function unescape(text: string): string {
  return text.replace(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}

/** The tests that a filter has left in a report, which does not tell what it left out from what was not reached. */
export function chosen(cases: readonly Case[]): Case[] {
  return cases.filter(({ outcome }) => outcome !== "unreached");
}

/** The counts of a run. What failed outside of a test, such as a type error, is one failure more. */
export function count({ cases, success }: Run): Counts {
  const of = (outcome: Outcome) => cases.filter((one) => one.outcome === outcome).length;
  const failed = of("failed") + of("unreached");
  return { passed: of("passed"), failed: !success && failed === 0 ? 1 : failed, skipped: of("skipped") };
}

/** The names of the tests that failed or were not reached. */
export function failedNames(cases: readonly Case[]): string[] {
  return [...new Set(cases.filter(isFailure).map(({ name }) => name))];
}

/** What makes `deno test --filter` run the tests of these names and no others. */
export function filterOf(names: readonly string[]): string {
  return `/^(?:${names.map((name) => name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|")})$/`;
}

/** A run of `deno test`. */
export interface Run {
  readonly cases: readonly Case[];
  /** Whether it ended as if all were well. */
  readonly success: boolean;
}

/** What came of a run whose failed tests were run again. */
export interface SecondTry {
  /** Each test by its better end: it has failed if it failed both times. */
  readonly counts: Counts;
  /** The tests that failed and then passed, with their error. */
  readonly flaky: readonly Case[];
}

/** Puts a run and the second one of its failed tests together. */
export function together(first: Run, second: Run): SecondTry {
  const key = ({ file, name }: Case) => `${file}\n${name}`;
  const left = new Map(first.cases.map((one) => [key(one), one]));
  const cases: Case[] = [], flaky: Case[] = [];
  let isFailed = false;
  for (const again of second.cases) {
    const before = left.get(key(again));
    // The report is of all tests, of those that were not tried again, too.
    if (before === undefined || !isFailure(before)) continue;
    left.delete(key(again));
    cases.push(again);
    if (isFailure(again)) isFailed = true;
    else flaky.push(before);
  }
  // What the second run did not come to stays as it was; what it says is wrong beside the tests is wrong.
  const success = second.success || isFailed;
  return { counts: count({ cases: [...left.values(), ...cases], success }), flaky };
}

function isFailure({ outcome }: Case): boolean {
  return outcome === "failed" || outcome === "unreached";
}
