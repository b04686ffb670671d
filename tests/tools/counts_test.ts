/** What the runners print, recorded, and what is read from it; nothing passes unseen. */

import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { counted, type Finished, none, type Runner, total } from "../../tools/counts.ts";
import { isSupportedNode } from "../../tools/node_version.ts";

/** What a runner ended with: Bun reports on standard error, the others on standard output. */
function finished(runner: Runner, report: string, code = 0): Finished {
  return runner === "bun"
    ? { stdout: "", stderr: report, code }
    : { stdout: report, stderr: "", code };
}

/** The counts as a list to compare: passed, failed, not run, problems. */
function read(runner: Runner, report: string, code = 0): [number, number, number, string[]] {
  const { passed, failed, notRun, problems } = counted(runner, finished(runner, report, code));
  return [passed, failed, notRun, problems];
}

const NODE_SUMMARY = `ℹ tests 5
ℹ suites 0
ℹ pass 1
ℹ fail 1
ℹ cancelled 1
ℹ skipped 2
ℹ todo 0
ℹ duration_ms 1006.508455
`;

const NODE = `✔ a (1.313906ms)
﹣ r [not run: x [y] z] (0.104305ms) # SKIP
﹣ r [not run: x [y] z] (0.076904ms) # SKIP
✖ bad (0.254306ms)
✖ hang (201.92089ms)
${NODE_SUMMARY}
✖ failing tests:

test at forge.mjs:5:1
✖ bad (0.254306ms)
  Error: no
`;

const BUN = `bun test v1.4.5 (a7733435c)

forge_test.js:
(pass) a [0.08ms]
(skip) r [not run: x [y] z]
(skip) r [not run: x [y] z]
error: no
      at <anonymous> (forge_test.js:5:101)
(fail) bad [0.15ms]

 1 pass
 2 skip
 1 fail
Ran 4 tests across 1 file. [5.00ms]
`;

const DENO = `running 4 tests from ./forge_test.ts
a ... ok (558µs)
ig [not run: x [y] z] ... ignored (0ms)
st ...
  x ... ok (0ms)
st ... ok (1ms)

ok | 3 passed (1 step) | 0 failed | 1 ignored (23ms)

`;

const REPORTS: [Runner, string, number, [number, number, number]][] = [
  ["node", NODE, 1, [1, 2, 2]],
  ["bun", BUN, 1, [1, 1, 2]],
  ["deno", DENO, 0, [3, 0, 1]],
];

for (const [runner, report, code, counts] of REPORTS) {
  test(`counted() reads what passed, failed and was not run from a report of ${runner}`, () => {
    assertEquals(read(runner, report, code), [...counts, []]);
  });

  test(`counted() counts a reason for each test that was not run, of ${runner}`, () => {
    const { reasons } = counted(runner, finished(runner, report, code));
    assertEquals([...reasons], [["x [y] z", counts[2]]]);
  });

  test(`counted() does not read the like that a test prints, of ${runner}`, () => {
    const forged: Record<Runner, string> = {
      node: NODE_SUMMARY.replace("pass 1", "pass 99"),
      bun: " 99 pass\n 0 fail\nRan 99 tests across 1 file. [1.00ms]\n",
      deno: "ok | 99 passed | 0 failed (3ms)\n",
    };
    assertEquals(read(runner, `${forged[runner]}${report}`, code), [...counts, []]);
    assertEquals(read(runner, "ℹ pass 5\n 7 pass\n7 passed | 0 failed\n" + report, code), [
      ...counts,
      [],
    ]);
  });

  test(`counted() fails an early end with exit code 0, of ${runner}`, () => {
    const [unended] = report.split(/^ℹ|^ 1 pass|^ok/m);
    assertEquals(read(runner, unended!), [0, 1, 0, ["ended early: exit code 0, and no summary"]]);
    assertEquals(read(runner, ""), [0, 1, 0, ["ended early: exit code 0, and no summary"]]);
  });

  test(`counted() fails a bad exit code without a failed test, of ${runner}`, () => {
    const passing = report.replace(/^ℹ fail 1\nℹ cancelled 1/m, "ℹ fail 0\nℹ cancelled 0")
      .replace(/^ 1 fail/m, " 0 fail");
    assertEquals(read(runner, passing, 134), [counts[0], 1, counts[2], [
      "exit code 134, and no failed test",
    ]]);
  });

  test(`counted() fails what was killed, of ${runner}`, () => {
    const killed = { ...finished(runner, report, 137), killedAfterMs: 900_000 };
    const { passed, failed, problems } = counted(runner, killed);
    assertEquals([passed, failed, problems], [0, 1, ["killed: it did not end within 15 minutes"]]);
  });
}

