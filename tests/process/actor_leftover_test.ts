/**
 * What a system leaves that is killed: its children end, and the next system of its name, or whoever
 * cleans up, takes away what is there.
 *
 * Method: a program with workers and processes, theirs included, is killed at some moment of its
 * start, or while it spawns and stops. The seed of the moments is in the message of a failure.
 */

import process from "node:process";
import { removeSystem, systemStatus } from "../../src/actor/mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { isRunning, objectsOf, quietSystem, systemName } from "../support/actors.ts";
import { Child } from "../support/process.ts";
import { Random } from "../support/random.ts";
import { execPath, fileArgs, siblingUrl } from "../support/runtime.ts";
import { scaled } from "../support/scale.ts";
import { until, within } from "../support/until.ts";

const MAILBOXES = ["inner", "outer", "again"];

function program(name: string): Child {
  const url = siblingUrl("./actor_system_program.ts", import.meta.url);
  const permissions = ["-A", "--no-prompt", "--quiet"];
  return new Child(execPath(), [...fileArgs(url, { permissions }), name]);
}

/** Starts the program, and kills it when all of it runs. @returns The processes that it had. */
async function killed(name: string): Promise<number[]> {
  await using child = program(name);
  assertEquals(await within("its first line", child.line()), "begins");
  const ready = await within("all of it", child.line());
  assert(ready.startsWith("ready "), ready);
  const pids = systemStatus(name).pids;
  const told = ready.split(" ").slice(1).map(Number);
  assert(told.every((pid) => pids.includes(pid)), `${told} in ${pids}`);
  child.kill("SIGKILL");
  return pids.filter((pid) => pid !== child.pid);
}

test("a system that was killed leaves no process, and the next of its name takes away the rest", async () => {
  const name = systemName();
  const pids = await killed(name);
  assert(pids.length >= 3, `${pids}`);
  await until("its children have ended", () => !pids.some(isRunning));
  assert(objectsOf(name, ...MAILBOXES).includes("outer"));
  const next = await quietSystem({ name });
  assertEquals(objectsOf(name, ...MAILBOXES), ["0", "directory"]);
  await next.close();
  assertEquals(objectsOf(name, ...MAILBOXES), []);
});

test("removeSystem() takes away what a killed system left, and ends who of it lives", async () => {
  const name = systemName();
  const pids = await killed(name);
  await until("its lock is free", () => systemStatus(name).state === "dead");
  const { objects } = removeSystem(name);
  assert(objects.some((object) => object.name === `/${name}.directory`));
  assertEquals(pids.filter(isRunning), []);
  assertEquals(objectsOf(name, ...MAILBOXES), []);
});

test("whenever a system is killed, the next of its name works, and nothing is left", async () => {
  const seed = Number(process.env.POSTBOX_SEED ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  const random = new Random(seed);
  const rounds = Number(process.env.POSTBOX_KILLS ?? Math.max(3, scaled(8)));
  const name = systemName();
  try {
    for (let round = 0; round < rounds; round++) {
      await using child = program(name);
      assertEquals(await within("its first line", child.line()), "begins");
      const ms = random.below(800);
      await new Promise((resolve) => setTimeout(resolve, ms)); // the moment is what is tested
      child.kill("SIGKILL");
      await child.finished();
      const shop = await quietSystem({ name });
      assertEquals(objectsOf(name, ...MAILBOXES), ["0", "directory"]);
      await shop.close();
      assertEquals(objectsOf(name, ...MAILBOXES), []);
    }
  } catch (error) {
    throw new Error(`with POSTBOX_SEED=${seed} POSTBOX_KILLS=${rounds}`, { cause: error });
  }
});
