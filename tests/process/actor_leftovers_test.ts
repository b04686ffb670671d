/**
 * What a killed system leaves, and who takes it away: the next of that name, or whoever cleans up.
 *
 * Processes that make systems of one name are killed at random instants and race for it: one has it
 * at any time, whatever the others were at, and nothing is left in the end.
 */

import "../support/loaded.ts";
import process from "node:process";
import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { MessageQueue, SharedMemory, uniqueName } from "../../mod.ts";
import { Directory, memoryOf } from "../../src/actor/memory/directory.ts";
import { removeSystem, systemStatus } from "../../src/actor/memory/leftovers.ts";
import { identityOf } from "../../src/life/process_identity.ts";
import { ProcessWatch } from "../../src/life/process_watch.ts";
import { memoryName } from "../support/names.ts";
import { rootTest, runPrepared } from "../support/prepared.ts";
import { Child } from "../support/process.ts";
import { Random } from "../support/random.ts";
import { refusal } from "../support/refusal.ts";
import { scaled } from "../support/scale.ts";
import { within } from "../support/until.ts";

const IMPORTS = `
  import process from "node:process";
  import { MessageQueue, PosixError, SharedMemory } from "@postbox/postbox";
  import { Directory } from "@postbox/postbox/src/actor/memory/directory.ts";
  const [system, ...rest] = process.argv.slice(2);
`;

/** Makes a system with a queue, and gives out a number. */
const MAIN = `${IMPORTS}
  const directory = Directory.create(system);
  directory.begin(0, process.pid);
  directory.record("queue", "/" + system + ".0");
  MessageQueue.create("/" + system + ".0", { maxMessages: 1, maxMessageBytes: 8 });
  console.log(directory.allocate(0));
  setInterval(() => {}, 1000);
`;

/** Is an endpoint, and leaves nothing to its parent's end. */
const ENDPOINT = `${IMPORTS}
  const directory = Directory.join(system);
  console.log(directory.begin(Number(rest[0]), process.pid));
  setInterval(() => {}, 1000);
`;

const namesOf = (system: string) =>
  [
    ...MessageQueue.list().queues.map(({ name }) => name),
    ...SharedMemory.list().map(({ name }) => name),
  ].filter((name) => name.startsWith(`/${system}.`));

const newName = () => uniqueName("test").slice(1);

/** A system in a process of its own, and another process that is an endpoint of it. */
async function twoProcesses(system: string): Promise<{ main: Child; endpoint: Child }> {
  const main = Child.program(MAIN, system);
  const id = await within("the system", main.line());
  const endpoint = Child.program(ENDPOINT, system, id);
  assertEquals(await within("the endpoint", endpoint.line()), "1");
  return { main, endpoint };
}

for (
  const [who, take] of [
    ["Directory.create()", (system: string) => Directory.create(system).remove()],
    ["removeSystem()", (system: string) => void removeSystem(system)],
  ] as const
) {
  test(`${who} ends the processes of a killed system, and takes its names away`, async () => {
    const system = newName();
    const { main, endpoint } = await twoProcesses(system);
    const lives = refusal(() => take(system));
    assert(["EEXIST", "EBUSY"].includes(lives.code), lives.code);
    main.kill();
    await main.finished();
    const status = systemStatus(system);
    assertEquals([status.state, status.pids], ["dead", [endpoint.pid]]);
    assertEquals(status.objects.map(({ name }) => name), [`/${system}.0`, `/${system}.directory`]);
    take(system);
    assertEquals((await within("its end", endpoint.finished())).signal, "SIGKILL");
    assertEquals(namesOf(system), []);
    await main[Symbol.asyncDispose]();
    await endpoint[Symbol.asyncDispose]();
  });
}