test("counted() fails a file without a test", () => {
  const problem = [0, 1, 0, ["no test in it"]];
  assertEquals(read("node", NODE_SUMMARY.replace(/[12]$/gm, "0").replace("tests 5", "tests 0")), [
    ...problem,
  ]);
  assertEquals(read("bun", "\n 0 pass\n 0 fail\nRan 0 tests across 1 file. [4.00ms]\n"), problem);
  assertEquals(read("deno", "ok | 0 passed | 0 failed (7ms)\n"), problem);
});

test("counted() fails a file of Deno's that has no test, or that ends early, among others", () => {
  const summary = "ok | 3 passed | 0 failed (1m2s)\n";
  const without = "running 0 tests from ./none_test.js";
  assertEquals(read("deno", `${without}\n\n${summary}`), [3, 1, 0, [without]]);
  assertEquals(read("deno", `running 0 tests from ./mod.ts\n\n${summary}`), [3, 0, 0, []]);
  const exit = "note ./a_test.ts called `Deno.exit(0)` from outside any test. The isolate was";
  assertEquals(read("deno", `${exit}\n\n${summary}`), [3, 1, 0, [exit]]);
});

test("counted() allows that a filter leaves nothing to run", () => {
  const report =
    "running 0 tests from ./a_test.ts\n\nok | 0 passed | 0 failed | 4 filtered out (0ms)\n";
  assertEquals(read("deno", report), [0, 0, 0, []]);
});

test("counted() fails an error that Bun reports between tests", () => {
  const report = "\n 1 pass\n 0 fail\n 1 error\nRan 1 test across 1 file. [14.00ms]\n";
  assertEquals(read("bun", report, 1), [1, 1, 0, []]);
});

test("counted() reads once what Bun names again after many tests", () => {
  const skipped = "(skip) r [not run: x]\n(skip) s [not run: y]\n";
  const report = `${skipped}
2 tests skipped:
${skipped}

1 tests failed:
(fail) bad [0.19ms]

 25 pass
 2 skip
 1 fail
 25 expect() calls
Ran 28 tests across 1 file. [54.00ms]
`;
  assertEquals(read("bun", report, 1), [25, 1, 2, []]);
});

test("counted() fails a test that is not run without a reason", () => {
  const report = NODE.replace("﹣ r [not run: x [y] z] (0.104305ms)", "﹣ r (0.104305ms)");
  assertEquals(read("node", report, 1), [1, 2, 2, ["2 not run, with reasons for 1"]]);
});

test("total() adds up counts, reasons and problems", () => {
  const one = { ...none(), notRun: 2, reasons: new Map([["x", 1], ["y", 1]]) };
  const other = { ...none(), passed: 3, notRun: 1, reasons: new Map([["x", 1]]) };
  const failed = { ...none(), failed: 1, problems: ["killed"] };
  assertEquals(total([one, other, failed]), {
    passed: 3,
    failed: 1,
    notRun: 3,
    reasons: new Map([["x", 2], ["y", 1]]),
    problems: ["killed"],
  });
});

test("isSupportedNode() is true from 20.19 on", () => {
  const versions = [
    "v18.20.4",
    "v20.9.0",
    "v20.18.3",
    "v20.19.0",
    "v20.20.2\n",
    "v22.0.0",
    "v100.0.0",
  ];
  assertEquals(versions.map(isSupportedNode), [false, false, false, true, true, true, true]);
});
