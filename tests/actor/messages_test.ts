/** Messages inside an endpoint, and frames that a stranger puts into its inbox. */

import "../support/loaded.ts";
import {
  actor,
  ClosedError,
  MailboxFull,
  msg,
  protocol,
  type Ref,
  system,
  testSystem,
} from "../../src/actor/mod.ts";
import { openQueueOutbox } from "../../src/actor/carriers/queue.ts";
import { addressOf } from "../../src/actor/protocol/ref.ts";
import { inboxName } from "../../src/actor/runtime/names.ts";
import {
  blankHeader,
  decodeFrame,
  encodeFrame,
  type Frame,
  FRAME_HEADER_BYTES,
  type FrameHeader,
} from "../../src/actor/wire/frame.ts";
import { CODEC, KIND } from "../../src/actor/wire/frame_layout.ts";
import { MessageQueue, uniqueName } from "../../src/mq/mod.ts";
import { as } from "./actors/subject.ts";
import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { systemName } from "../support/stage.ts";
import { errorOf, until, within } from "../support/until.ts";

const Slow = protocol("test.slow", {
  hold: msg(),
  echo: msg(as<number>()).reply(as<number>()),
  note: msg(as<number>()),
});

/** A promise, and what fulfils it. */
function gate() {
  let release = () => {};
  const promise = new Promise<void>((resolve) => release = resolve);
  return { promise, release };
}

/** Holds on to a message until it is let go; echoes. */
function slowActor() {
  const { promise: held, release } = gate();
  const slow = actor(import.meta, Slow, () => ({
    hold: () => held,
    echo: (n) => n,
    note() {},
  }));
  return { slow, release };
}

/** A frame, of what is not given 0. */
function frameOf(header: Partial<FrameHeader>, payload = new Uint8Array()): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.byteLength);
  encodeFrame(frame, {
    ...blankHeader(KIND.TELL),
    ...header,
  }, payload);
  return frame;
}

test('an ask that "drop-old" drops is told so', async () => {
  const { slow, release } = slowActor();
  await using shop = await system(systemName());
  const ref = await shop.spawn(slow, { capacity: 1, onFull: "drop-old" });
  await ref.hold();
  const dropped = errorOf(ref.echo(1));
  const kept = ref.echo(2);
  const error = await within("the error", dropped);
  assert(error instanceof MailboxFull, `${error}`);
  assertEquals([error.depth, error.capacity], [1, 1]);
  assertEquals(shop.deadLetters.count("dropped"), 1);
  release();
  assertEquals(await kept, 2);
});

test("what strangers put into an inbox is bounded by the mailbox that it is for", async () => {
  const { slow, release } = slowActor();
  await using shop = await system(systemName());
  const ref = await shop.spawn(slow, { capacity: 10 });
  await ref.hold();
  const { actor: to } = addressOf(ref), { tag } = Slow.kinds.note;
  using inbox = openQueueOutbox(inboxName(shop.name, 0));
  for (let sent = 0; sent < 100; sent++) await inbox.send(frameOf({ to, tag }), "message", 0);
  await until("the rest is dropped", () => shop.deadLetters.count("dropped") === 90);
  release();
  assertEquals(await ref.echo(1), 1);
});

test("a message of nobody that there is goes to the dead letters", async () => {
  const { slow, release } = slowActor();
  await using shop = await system(systemName());
  const ref = await shop.spawn(slow);
  await ref.hold();
  const { actor: to } = addressOf(ref), { tag } = Slow.kinds.note;
  using inbox = openQueueOutbox(inboxName(shop.name, 0));
  // Itself, one that has not begun, one in an incarnation to come, none.
  const strangers = [{ from: 1 }, { from: 5, epoch: 1 }, { from: 1, epoch: 2 ** 32 - 1 }, {
    from: 2 ** 32 - 1,
  }];
  for (const stranger of strangers) {
    await inbox.send(frameOf({ to, tag, ...stranger }), "message", 0);
  }
  await until("all are", () => shop.deadLetters.count("dropped") === strangers.length);
  release();
});

test("a stream is ended at an item that cannot leave, and its generator is told", async () => {
  const Things = protocol("test.things", { all: msg().stream(as<unknown>()) });
  const told: string[] = [];
  const things = actor(import.meta, Things, () => ({
    async *all() {
      try {
        yield 1;
        yield () => "no message";
      } finally {
        told.push("ended");
      }
    },
  }));
  await using shop = await system(systemName());
  const ref = await shop.spawn(things);
  const items: unknown[] = [];
  const error = await errorOf((async () => {
    for await (const item of ref.all()) items.push(item);
  })());
  assert(error instanceof TypeError, `${error}`);
  assertEquals(items, [1]);
  await until("the generator was told", () => told.length === 1);
});

test("what a handler begins that outlives its actor ends at once", async () => {
  const { promise: isOver, release } = gate();
  const Late = protocol("test.late", { go: msg() });
  const told: string[] = [];
  const late = actor(import.meta, Late, (context) => ({
    async go() {
      await isOver;
      context.every(1, () => void told.push("every"));
      context.after(0, () => void told.push("after"));
      context.onStop(() => void told.push("stopped"));
    },
  }));
  const shop = await testSystem();
  const ref = await shop.system.spawn(late, { stopMs: 1 });
  await ref.go();
  await shop[Symbol.asyncDispose]();
  release();
  await until("it is told that it is over", () => told.length > 0);
  await shop.advance(100);
  assertEquals(told, ["stopped"]);
});