test("Directory.create() ends nobody who only has the number of a dead one's process", async () => {
  const system = newName();
  await using innocent = new Child("cat", []);
  const { main, endpoint } = await twoProcesses(system);
  using watch = ProcessWatch.open(identityOf(innocent.pid)!)!;
  // As if the endpoint's process were gone, and its number another's by now.
  using reader = Directory.join(system);
  const identity = identityOf(innocent.pid)!;
  const earlier = { ...identity, startTicks: identity.startTicks - 1n };
  memoryOf(reader).endpoints.setProcess(1, earlier);
  main.kill();
  await main.finished();
  const ending = new Promise<void>((resolve) => {
    endpoint.finished().then(() => resolve());
  });
  endpoint.kill("SIGTERM"); // its lock goes while the next one waits for that
  Directory.create(system).remove();
  await ending;
  assertEquals([watch.hasExited(), namesOf(system)], [false, []]);
  await main[Symbol.asyncDispose]();
  await endpoint[Symbol.asyncDispose]();
});

rootTest("Directory.create() says of a system of another pid namespace that it lives", async () => {
  const system = newName();
  using directory = Directory.create(system);
  directory.begin(0, process.pid);
  try {
    const { stdout, stderr } = await runPrepared(
      ["unshare", "--pid", "--fork", "--mount-proc"],
      `import { Directory } from "@postbox/postbox/src/actor/memory/directory.ts";
      attempt("create", () => Directory.create(${JSON.stringify(system)}));`,
    );
    assertEquals(stderr, "");
    const { code, hint } = JSON.parse(stdout);
    assertEquals(code, "EEXIST");
    assert(hint.includes(`process ${process.pid} of another pid namespace`), hint);
  } finally {
    directory.remove();
  }
});

const KILLS = Number(process.env.POSTBOX_KILLS ?? scaled(10)), RACERS = 3;

/** Words of the table: who has the system, how often it was had, what went wrong. */
const OWNER = 0, WINS = 1, VIOLATIONS = 2;

/** Has the system again and again, looks that nobody else does, and gives it up in either way. */
const RACER = `${IMPORTS}
  const memory = SharedMemory.open(rest[0]);
  const words = new Int32Array(memory.buffer, 0, 4);
  const violated = (what) => {
    Atomics.add(words, ${VIOLATIONS}, 1);
    console.error(what);
  };
  console.log("ready");
  for (let turn = 0;; turn++) {
    let directory;
    try {
      directory = Directory.create(system);
    } catch (error) {
      if (!(error instanceof PosixError) || error.code !== "EEXIST") throw error;
      await new Promise((done) => setImmediate(done));
      continue;
    }
    Atomics.store(words, ${OWNER}, process.pid);
    directory.begin(0, process.pid);
    const name = "/" + system + ".box";
    directory.record("queue", name);
    try {
      MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 8 }).close();
    } catch (error) {
      violated(error);
    }
    const other = Directory.join(system);
    if (other.run !== directory.run) violated("two directories");
    other.close();
    for (let look = 0; look < 20; look++) {
      if (Atomics.load(words, ${OWNER}) !== process.pid) violated("two owners");
      await null;
    }
    Atomics.add(words, ${WINS}, 1);
    if (turn % 2 === 0) directory.remove();
    else directory.close();
  }
`;

test(`of ${RACERS} who make one system one has it, though ${KILLS} are killed (POSTBOX_KILLS=200 for more)`, async () => {
  const random = new Random(Date.now() >>> 0), system = newName();
  using object = memoryName();
  using memory = SharedMemory.create(object.name, { byteLength: 16 });
  const words = new Int32Array(memory.buffer, 0, 4);
  const begin = async () => {
    const child = Child.program(RACER, system, object.name);
    await within("a racer", child.line());
    return child;
  };
  const racers = await Promise.all(Array.from({ length: RACERS }, begin));
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const target = Atomics.load(words, WINS) + random.below(20);
      const wins = async () => {
        while (Atomics.load(words, WINS) < target) await new Promise((done) => setTimeout(done, 1));
      };
      await within("wins", wins());
      const index = random.below(RACERS);
      racers[index]!.kill();
      const { signal, stderr } = await within("its end", racers[index]!.finished());
      assertEquals([signal, stderr], ["SIGKILL", ""]);
      racers[index] = await begin();
    }
  } finally {
    for (const racer of racers) await racer[Symbol.asyncDispose]();
  }
  assertEquals(Atomics.load(words, VIOLATIONS), 0, `seed ${random.seed}`);
  Directory.create(system).remove();
  assertEquals(namesOf(system), []);
});
