/** How actors of this thread end: who is told when, what is waited for, and what runs no more. */

import "../support/loaded.ts";
import {
  actor,
  type ActorError,
  type Context,
  msg,
  protocol,
  type StandardSchema,
} from "../../src/actor/mod.ts";
import { openQueueOutbox } from "../../src/actor/carriers/queue.ts";
import { addressOf } from "../../src/actor/protocol/ref.ts";
import { type Call, Calls } from "../../src/actor/runtime/calls.ts";
import { endpointOf } from "../../src/actor/runtime/system.ts";
import { PosixError } from "../../src/errors.ts";
import { codecNumber } from "../../src/actor/wire/codec.ts";
import { encodeFrame, type Frame } from "../../src/actor/wire/frame.ts";
import { FLAG, KIND } from "../../src/actor/wire/frame_layout.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import { test } from "../harness.ts";
import { Downs, quietSystem, refusalOf } from "../support/actors.ts";
import { namedQueue } from "../support/names.ts";
import { until, within } from "../support/until.ts";
import { as } from "./actors/subject.ts";

/** A door that a test opens. */
class Gate {
  readonly opened: Promise<void>;
  open!: () => void;

  constructor() {
    this.opened = new Promise((resolve) => this.open = resolve);
  }
}

/** Whether a promise is settled after all that is under way in this thread. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  return settled;
}

const gates = new Map<string, Gate>();
const seen: string[] = [];

/** Judges in its own time. */
const slowly: StandardSchema<string> = {
  "~standard": {
    version: 1,
    vendor: "test",
    async validate(value) {
      await gates.get(value as string)!.opened;
      return { value: value as string };
    },
  },
};

const Ending = protocol("test.ending", {
  note: msg(slowly),
  ask: msg(slowly).reply(as<string>()),
  stopAndWait: msg(as<string>()),
  boom: msg(),
  hang: msg().reply(),
});

const ending = actor(import.meta, Ending, (context: Context<typeof Ending>, onStop?: string) => {
  if (onStop !== undefined) context.onStop(() => gates.get(onStop)!.opened);
  return {
    note: (text) => void seen.push(text),
    ask(text) {
      seen.push(text);
      return text;
    },
    async stopAndWait(text) {
      context.stop();
      await gates.get(text)!.opened;
      seen.push(text);
    },
    boom() {
      throw new Error("on purpose");
    },
    hang: () => new Promise<void>(() => {}),
  };
}, { export: "ending" });

const Parent = protocol("test.parent", { boom: msg(), hang: msg().reply() });

const parent = actor(
  import.meta,
  Parent,
  async (context: Context<typeof Parent>, onStop: string) => {
    await context.spawn(ending, { init: onStop });
    return {
      boom() {
        throw new Error("on purpose");
      },
      hang: () => new Promise<void>(() => {}),
    };
  },
  { export: "parent" },
);

function gate(name: string): Gate {
  const made = new Gate();
  gates.set(name, made);
  return made;
}

test("a death is told at once, and close() waits for what the dead one had", async () => {
  const shop = await quietSystem();
  const child = gate("the child's end");
  const ref = await shop.spawn(parent, { init: "the child's end" });
  const downs = new Downs(shop, ref);
  await ref.boom();
  assertEquals((await refusalOf(ref.hang())).code, "EDIED");
  await downs.first(1);
  const closed = shop.close();
  assertEquals(await isSettled(closed), false);
  child.open();
  await within("the end", closed);
});

test("an actor is started again when nothing of it is left", async () => {
  await using shop = await quietSystem();
  const child = gate("the child's end");
  const restart = { keep: "permanent", backoffMs: [0, 0] } as const;
  const ref = await shop.spawn(parent, { init: "the child's end", restart });
  const { cells } = endpointOf(shop);
  const first = [...cells.values()];
  const downs = new Downs(shop, ref);
  await ref.boom();
  await downs.first(1);
  await isSettled(Promise.resolve());
  assertEquals([...cells.values()], first);
  child.open();
  await until("another runs", () => [...cells.values()].some((cell) => !first.includes(cell)));
});

