/** The benchmarks run and give well-formed numbers. Never how large these are: machines differ. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import process from "node:process";
import { assert, assertEquals, assertGreater, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { type Finished, run } from "../support/process.ts";
import { execPath, ROOT } from "../support/runtime.ts";
import { firstErrorLine } from "../../bench/peers.ts";
import type { NotInstallable, Row } from "../../bench/subject.ts";

const ON_DENO = {
  not: { node: "the benchmarks are run by Deno", bun: "the benchmarks are run by Deno" },
};

interface Results {
  machine: Record<string, unknown>;
  quick: boolean;
  rows: Row[];
  notInstallable: NotInstallable[];
}

function bench(...args: string[]): Promise<Finished> {
  return run(execPath(), { args: ["run", "-A", `${ROOT}bench/main.ts`, ...args], cwd: ROOT });
}

test("bench --quick --json gives machine, versions and well-formed rows", ON_DENO, async () => {
  const { code, stdout, stderr } = await bench("--quick", "--json", "create-unlink", "memory-read");
  assertEquals(code, 0, stderr);
  const { machine, quick, rows, notInstallable } = JSON.parse(stdout) as Results;
  assert(quick);
  const [deno, node] = machine.runtimes as string[];
  assertStringIncludes(deno!, `Deno ${process.versions.deno}`);
  assertStringIncludes(node!, "Node 24.");
  assertEquals(notInstallable, []);
  assertGreater(machine.cores as number, 0);
  assertEquals(rows.map(({ subject }) => subject), ["create-unlink", "memory-read"]);
  for (const { case: label, iterations, baseline, contenders } of rows) {
    assertGreater(label.length, 0);
    assertGreater(iterations, 0);
    assertEquals(contenders.map(({ label }) => label), ["Postbox, Deno", "Postbox, Node"]);
    for (const { label, bestNs, medianNs } of [baseline, ...contenders]) {
      assertGreater(label.length, 0);
      assert(bestNs > 0 && bestNs <= medianNs, `${label}: best ${bestNs}, median ${medianNs}`);
    }
    for (const { ratio, ratioQuartiles: [low, high], medianNs } of contenders) {
      assert(low > 0 && low <= high, `${low} to ${high}`);
      assertEquals(ratio, medianNs / baseline.medianNs);
    }
  }
});

test(
  "bench marks the goals of a row as met or missed and does not fail on them",
  ON_DENO,
  async () => {
    const { code, stdout, stderr } = await bench("--quick", "--json", "round-trip");
    assertEquals(code, 0, stderr);
    const contenders = (JSON.parse(stdout) as Results).rows.flatMap(({ contenders }) => contenders);
    const goals = contenders.flatMap(({ label, goal, ratio }) =>
      goal ? [{ ...goal, label, expected: ratio <= goal.atMost }] : []
    );
    const onTwoCores = availableParallelism() > 1 ? [["Postbox, Deno", 1.15]] : [];
    assertEquals(
      goals.map(({ label, atMost }) => [label, atMost]),
      [["Postbox, Deno", 1.6], ...onTwoCores],
    );
    for (const { met, expected } of goals) assertEquals(met, expected);
  },
);

test("bench prints a table with the goal beside the numbers", ON_DENO, async () => {
  const { code, stdout, stderr } = await bench("--quick", "round-trip");
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, "quartiles");
  const line = stdout.split("\n").find((line) => line.includes("≤ 1.60"));
  assert(line !== undefined && /Postbox, Deno .*≤ 1\.60 (met|missed)/.test(line), stdout);
});

test(
  "bench --quick --out measures what is awaited and writes the tables and a chart of it",
  ON_DENO,
  async () => {
    const folder = mkdtempSync(`${tmpdir()}/postbox-`);
    try {
      const subjects = ["await-round-trip", "await-one-way", "await-stream"];
      const { code, stdout, stderr } = await bench(
        "--quick",
        "--json",
        "--out",
        folder,
        ...subjects,
      );
      assertEquals(code, 0, stderr);
      const { rows } = JSON.parse(stdout) as Results;
      const place = (subject: string) => subject === "await-one-way" ? "free" : "one core";
      assertEquals(
        rows.map(({ subject, case: label }) => [subject, label]),
        subjects.flatMap((subject) =>
          ["Deno", "Node"].map((on) => [subject, `${place(subject)}, ${on}`])
        ),
      );
      const withInto = { "await-round-trip": 2, "await-one-way": 0, "await-stream": 1 } as Record<
        string,
        number
      >;
      for (const { subject, baseline, contenders } of rows) {
        assertEquals(contenders.length, 7 + withInto[subject]!, subject);
        for (const { label, medianNs, p99Ns, cpu } of [baseline, ...contenders]) {
          assertGreater(medianNs, 0, label);
          if (subject === "await-stream") assertEquals(p99Ns, undefined);
          else assert(p99Ns! >= medianNs, `${label}: p50 ${medianNs}, p99 ${p99Ns}`);
          assertEquals(cpu !== undefined, subject === "await-one-way");
        }
      }
      assertEquals(readdirSync(folder).sort(), ["tables.md", "waiting.svg"]);
      const chart = readFileSync(`${folder}/waiting.svg`, "utf8");
      for (const part of ["prefers-color-scheme: dark", "Postbox, Deno, spin", "free"]) {
        assertStringIncludes(chart, part);
      }
      for (const subject of subjects) {
        assertStringIncludes(readFileSync(`${folder}/tables.md`, "utf8"), `## ${subject}: `);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test("bench --quick --out asks actors with payloads and draws them", ON_DENO, async () => {
  const folder = mkdtempSync(`${tmpdir()}/postbox-`);
  try {
    const { code, stdout, stderr } = await bench(
      "--quick",
      "--json",
      "--out",
      folder,
      "actor-payload",
    );
    assertEquals(code, 0, stderr);
    const { rows } = JSON.parse(stdout) as Results;
    assertEquals(rows.map(({ case: label }) => label), ["Deno", "Node"]);
    for (const { baseline, contenders } of rows) {
      assertEquals(
        [baseline, ...contenders].map(({ label }) => label),
        ["64 B", "1 MiB", "1 MiB, handed"].map((what) => `Postbox, ${what}`),
      );
      assertEquals(contenders.map(({ goal }) => goal?.atMost), [undefined, 1.2]);
      assertGreater(contenders[0]!.medianNs, 0);
    }
    assertEquals(readdirSync(folder).sort(), ["actors.svg", "tables.md"]);
    assertStringIncludes(readFileSync(`${folder}/actors.svg`, "utf8"), "1 MiB, handed");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("bench --help shows the subjects and examples", ON_DENO, async () => {
  const { code, stdout } = await bench("--help");
  assertEquals(code, 0);
  for (const part of ["send-receive", "await-stream", "Examples", "deno task bench --json"]) {
    assertStringIncludes(stdout, part);
  }
});

test("bench refuses an option that there is not, with exit code 2", ON_DENO, async () => {
  const { code, stdout, stderr } = await bench("--no-such-option");
  assertEquals([code, stdout], [2, ""]);
  assertStringIncludes(stderr, "--no-such-option");
  assertStringIncludes(stderr, "Usage: deno task bench");
});

test("bench refuses a subject that there is not, with exit code 2", ON_DENO, async () => {
  const { code, stdout, stderr } = await bench("no-such-subject");
  assertEquals([code, stdout], [2, ""]);
  assertStringIncludes(stderr, "Cannot run no-such-subject: expected some of");
});

test("firstErrorLine() finds the compiler's word among npm's", () => {
  const printed = [
    "Cannot run npm install: exit code 1",
    "npm error code 1",
    "npm error path /somewhere/node_modules/posix-mq",
    "npm error command sh -c node-gyp rebuild",
    "npm error gyp info it worked if it ends with ok",
    "npm error ../../nan/nan_callbacks.h:55:23: error: 'AccessorSignature' is not a member of 'v8'",
    "npm error ../../nan/nan_callbacks.h:55:40: error: template argument 1 is invalid",
  ];
  assertEquals(
    firstErrorLine(new Error(printed.join("\n"))),
    "../../nan/nan_callbacks.h:55:23: error: 'AccessorSignature' is not a member of 'v8'",
  );
  assertEquals(firstErrorLine(new Error("spawnSync npm ENOENT")), "spawnSync npm ENOENT");
});
