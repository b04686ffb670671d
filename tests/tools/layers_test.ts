/** The layer check says no where it must, and `deno lint` runs it. */

import { rmSync, writeFileSync } from "node:fs";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { importProblem, LAYERS } from "../../tools/layers.ts";
import { run } from "../support/process.ts";
import { execPath, NO_DENO, ROOT } from "../support/runtime.ts";

test("LAYERS has no cycle, and names only rooms that it has", () => {
  const depth = (room: string, path: string[] = []): number => {
    assert(!path.includes(room), `cycle: ${[...path, room].join(" > ")}`);
    const below = LAYERS[room];
    assert(below !== undefined, `no room ${room}`);
    return 1 + Math.max(0, ...below.map((next) => depth(next, [...path, room])));
  };
  for (const room of Object.keys(LAYERS)) depth(room);
});

const CASES: [string, string, boolean][] = [
  ["src/mq/list.ts", "../sys/mod.ts", true],
  ["src/mq/list.ts", "../errors.ts", true],
  ["src/mq/list.ts", "./limits.ts", true],
  ["src/mq/list.ts", "node:process", true],
  ["src/mq/list.ts", "../sys/file.ts", false], // past the door
  ["src/mq/list.ts", "../shm/mod.ts", false], // a neighbour
  ["src/sys/file.ts", "../mq/mod.ts", false], // upwards
  ["src/errors.ts", "./sys/mod.ts", false],
  ["src/mq/list.ts", "@std/assert", false], // bare
  ["src/mq/list.ts", "npm:left-pad@1", false],
  ["src/mq/list.ts", "../../tests/assert.ts", false],
  ["src/actor/mod.ts", "../sys/mod.ts", false],
  ["src/region/opening.ts", "../shm/inside.ts", true], // an inner door
  ["src/actor/mod.ts", "../shm/inside.ts", true],
  ["src/ring/mod.ts", "../shm/inside.ts", false],
  ["cli/main.ts", "../src/shm/inside.ts", false],
  ["cli/parser.ts", "npm:@stricli/core@1.3.0", true],
  ["cli/main.ts", "npm:@stricli/core@1.3.0", false],
  ["cli/main.ts", "../src/mq/mod.ts", true],
  ["cli/main.ts", "../src/mq/limits.ts", false],
  ["examples/x/main.ts", "../../mod.ts", true],
  ["examples/x/main.ts", "../../src/sys/mod.ts", false],
  ["mod.ts", "./src/mq/mod.ts", true],
  ["mod.ts", "./src/life/mod.ts", true],
  ["cli/main.ts", "../src/life/mod.ts", false],
  ["mod.ts", "./src/sys/mod.ts", false],
  ["mod.ts", "./src/mq/list.ts", false],
  ["tests/x_test.ts", "../src/sys/file.ts", true],
];

for (const [from, specifier, allowed] of CASES) {
  test(`importProblem() ${allowed ? "allows" : "refuses"} ${specifier} in ${from}`, () => {
    assertEquals(importProblem(from, specifier) === undefined, allowed);
  });
}

test(
  "deno lint reports a wrong import and a Deno outside the driver",
  { not: NO_DENO },
  async () => {
    const path = `${ROOT}src/mq/lint_probe_${crypto.randomUUID()}.ts`;
    writeFileSync(path, 'import "../shm/mod.ts";\nexport const x: unknown = Deno;\n');
    try {
      const { code, stdout, stderr } = await run(execPath(), {
        args: ["lint", path],
        cwd: ROOT,
        env: { NO_COLOR: "1" },
      });
      assertEquals(code, 1);
      assertStringIncludes(stdout + stderr, "postbox/layers");
      assertStringIncludes(stdout + stderr, "postbox/deno-in-driver");
    } finally {
      rmSync(path);
    }
  },
);