test("a stream of a program outside the system is given credit, and is cancelled", async () => {
  const Numbers = protocol("test.numbers", { all: msg().stream(as<number>(), { codec: "json" }) });
  await using shop = await system(systemName());
  using queue = MessageQueue.create(uniqueName("numbers"), {
    maxMessages: 4,
    maxMessageBytes: 256,
  });
  try {
    const numbers = shop.peer(Numbers, queue.name).all({ credit: 4 });
    const first = numbers.next();
    const next = async () => {
      const { data } = await within("a word of the asker", queue.receive());
      return decodeFrame(data, data.byteLength) as Frame;
    };
    const open = await next();
    assertEquals([open.kind, open.argument], [KIND.OPEN, 4]);
    using answers = openQueueOutbox(open.replyName!);
    const { tag, epoch, sequence, fromActor: to } = open;
    const header = { kind: KIND.ITEM, codec: CODEC.JSON, tag, epoch, sequence, to };
    const send = () => answers.send(frameOf(header, new Uint8Array([0x37])), "control", 32_500);
    for (let sent = 0; sent < open.argument; sent++) await send();
    assertEquals((await first).value, 7);
    assertEquals((await numbers.next()).value, 7);
    const credit = await next();
    assertEquals([credit.kind, credit.argument], [KIND.CREDIT, 2]);
    assertEquals([credit.epoch, credit.sequence], [epoch, sequence]);
    await numbers.return!();
    const cancel = await next();
    assertEquals([cancel.kind, cancel.epoch, cancel.sequence], [KIND.CANCEL, epoch, sequence]);
  } finally {
    MessageQueue.unlink(queue.name);
  }
});

const Stasher = protocol("test.stasher", {
  items: msg().stream(as<number>()),
  open: msg(),
  keep: msg(as<number>()),
});

test("a stream that was set aside is served once, when it is in hand again", async () => {
  let isOpen = false, served = 0;
  const stasher = actor(import.meta, Stasher, (context) => ({
    items() {
      if (!isOpen) context.stash();
      else served++;
      return [1, 2, 3];
    },
    open() {
      isOpen = true;
      context.unstash();
    },
    keep() {},
  }));
  await using shop = await system(systemName());
  const ref = await shop.spawn(stasher);
  const items = ref.items();
  const seen = [items.next()];
  await ref.open();
  seen.push(items.next(), items.next(), items.next());
  const values = (await within("all items", Promise.all(seen))).map(({ value }) => value);
  assertEquals([values, served], [[1, 2, 3, undefined], 1]);
});

test("a stash has a bound, and what is beyond it is not lost silently", async () => {
  const MOST = 10_000;
  const stasher = actor(import.meta, Stasher, (context) => ({
    *items() {},
    open() {},
    keep: () => context.stash(),
  }));
  await using shop = await system(systemName(), { log: { level: "none" } });
  const ref = await shop.spawn(stasher, { stopMs: 0, capacity: 2 * MOST });
  const errors: unknown[] = [];
  shop.watch(ref, ({ exit }) => errors.push(exit.kind === "threw" && exit.error));
  for (let kept = 0; kept <= MOST; kept++) await ref.keep(kept);
  await until("it ends", () => errors.length === 1);
  assert(errors[0] instanceof MailboxFull, `${errors[0]}`);
  await until("all are dead letters", () => shop.deadLetters.total === MOST + 1);
});

test("handlers that never wait for anything else let timers run", async () => {
  const Busy = protocol("test.busy", { go: msg() });
  let isOver = false, count = 0;
  const busy = actor(import.meta, Busy, (context) => ({
    async go() {
      if (!isOver && ++count < 1_000_000) await (context.self as Ref<typeof Busy>).go();
    },
  }));
  await using shop = await system(systemName());
  const ref = await shop.spawn(busy);
  await ref.go();
  await new Promise((resolve) => setTimeout(resolve, 0));
  isOver = true;
  assert(count < 1_000_000, `${count} messages were handled first`);
});

test("a system that is closed takes the queues away that its mailboxes made", async () => {
  const name = uniqueName("mailbox"), theirs = uniqueName("mailbox");
  const small = { maxMessages: 1, maxMessageBytes: 64 };
  using _theirs = MessageQueue.create(theirs, small);
  try {
    const shop = await system(systemName());
    const mailbox = shop.mailbox("raw", name, small);
    shop.mailbox("raw", theirs);
    const waiting = errorOf(mailbox.receive());
    await shop.close();
    assert(await waiting instanceof ClosedError);
    const names = MessageQueue.list().queues.map(({ name }) => name);
    assertEquals([names.includes(name), names.includes(theirs)], [false, true]);
    assert(
      await errorOf(Promise.resolve().then(() => shop.mailbox("raw", name))) instanceof ClosedError,
    );
  } finally {
    MessageQueue.unlink(theirs);
  }
});