test("onStop() is waited for no longer than stopMs", async () => {
  const lines: string[] = [];
  const shop = await quietSystem({ log: { level: "error", sink: (line) => lines.push(line) } });
  gate("never");
  await shop.spawn(ending, { init: "never", stopMs: 5 });
  await within("the end", shop.close());
  assertEquals(lines.map((line) => line.includes("onStop is not waited for")), [true]);
});

test("close() waits for the message in hand of an actor that stops itself", async () => {
  const shop = await quietSystem();
  const work = gate("the work");
  seen.length = 0;
  const ref = await shop.spawn(ending);
  await ref.stopAndWait("the work");
  await isSettled(Promise.resolve());
  const closed = shop.close();
  assertEquals(await isSettled(closed), false);
  work.open();
  await within("the end", closed);
  assertEquals(seen, ["the work"]);
});

test("what is being judged when its actor ends reaches no handler of it", async () => {
  await using shop = await quietSystem();
  const restart = { keep: "permanent", backoffMs: [0, 0] } as const;
  const ref = await shop.spawn(ending, { restart });
  const judged = gate("judged late");
  seen.length = 0;
  const endpoint = endpointOf(shop);
  const crash = async () => {
    await isSettled(Promise.resolve());
    await [...endpoint.cells.values()][0]!.crash({ kind: "lost", reason: "on purpose" });
  };
  const asked = refusalOf(ref.ask("judged late"));
  await crash();
  assertEquals((await asked).exit, { kind: "lost", reason: "on purpose" });
  await ref.note("judged late"); // no handler has seen it: it is for the next
  await crash();
  judged.open();
  await until("the next has it", () => seen.length > 0);
  await isSettled(Promise.resolve());
  assertEquals(seen, ["judged late"]);
});

test("a message that the system cannot take in is one dead letter, and its actor goes on", async () => {
  const lines: string[] = [];
  await using shop = await quietSystem({
    log: { level: "error", sink: (line) => lines.push(line) },
  });
  const ref = await shop.spawn(ending);
  gate("judged").open();
  let faults = 1;
  endpointOf(shop).servings.isCancelled = () => {
    if (faults-- > 0) throw new Error("no memory");
    return false;
  };
  void ref.ask("judged").catch(() => {});
  assertEquals(await within("the next", ref.ask("judged")), "judged");
  assertEquals(shop.deadLetters.list().map(({ reason, detail }) => [reason, detail]), [
    ["undecodable", "no memory"],
  ]);
  assertEquals(lines.length, 1);
});

test("a link that breaks ends all members of a pool", async () => {
  await using shop = await quietSystem();
  const one = await shop.spawn(ending);
  const pool = await shop.spawn(ending, { size: 3 });
  const downs = new Downs(shop, pool);
  shop.link(one, pool);
  await shop.stop(one);
  await downs.first(1);
  assertEquals(downs.told, [[1, "lost", false]]);
  assertEquals((await refusalOf(pool.hang())).code, "EDIED");
});

test("who watches an actor and throws keeps no other from being told", async () => {
  await using shop = await quietSystem();
  const ref = await shop.spawn(ending);
  const { incarnations } = endpointOf(shop);
  const { queueMicrotask } = globalThis, thrown: unknown[] = [];
  globalThis.queueMicrotask = (run) => {
    try {
      run();
    } catch (error) {
      thrown.push((error as Error).message);
    }
  };
  incarnations.watch(addressOf(ref), () => {
    throw new Error("on purpose, of a watcher");
  });
  const downs = new Downs(shop, ref);
  await shop.stop(ref);
  globalThis.queueMicrotask = queueMicrotask;
  assertEquals(downs.told, [[1, "stopped", false]]);
  assertEquals(thrown, ["on purpose, of a watcher"]);
});

const Stashing = protocol("test.stashing", { keep: msg().reply(as<string>()) });

const stashing = actor(import.meta, Stashing, (context: Context<typeof Stashing>) => ({
  keep() {
    context.stash();
    seen.push(context.name);
    return "kept";
  },
}), { export: "stashing" });

test("who asked a member of a pool that ended for good, and had set it aside, is told", async () => {
  await using shop = await quietSystem();
  const pool = await shop.spawn(stashing, { size: 2 });
  seen.length = 0;
  const kept = refusalOf(pool.keep());
  await until("a member has it", () => seen.length > 0);
  const cell = [...endpointOf(shop).cells.values()].find(({ label }) => label === seen[0])!;
  await cell.crash({ kind: "lost", reason: "on purpose" });
  assertEquals((await kept).code, "EDIED");
});

