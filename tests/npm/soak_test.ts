/**
 * The soak of the waiting work: eight processes in three runtimes send a million messages to each
 * other over four queues that are nearly always full or empty, and many of the waits are called off.
 *
 * Rule: each message is received once, and each receiver sees those of one stream (one sender, one
 * priority, one queue) in the order in which they were sent.
 *
 * ```text
 * message   sender (u32) | priority (u32) | sequence in its stream (u32) | check (u32)
 * priority  1 + 8192 × level, of four levels; 0 is the end, which each receiver hands on
 * counts    a byte a message: how often it was received
 * index     ((queue × 8 + sender) × 4 + level) × EACH + sequence; check is (index + 1) × 2654435761
 * ```
 */

import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { MessageQueue, SharedMemory } from "../../mod.ts";
import "../support/loaded.ts";
import { memoryName, queueName } from "../support/names.ts";
import { Child, compileC, temporaryFolder } from "../support/process.ts";
import { BUILT_BY_DENO, execPath, FFI_ONLY, moduleUrl } from "../support/runtime.ts";
import { within } from "../support/until.ts";
import { project, tarball } from "./support.ts";

/** Messages of a stream; 1 000 064 in all. */
const EACH = 7813;
const LEVELS = 4;
const MESSAGE_BYTES = 16;

/** How many messages the queues hold. */
const CAPACITIES = [10, 4, 2, 10];

/** Who receives from which queues; to each queue all send. The last has one receiver only. */
const PARTIES = [
  { runtime: "Deno", receives: [0, 1, 3] },
  { runtime: "Deno", receives: [0, 1] },
  { runtime: "Deno", receives: [0, 1] },
  { runtime: "Node", receives: [0, 2] },
  { runtime: "Node", receives: [0, 2] },
  { runtime: "Node", receives: [0, 2] },
  { runtime: "C", receives: [0, 1] },
  { runtime: "C", receives: [0, 2] },
] as const;

type Runtime = (typeof PARTIES)[number]["runtime"];

/** What a party says that it did. */
interface Did {
  sent: number;
  received: number;
  cancelled: number;
}

const BOUND_MS = 150_000;

test(
  "eight processes in Deno, Node and C receive each of a million messages once and in order",
  { not: BUILT_BY_DENO },
  async () => {
    using folder = temporaryFolder();
    await project(folder.path, await tarball());
    using program = await compileC(new URL("./soak_peer.c", import.meta.url), ["-pthread"]);
    const party = new URL("./soak_party.js", import.meta.url).pathname;
    const installed = `file://${folder.path}/node_modules/@postbox/postbox/mod.js`;
    const commands: Record<Runtime, [command: string, ...args: string[]]> = {
      // Reading is for the import of a file by its name, not for the library.
      Deno: [execPath(), "run", "--allow-read", ...FFI_ONLY, party, moduleUrl("mod.ts")],
      Node: ["node", party, installed],
      C: [program.path],
    };

    const total = CAPACITIES.length * PARTIES.length * LEVELS * EACH;
    using resources = new DisposableStack();
    const countsName = resources.use(memoryName());
    const counts = resources.use(SharedMemory.create(countsName.name, { byteLength: total }));
    const queueNames = CAPACITIES.map(() => resources.use(queueName()));
    const queues = CAPACITIES.map((maxMessages, index) =>
      resources.use(
        MessageQueue.create(queueNames[index]!.name, {
          maxMessages,
          maxMessageBytes: MESSAGE_BYTES,
        }),
      )
    );

    await using children = new AsyncDisposableStack();
    const parties = PARTIES.map(({ runtime, receives }, self) => {
      const [command, ...args] = commands[runtime];
      const words = [self, EACH, countsName.name, receives, ...queueNames.map(({ name }) => name)];
      return children.use(new Child(command, [...args, ...words.map(String)]));
    });
    const said = (line: string) =>
      within(
        `all parties to say "${line}"`,
        Promise.all(parties.map(async (each) => assertEquals(await each.line(), line))),
        BOUND_MS,
      );

    await said("ready");
    for (const name of [countsName, ...queueNames]) name[Symbol.dispose]();
    const began = performance.now();
    for (const each of parties) await each.write("go\n");
    await said("sent");
    // Of the lowest priority, so it comes when everything has been received.
    await Promise.all(queues.map((queue) => queue.send("", { priority: 0 })));
    const ends = await within(
      "the end of all parties",
      Promise.all(parties.map((each) => each.finished())),
      BOUND_MS,
    );
    const seconds = (performance.now() - began) / 1000;

    const did = ends.map(({ code, stdout, stderr }, self) => {
      assertEquals([code, stderr], [0, ""], `party ${self}`);
      return JSON.parse(stdout) as Did;
    });
    report(total, seconds, did);
    for (const queue of queues) {
      assertEquals(queue.tryReceive()?.priority, 0); // the end, that nobody was left to take
      assertEquals(queue.length, 0);
    }
    assertEquals(notOnce(counts.bytes), []);
    for (const [self, { sent, received, cancelled }] of did.entries()) {
      assertEquals(sent, total / PARTIES.length);
      assert(received > 0, `party ${self} received nothing`);
      assert(cancelled > 0 || PARTIES[self]!.runtime === "C", `no wait of party ${self} was ended`);
    }
    assertEquals(did.reduce((sum, { received }) => sum + received, 0), total);
  },
);

/** The first messages that were not received once, and how often they were. */
function notOnce(counts: Uint8Array): string[] {
  const found: string[] = [];
  for (const [index, times] of counts.entries()) {
    if (times === 1) continue;
    const stream = Math.floor(index / EACH), level = stream % LEVELS;
    const sender = Math.floor(stream / LEVELS) % PARTIES.length;
    const queue = Math.floor(stream / LEVELS / PARTIES.length);
    found.push(`${times} × queue ${queue}, ${sender}, level ${level}, ${index % EACH}`);
    if (found.length === 10) break;
  }
  return found;
}

/** Prints how fast it went, and what each runtime did. */
function report(total: number, seconds: number, did: readonly Did[]): void {
  console.log(
    `${total} messages in ${seconds.toFixed(1)} s, ${Math.round(total / seconds)} a second`,
  );
  for (const runtime of new Set(PARTIES.map(({ runtime }) => runtime))) {
    const its = did.filter((_, self) => PARTIES[self]!.runtime === runtime);
    const sum = (key: keyof Did) => its.reduce((sum, each) => sum + each[key], 0);
    console.log(
      `${runtime}: sent ${sum("sent")}, received ${sum("received")}, cancelled ${sum("cancelled")}`,
    );
  }
}
