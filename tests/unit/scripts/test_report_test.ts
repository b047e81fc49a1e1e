/** How `deno task test` counts: the reports of `deno test`, and of a second try. */
import { deepEqual, equal, ok } from "node:assert/strict";
import {
  type Case,
  chosen,
  count,
  failedNames,
  filterOf,
  type Outcome,
  readReport,
  together,
} from "../../../scripts/test/report.ts";

/** What `deno test --junit-path` writes. */
const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="6" failures="3" errors="1" time="0.199">
    <testsuite name="./tests/a_test.ts" tests="5" disabled="1" errors="0" failures="3">
        <testcase name="a: one &lt;b&gt; &amp; &quot;c&quot;" classname="./tests/a_test.ts" time="0.001" line="1" col="6">
            <failure message="Uncaught Error: first line
second &lt;failure message=&quot;x&quot;&gt;">Error: first line
    at file:///tmp/a_test.ts:1:47</failure>
        </testcase>
        <testcase name="whole" classname="./tests/a_test.ts" time="0.000" line="2" col="6">
        </testcase>
        <testcase name="ignored" classname="./tests/a_test.ts" time="0.000" line="4" col="11">
            <skipped/>
        </testcase>
        <testcase name="steps" classname="./tests/a_test.ts" time="0.001" line="3" col="6">
            <failure message="1 test step failed">1 test step failed.</failure>
        </testcase>
        <testcase name="short" classname="./tests/a_test.ts" time="0.001"/>
    </testsuite>
    <testsuite name="./tests/b_test.ts" tests="2" disabled="0" errors="1" failures="0">
        <testcase name="cancelled" classname="./tests/b_test.ts" time="0.000" line="2" col="6">
            <error message="Cancelled"/>
        </testcase>
        <testcase name="not reached" classname="./tests/b_test.ts" line="2" col="6">
            <skipped/>
        </testcase>
    </testsuite>
</testsuites>
`;

function one(file: string, name: string, outcome: Outcome, error: string = ""): Case {
  return { file, name, outcome, error };
}

Deno.test("test report: each test has its file, its name, its end and the first line of its error", () => {
  deepEqual(readReport(REPORT), [
    one("tests/a_test.ts", 'a: one <b> & "c"', "failed", "Error: first line"),
    one("tests/a_test.ts", "whole", "passed"),
    one("tests/a_test.ts", "ignored", "skipped"),
    one("tests/a_test.ts", "steps", "failed", "1 test step failed"),
    one("tests/a_test.ts", "short", "passed"),
    one("tests/b_test.ts", "cancelled", "failed", "Cancelled"),
    one("tests/b_test.ts", "not reached", "unreached"),
  ]);
  deepEqual(readReport(""), []);
  deepEqual(chosen(readReport(REPORT)).map(({ outcome }) => outcome).includes("unreached"), false);
});

Deno.test("test report: what was not reached has failed, and so has a run that fails without a test", () => {
  deepEqual(count({ cases: readReport(REPORT), success: false }), { passed: 2, failed: 4, skipped: 1 });
  const whole = [one("a", "x", "passed"), one("a", "y", "skipped")];
  deepEqual(count({ cases: whole, success: true }), { passed: 1, failed: 0, skipped: 1 });
  deepEqual(count({ cases: whole, success: false }), { passed: 1, failed: 1, skipped: 1 });
  deepEqual(count({ cases: [], success: false }), { passed: 0, failed: 1, skipped: 0 });
});

Deno.test("second try: it is for the tests that failed or were not reached, by their whole names", () => {
  const cases = [
    one("a", "x", "passed"),
    one("a", "x [y] (RFC 1 2.3)", "failed"),
    one("b", "z|/\\", "unreached"),
    one("c", "x [y] (RFC 1 2.3)", "failed"),
    one("c", "w", "skipped"),
  ];
  const names = failedNames(cases);
  deepEqual(names, ["x [y] (RFC 1 2.3)", "z|/\\"]);
  const filter = filterOf(names);
  const pattern = new RegExp(filter.slice(1, -1));
  for (const name of names) ok(pattern.test(name), name);
  for (const name of ["x", "x [y] (RFC 1 2x3)", "x [y] (RFC 1 2.3) and more", "z"]) {
    ok(!pattern.test(name), name);
  }
});

Deno.test("second try: a test that passes then has passed, and is named with its error", () => {
  const first = [
    one("a", "whole", "passed"),
    one("b", "chance", "failed", "Error: late"),
    one("b", "broken", "failed", "Error: always"),
    one("b", "ignored", "skipped"),
  ];
  // What was not tried again is in the report of the second run, too.
  const second = [
    one("a", "whole", "unreached"),
    one("b", "chance", "passed"),
    one("b", "broken", "failed", "Error: still"),
    one("b", "ignored", "unreached"),
  ];
  const { counts, flaky } = together({ cases: first, success: false }, { cases: second, success: false });
  deepEqual(counts, { passed: 2, failed: 1, skipped: 1 });
  deepEqual(flaky, [first[1]]);
});

Deno.test("second try: a file that broke before its tests counts by what its second run tells", () => {
  const first = { cases: [one("a", "x", "passed"), one("b", "x", "unreached")], success: false };
  const { counts, flaky } = together(first, { cases: [one("b", "x", "passed")], success: true });
  deepEqual(counts, { passed: 2, failed: 0, skipped: 0 });
  deepEqual(flaky, [first.cases[1]]);
});

Deno.test("second try: what breaks again, or ends badly beside its tests, has failed", () => {
  const first = { cases: [one("a", "x", "passed"), one("b", "x", "failed", "Error")], success: false };
  deepEqual(together(first, { cases: [], success: false }).counts, { passed: 1, failed: 1, skipped: 0 });
  const uncaught = { cases: [one("b", "x", "passed")], success: false };
  equal(together(first, uncaught).counts.failed, 1);
});
