/**
 * Many processes that open or make one region at once, and makers that are killed.
 *
 * Goal: exactly one makes it, nobody uses one that is not ready, and whoever is killed over it, the
 * next `openOrCreate` makes it anew. Method: makers that take long, so that a kill finds them at
 * it: the region has many locks. Most are at it when they are killed, and half are seen so before.
 */

import "../support/loaded.ts";
import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import {
  array,
  LayoutError,
  mutex,
  PosixError,
  Region,
  struct,
  u32,
  u64,
} from "../../src/region/mod.ts";
import { memoryName } from "../support/names.ts";
import { Child, runProgram } from "../support/process.ts";
import { Random } from "../support/random.ts";
import { scaled } from "../support/scale.ts";
import { until, within } from "../support/until.ts";

const Large = struct("large", {
  opened: u32,
  made: u64,
  many: array(u32, 100_000),
  locks: array(mutex, 1000),
});

const LARGE = `
  import process from "node:process";
  import { array, mutex, Region, struct, u32, u64 } from "@postbox/postbox";
  const Large = struct("large", {
    opened: u32, made: u64, many: array(u32, 100_000), locks: array(mutex, 1000),
  });
  const [name] = process.argv.slice(2);
`;

test("of many who open or create one region at once, all share one", async () => {
  using object = memoryName();
  const code = `
    ${LARGE}
    const region = Region.openOrCreate(name, Large);
    region.fields.opened.add(1);
    await region.fields.opened.waitFor(4);
    region.close();
  `;
  const all = Array.from({ length: 4 }, () => runProgram(code, { args: [object.name] }));
  for (const { code, stderr } of await within("all", Promise.all(all), 60_000)) {
    assertEquals([code, stderr], [0, ""]);
  }
});

const KILLS = scaled(20);

test(`a region comes to be though ${KILLS} of its makers are killed`, async () => {
  const random = new Random(Date.now() >>> 0);
  const ends = { "not begun": 0, abandoned: 0, ready: 0 };
  for (let kill = 0; kill < KILLS; kill++) {
    using object = memoryName();
    await using maker = Child.program(
      `${LARGE}
      console.log("goes");
      // Again and again, so that it is somewhere in it whenever it is killed.
      for (;;) {
        Region.openOrCreate(name, Large).close();
        Region.unlink(name);
      }`,
      object.name,
    );
    assertEquals(await within("the maker", maker.line()), "goes");
    // Half of them anywhere in the circle.
    if (kill % 2 === 0) {
      await until("it is at it", () => stateOf(object.name) === "being made");
    }
    await new Promise((resolve) => setTimeout(resolve, random.below(10)));
    maker.kill();
    await within("its end", maker.finished());
    ends[lookAt(object.name)]++;

    using region = Region.openOrCreate(object.name, Large);
    const { fields } = region;
    assertEquals([fields.opened.load(), fields.made.load(), fields.many.load(99_999)], [0, 0n, 0]);
    for (const index of [0, 999]) assert(fields.locks.at(index).tryLock());
    Region.open(object.name, Large).close();
  }
  assert(ends.abandoned > 0, JSON.stringify(ends));
});

/** What there is now. */
function stateOf(name: string): string | undefined {
  try {
    return Region.inspect(name)?.state;
  } catch (error) {
    if (error instanceof PosixError && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** What a maker left, and that Region.open() says so. */
function lookAt(name: string): "not begun" | "abandoned" | "ready" {
  try {
    Region.open(name, Large).close();
    return "ready";
  } catch (error) {
    if (error instanceof PosixError && error.code === "ENOENT") return "not begun";
    if (error instanceof LayoutError && error.found.includes("maker died")) return "abandoned";
    throw error;
  }
}
