/** `postbox gc`: what dead systems left goes, what lives or is not ours stays. */

import "../support/loaded.ts";
import { chownSync } from "node:fs";
import process from "node:process";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { MessageQueue, SharedMemory, uniqueName } from "../../mod.ts";
import { Directory } from "../../src/actor/memory/directory.ts";
import { rootTest } from "../support/prepared.ts";
import { postbox } from "./postbox.ts";

/** A system with a queue; what is left of it is unlinked at the end of the scope. */
function newSystem() {
  const system = uniqueName("test").slice(1);
  const queue = `/${system}.box`, memory = `/${system}.directory`;
  const directory = Directory.create(system);
  directory.begin(0, process.pid);
  directory.record("queue", queue);
  MessageQueue.create(queue, { maxMessages: 1, maxMessageBytes: 8 }).close();
  const isThere = () => SharedMemory.list().some(({ name }) => name === memory);
  return {
    system,
    queue,
    memory,
    isThere,
    /** It is as if it had been killed. */
    die: () => directory.close(),
    [Symbol.dispose]() {
      directory.close();
      if (!isThere()) return;
      SharedMemory.unlink(memory);
      MessageQueue.unlink(queue);
    },
  };
}

test("gc removes what a named dead system left, and says what", async () => {
  using made = newSystem();
  made.die();
  const { code, stdout, stderr } = await postbox("gc", made.system);
  assertEquals([code, stderr, made.isThere()], [0, "1 dead system removed\n", false]);
  const lines = stdout.trimEnd().split("\n").map((line) => line.split(/ +/));
  assertEquals(lines, [
    ["SYSTEM", "KIND", "NAME"],
    [made.system, "queue", made.queue],
    [made.system, "memory", made.memory],
  ]);
});

test("gc --dry-run --json says what it would remove, and removes nothing", async () => {
  using made = newSystem();
  made.die();
  const { code, stdout } = await postbox("gc", "--dry-run", "--json", made.system);
  const objects = [{ kind: "queue", name: made.queue }, { kind: "memory", name: made.memory }];
  const systems = [{ system: made.system, objects, pids: [] }];
  assertEquals([code, JSON.parse(stdout)], [0, { dryRun: true, systems }]);
  const all = JSON.parse((await postbox("gc", "--dry-run", "--json")).stdout);
  assertEquals(
    all.systems.filter(({ system }: { system: string }) => system === made.system),
    systems,
  );
  assert(made.isThere());
});

test("gc leaves a system that lives, and exits with 1 when it was named", async () => {
  using made = newSystem();
  const all = JSON.parse((await postbox("gc", "--dry-run", "--json")).stdout);
  assertEquals(JSON.stringify(all).includes(made.system), false);
  for (const flags of [[], ["--dry-run"]]) {
    const { code, stderr } = await postbox("gc", ...flags, made.system);
    assertEquals([code, made.isThere()], [1, true]);
    assertStringIncludes(stderr, `Cannot remove system "${made.system}"`);
    assertMatch(stderr, /it lives/);
  }
});

test("gc removes the others when one of several is refused", async () => {
  using made = newSystem();
  using lives = newSystem();
  made.die();
  const { code, stderr } = await postbox("gc", "nobody", lives.system, made.system);
  assertEquals([code, made.isThere(), lives.isThere()], [1, false, true]);
  assertStringIncludes(stderr, 'Cannot find system "nobody": it does not exist (ENOENT)');
});

test("gc tells of an object that only has such a name, and does not touch it", async () => {
  const system = uniqueName("test").slice(1), name = `/${system}.directory`;
  using memory = SharedMemory.create(name, { byteLength: 4 });
  try {
    memory.write("mine");
    const { code, stderr } = await postbox("gc", "--dry-run");
    assertEquals(code, 0);
    assertStringIncludes(stderr, `Not touched: Cannot use directory "${name}": found 4 bytes`);
    const named = await postbox("gc", system);
    assertEquals([named.code, new TextDecoder().decode(memory.read())], [1, "mine"]);
  } finally {
    SharedMemory.unlink(name);
  }
});

rootTest("gc tells of another user's system, and does not touch it", async () => {
  using made = newSystem();
  made.die();
  chownSync(`/dev/shm${made.memory}`, 65534, 65534);
  const { code, stderr } = await postbox("gc", "--dry-run");
  assertEquals(code, 0);
  assertStringIncludes(stderr, `Not touched: Cannot open memory "${made.memory}"`);
  const named = await postbox("gc", made.system);
  assertEquals([named.code, made.isThere()], [1, true]);
});

test("gc exits with 1 for what is no name of a system", async () => {
  const { code, stderr } = await postbox("gc", "/shop");
  assertEquals(code, 1);
  assertStringIncludes(stderr, 'Cannot use system name "/shop": expected 1 to 64 characters');
});
