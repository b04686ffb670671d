/** The benchmarks run and give well-formed numbers. Never how large these are: machines differ. */

import { availableParallelism } from "node:os";
import { assert, assertEquals, assertGreater, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { type Finished, ROOT, run } from "../support/process.ts";
import type { Row } from "../../bench/subject.ts";

function bench(...args: string[]): Promise<Finished> {
  return run(Deno.execPath(), { args: ["run", "-A", `${ROOT}bench/main.ts`, ...args], cwd: ROOT });
}

test("bench --quick --json gives machine, versions and well-formed rows", async () => {
  const { code, stdout, stderr } = await bench("--quick", "--json", "create-unlink", "memory-read");
  assertEquals(code, 0, stderr);
  const { machine, quick, rows } = JSON.parse(stdout) as {
    machine: Record<string, unknown>;
    quick: boolean;
    rows: Row[];
  };
  assert(quick);
  assertStringIncludes(String(machine.runtime), Deno.version.deno);
  assertGreater(machine.cores as number, 0);
  assertEquals(rows.map(({ subject }) => subject), ["create-unlink", "memory-read"]);
  for (const row of rows) {
    assertGreater(row.case.length, 0);
    assertGreater(row.iterations, 0);
    for (const { label, bestNs, medianNs } of [row.baseline, row.postbox]) {
      assertGreater(label.length, 0);
      assert(bestNs > 0 && bestNs <= medianNs, `${label}: best ${bestNs}, median ${medianNs}`);
    }
    const [low, high] = row.ratioQuartiles;
    assert(low > 0 && low <= high, `${low} to ${high}`);
    assertEquals(row.ratio, row.postbox.medianNs / row.baseline.medianNs);
  }
});

test("bench marks the goal of a row as met or missed and does not fail on it", async () => {
  const { code, stdout, stderr } = await bench("--quick", "--json", "round-trip");
  assertEquals(code, 0, stderr);
  const goals = (JSON.parse(stdout).rows as Row[]).flatMap(({ goal, ratio }) =>
    goal ? [{ ...goal, expected: ratio <= goal.atMost }] : []
  );
  const onTwoCores = availableParallelism() > 1 ? [1.15] : [];
  assertEquals(goals.map(({ atMost }) => atMost), [1.6, ...onTwoCores]);
  for (const { met, expected } of goals) assertEquals(met, expected);
});

test("bench prints a table with the goal beside the numbers", async () => {
  const { code, stdout, stderr } = await bench("--quick", "round-trip");
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, "quartiles");
  const line = stdout.split("\n").find((line) => line.includes("≤ 1.60"));
  assert(line !== undefined && /Postbox .*≤ 1\.60 (met|missed)/.test(line), stdout);
});

test("bench --help shows the subjects and examples", async () => {
  const { code, stdout } = await bench("--help");
  assertEquals(code, 0);
  for (const part of ["send-receive", "command-line", "Examples", "deno task bench --json"]) {
    assertStringIncludes(stdout, part);
  }
});

test("bench refuses a subject that there is not, with exit code 2", async () => {
  const { code, stdout, stderr } = await bench("no-such-subject");
  assertEquals([code, stdout], [2, ""]);
  assertStringIncludes(stderr, "Cannot run no-such-subject: expected some of");
});