test("close() does not wait for somebody outside who takes no answers", async () => {
  const shop = await quietSystem();
  await shop.spawn(ending, { mailbox: "box" });
  using answers = namedQueue({ maxMessages: 1, maxMessageBytes: 512 });
  using box = openQueueOutbox(`/${shop.name}.box`);
  gate("asked").open();
  const { ask } = Ending.kinds;
  const endpoint = endpointOf(shop);
  const payload = endpoint.encode(ask.codec, "asked");
  seen.length = 0;
  for (let sequence = 0; sequence < 3; sequence++) {
    const header = {
      ...{ ...endpoint.blank(KIND.ASK), codec: codecNumber(ask.codec), tag: ask.tag, from: 0 },
      ...{ sequence, flags: FLAG.REPLY_NAME, replyName: answers.name },
    };
    const frame = new Uint8Array(512);
    const byteLength = encodeFrame(frame, header, payload);
    await box.send(frame.subarray(0, byteLength), "message", 0);
  }
  await until("all are answered", () => seen.length === 3);
  await within("the end", shop.close());
  assertEquals(answers.queue.length, 1);
});

test("a late word of a death ends no ask that the next incarnation serves", () => {
  const calls = new Calls(), failed: number[] = [];
  const taken = { from: 3 + 1, argument: 2 };
  for (const sequence of [1, 2]) {
    calls.add(sequence, {
      ...{ key: "a pool", label: "pool", incarnation: 0, endpoint: undefined, queue: undefined },
      ...{ endpointIncarnation: 0, isSent: true, answered() {} },
      failed: () => failed.push(sequence),
    } as Call);
    calls.taken({ sequence, ...taken } as Frame);
  }
  calls.taken({ sequence: 1, from: 3 + 1, argument: 1 } as Frame);
  const death = { key: "3:1", label: "member", incarnation: 1, exit: { kind: "stopped" } } as const;
  const diedIn = (incarnation: number) =>
    calls.down({ ...death, restarting: undefined, endpoint: { id: 3, incarnation } });
  diedIn(1);
  assertEquals(failed, [1]);
  diedIn(2);
  assertEquals(failed, [1, 2]);
});

const Hasty = protocol("test.hasty", { nothing: msg() });

const hasty = actor(import.meta, Hasty, async (context: Context<typeof Hasty>, name: string) => {
  context.after(0, () => {
    throw new RangeError("too early");
  });
  await gates.get(name)!.opened;
  return { nothing() {} };
}, { export: "hasty" });

test("spawn() rejects as soon as a timer of the setup has thrown, with what it threw", async () => {
  await using shop = await quietSystem();
  gate("never opened");
  const error = await refusalOf(shop.spawn(hasty, { init: "never opened" }));
  assertEquals(error.code, "ESTART");
  const { exit } = error.cause as ActorError;
  assertEquals(exit?.kind === "threw" && String(exit.error), "RangeError: too early");
});

test("what is sent to a mailbox until all know that it has gone is a dead letter", async () => {
  await using shop = await quietSystem();
  const ref = await shop.spawn(ending, { mailbox: "box" });
  using box = openQueueOutbox(`/${shop.name}.box`);
  const endpoint = endpointOf(shop);
  const frame = new Uint8Array(512);
  const header = { ...endpoint.blank(KIND.TELL), tag: Ending.kinds.boom.tag };
  const byteLength = encodeFrame(frame, header, new Uint8Array());
  endpoint.deaths.tellGone = async () => {
    await box.send(frame.subarray(0, byteLength), "message", 0);
  };
  await shop.stop(ref);
  assertEquals(shop.deadLetters.list().map(({ reason, kind }) => [reason, kind]), [
    ["stopped", "boom"],
  ]);
});

test("a mailbox whose name is refused to another stays recorded for who has it", async () => {
  await using shop = await quietSystem();
  await shop.spawn(ending, { mailbox: "box" });
  const refused = shop.spawn(ending, { mailbox: "box" });
  await assertRejects(() => refused, PosixError, "EEXIST");
  assertEquals(endpointOf(shop).directory.record("queue", `/${shop.name}.box`), false);
});
