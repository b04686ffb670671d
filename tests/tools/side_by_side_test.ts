/** Jobs of a run: so many at a time, in their order, and who must be alone is. */

import { assertEquals, assertRejects } from "../assert.ts";
import { test } from "../harness.ts";
import { type Job, sideBySide } from "../../tools/side_by_side.ts";

/** Jobs by name, a capital for one that must be alone; each ends some turns later. */
function jobs(names: string, said: string[]): Job<string>[] {
  let running = 0;
  return [...names].map((name, index) => ({
    alone: name === name.toUpperCase(),
    async run(beside) {
      said.push(`${name}${++running}${beside ? " beside" : ""}`);
      for (let turn = 0; turn <= (index * 7) % 5; turn++) await Promise.resolve();
      running--;
      return name;
    },
  }));
}

test("sideBySide() runs so many jobs at a time, and then those that must be alone", async () => {
  for (const [width, atOnce] of [[1, 1], [2, 2], [3, 3], [9, 5]] as const) {
    const said: string[] = [];
    assertEquals(await sideBySide(jobs("aBcdeFg", said), width), [..."aBcdeFg"]);
    assertEquals(said.map(([name]) => name).join(""), "acdegBF");
    const counts = said.map((line) => Number(line[1]));
    assertEquals([Math.max(...counts), ...counts.slice(5)], [atOnce, 1, 1]);
    assertEquals(said.map((line) => line.includes("beside")), [
      ...Array.from({ length: 5 }, () => width > 1),
      ...[false, false],
    ]);
  }
});

test("sideBySide() runs a single job as if it were alone", async () => {
  const said: string[] = [];
  assertEquals(await sideBySide(jobs("a", said), 2), ["a"]);
  assertEquals([said, await sideBySide([], 2)], [["a1"], []]);
});

test("sideBySide() rejects when a job does", async () => {
  const failing: Job<never> = { alone: false, run: () => Promise.reject(new Error("no")) };
  await assertRejects(() => sideBySide<string>([...jobs("ab", []), failing], 2), Error, "no");
});
