/** How long the files of a run took, from Deno's report of many. */

import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { fileTimes, slowestLines } from "../../tools/file_times.ts";

const REPORT = `running 3 tests from ./tests/a_test.ts
a name (5s) ... ok (23ms)
another ... ok (417µs)
x [not run: why] ... ignored (0ms)
bad ... FAILED (1m2s)
running 1 test from ./tests/b_test.ts
one ...
  step ... ok (7s)
one ... ok (15s)

ok | 4 passed | 0 failed (99s)
`;

test("fileTimes() sums what the tests of each file took", () => {
  assertEquals(
    fileTimes(REPORT),
    [{ file: "tests/a_test.ts", ms: 62_023.417 }, { file: "tests/b_test.ts", ms: 15_000 }],
  );
  assertEquals(fileTimes("nothing"), []);
});

test("slowestLines() has the longest first", () => {
  const times = [["a", 50], ["b", 61_250], ["c", 999]].map(([file, ms]) => ({
    file: file as string,
    ms: ms as number,
  }));
  assertEquals(slowestLines(times, 2), ["  61.3 s  b", "   1.0 s  c"]);
  assertEquals(slowestLines(times, 9).length, 3);
});
