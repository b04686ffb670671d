/**
 * Protocols as TypeScript sees them: who gives what and gets what, and what must not compile.
 *
 * Goal: a wrong use of a protocol is found by the compiler. Method: `deno check` refuses this file
 * when a type differs, or when a marked line has no error. What the errors say is in
 * tests/process/actor_types_test.ts.
 */

import { type } from "arktype";
import * as v from "valibot";
import * as z from "zod";
import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import type { Context } from "../../src/actor/protocol/context.ts";
import { actor, type ActorDefinition } from "../../src/actor/protocol/definition.ts";
import type { Handlers, Turn } from "../../src/actor/protocol/handlers.ts";
import { msg } from "../../src/actor/protocol/msg.ts";
import { protocol } from "../../src/actor/protocol/protocol.ts";
import type {
  AnyRef,
  AskOptions,
  Ref,
  StreamOptions,
  TellOptions,
} from "../../src/actor/protocol/ref.ts";
import type { SpawnArguments, SpawnOptions } from "../../src/actor/protocol/spawn_options.ts";
import { bool, mutex, struct, u32, u64 } from "../../src/layout/mod.ts";

const Reading = struct("reading", { count: u32, at: u64 });
const flag = v.pipe(v.picklist(["on", "off"]), v.transform((text) => text === "on"));

/** Inputs and outputs differ wherever they can. */
const Kinds = protocol("kinds", {
  add: msg(z.object({ by: z.string().transform(Number), note: z.string().default("") })),
  set: msg(flag).reply(z.number().transform(String)),
  ticks: msg(type({ upTo: "string.numeric.parse" })).stream(flag),
  total: msg().reply(v.number()),
  done: msg().reply(),
  reset: msg(),
  bytes: msg(undefined, { codec: "raw" }).reply(undefined, { codec: "raw" }),
  record: msg(Reading).stream(Reading),
  any: msg(z.any()),
  never: msg(z.never()),
});
type Kinds = typeof Kinds;
interface ReadingValue {
  count: number;
  at: bigint;
}

/** Compiles only where both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
const same = <A, B>(is: Same<A, B>): true => is as true;
/** Both say the same, whether as an interface or written out. */
const alike = <A, B>(
  is: [A] extends [B] ? ([B] extends [A] ? true : false) : false,
): true => is as true;

test("a sender gives what the schema accepts, and an asker gets what it makes", () => {
  type R = Ref<Kinds>;
  type Items<T> = AsyncIterableIterator<T>;
  assertEquals(
    [
      same<
        R["add"],
        (payload: { by: string; note?: string | undefined }, options?: TellOptions) => Promise<void>
      >(true),
      same<R["set"], (payload: "on" | "off", options?: AskOptions) => Promise<string>>(true),
      same<R["ticks"], (payload: { upTo: string }, options?: StreamOptions) => Items<boolean>>(
        true,
      ),
      same<R["total"], (options?: AskOptions) => Promise<number>>(true),
      same<R["done"], (options?: AskOptions) => Promise<void>>(true),
      same<R["reset"], (options?: TellOptions) => Promise<void>>(true),
      same<R["bytes"], (payload: Uint8Array, options?: AskOptions) => Promise<Uint8Array>>(true),
      alike<
        R["record"],
        (payload: ReadingValue, options?: StreamOptions) => Items<ReadingValue>
      >(true),
      // deno-lint-ignore no-explicit-any -- what the schema says
      same<R["any"], (payload: any, options?: TellOptions) => Promise<void>>(true),
      same<R["never"], (payload: never, options?: TellOptions) => Promise<void>>(true),
      same<Exclude<keyof R, symbol>, keyof Kinds["kinds"]>(true),
    ].every(Boolean),
    true,
  );
});

test("a handler gets what the schema makes, and gives what the schema of the reply accepts", () => {
  type H = Handlers<Kinds>;
  type Items<T> = Iterable<T> | AsyncIterable<T>;
  type Flag = "on" | "off";
  assertEquals(
    [
      same<
        H["add"],
        (payload: { by: number; note: string }, turn: Turn) => void | Promise<void>
      >(true),
      same<H["set"], (payload: boolean, turn: Turn) => number | Promise<number>>(true),
      same<H["ticks"], (payload: { upTo: number }, turn: Turn) => Items<Flag>>(true),
      same<H["total"], (payload: undefined, turn: Turn) => number | Promise<number>>(true),
      same<H["done"], (payload: undefined, turn: Turn) => void | Promise<void>>(true),
      alike<H["record"], (payload: ReadingValue, turn: Turn) => Items<ReadingValue>>(true),
      same<keyof H, keyof Kinds["kinds"]>(true),
    ].every(Boolean),
    true,
  );
});

const Small = protocol("small", {
  add: msg(z.object({ by: z.number() })),
  total: msg().reply(z.number()),
});
const small = { add() {}, total: () => 0 };

const withInit = actor(import.meta, Small, (context, init: { start: number }) => {
  let n = init.start;
  return {
    add({ by }) {
      n += by;
      if (n > 9) context.stop();
    },
    total: () => n,
  };
});
const withoutInit = actor(import.meta, Small, () => small);
const withContextAlone = actor(import.meta, Small, async (context) => {
  await context.self.add({ by: 1 });
  return {
    add: ({ by }) => context.log.info(`${by.toFixed()}`),
    total: (_, { signal }) => Number(signal.aborted),
  };
});
const withPossibleInit = actor(import.meta, Small, (_context, _init?: { start: number }) => small);

test("actor() infers what spawn() is to be given", () => {
  type P = typeof Small;
  assertEquals(
    [
      same<typeof withInit, ActorDefinition<P, { start: number }>>(true),
      same<typeof withoutInit, ActorDefinition<P, undefined>>(true),
      same<typeof withContextAlone, ActorDefinition<P, undefined>>(true),
      same<typeof withPossibleInit, ActorDefinition<P, { start: number } | undefined>>(true),
      same<Parameters<SpawnOf<{ start: number }>>, [SpawnOptions<{ start: number }>]>(true),
      same<Parameters<SpawnOf<undefined>>, [SpawnOptions<undefined>?]>(true),
      same<Parameters<SpawnOf<number | undefined>>, [SpawnOptions<number | undefined>?]>(true),
    ].every(Boolean),
    true,
  );
});

type SpawnOf<Init> = (...options: SpawnArguments<Init>) => void;

declare const context: Context<typeof Small>;
declare const ref: Ref<typeof Small>;
declare const kinds: Ref<Kinds>;

/** What compiles: run nowhere. */
export async function toCompile(): Promise<void> {
  const spawned = await context.spawn(withInit, { init: { start: 1 }, in: "process" });
  alike<typeof spawned, Ref<typeof Small>>(true);
  await context.spawn(withoutInit);
  await context.spawn(withContextAlone, { in: "worker", resourceLimits: {}, stdio: "ignore" });
  await context.spawn(withPossibleInit, { onFull: "drop-old" });
  await context.spawn(withoutInit, { in: "here", mailbox: "m", size: 4, onFull: "drop-new" });
  await context.spawn(withoutInit, { in: "process", carrier: "ring", capacity: 100, stopMs: 0 });
  const where: "worker" | "process" = Math.random() < 0.5 ? "worker" : "process";
  await context.spawn(withoutInit, { in: where, size: 2, restart: { backoffMs: [1, 2] } });
  const watched: AnyRef[] = [ref, kinds, context.self];
  for (const each of watched) context.watch(each, ({ exit, restarting }) => [exit, restarting]);
  for await (const tick of kinds.ticks({ upTo: "3" }, { credit: 4 })) tick.valueOf();
  context.become(small);
}

/** What does not: run nowhere. */
export async function notToCompile(): Promise<void> {
  // @ts-expect-error A kind that there is not
  ref.misses();
  // @ts-expect-error A payload of another type
  await ref.add({ by: "1" });
  // @ts-expect-error A payload that is missing
  await ref.add();
  // @ts-expect-error A payload with more
  await ref.add({ by: 1, to: 2 });
  // @ts-expect-error What the schema makes, and not what it accepts
  await kinds.add({ by: 1 });
  // @ts-expect-error A payload where there is none
  await ref.total({ by: 1 });
  // @ts-expect-error A reply of another type
  const _text: string = await ref.total();
  // @ts-expect-error No such option
  await ref.add({ by: 1 }, { prio: 1 });
  // @ts-expect-error An ask has a deadline, and no time to live
  await ref.total({ ttlMs: 1 });
  // @ts-expect-error What is dropped is up to who owns the mailbox
  await ref.add({ by: 1 }, { onFull: "drop-old" });
  // @ts-expect-error A stream is no promise
  (await kinds.ticks({ upTo: "1" })).then();
  // @ts-expect-error A ref of another protocol
  const _other: Ref<Kinds> = ref;

  // @ts-expect-error A missing handler
  actor(import.meta, Small, () => ({ add() {} }));
  // @ts-expect-error A missing handler, later
  actor(import.meta, Small, async () => await Promise.resolve({ add() {} }));
  // @ts-expect-error A handler too many
  actor(import.meta, Small, () => ({ ...small, more() {} }));
  actor(import.meta, Small, () => ({
    add: () => {},
    total: () => 0,
    // @ts-expect-error A handler too many, in place
    more: () => {},
  }));
  actor(import.meta, Small, () => ({
    add: () => {},
    // @ts-expect-error A reply of another type
    total: () => "0",
  }));
  actor(import.meta, Small, () => ({
    add: () => {},
    // @ts-expect-error A reply of another type, later
    total: () => Promise.resolve("0"),
  }));
  actor(import.meta, Small, () => ({
    // @ts-expect-error A reply to a tell
    add: ({ by }) => by,
    total: () => 0,
  }));
  actor(import.meta, Small, () => ({
    // @ts-expect-error A payload of another type
    add: (payload: { by: string }) => void payload,
    total: () => 0,
  }));
  // @ts-expect-error Handlers of another protocol
  context.become({ add() {} });

  // @ts-expect-error What the setup needs is missing
  await context.spawn(withInit);
  // @ts-expect-error It is missing among options
  await context.spawn(withInit, { in: "process" });
  // @ts-expect-error It is of another type
  await context.spawn(withInit, { init: { start: "1" } });
  // @ts-expect-error The setup takes nothing
  await context.spawn(withoutInit, { init: 1 });
  // @ts-expect-error No such place
  await context.spawn(withoutInit, { in: "thread" });
  // @ts-expect-error No such option
  await context.spawn(withoutInit, { onfull: "wait" });
  // @ts-expect-error A kernel queue gives the most urgent first: it cannot drop the oldest
  await context.spawn(withoutInit, { onFull: "drop-old", mailbox: "m" });
  // @ts-expect-error The same, of a pool
  await context.spawn(withoutInit, { onFull: "drop-old", size: 2 });
  // @ts-expect-error The same, of the inbox of a worker
  await context.spawn(withoutInit, { onFull: "drop-old", in: "worker" });
  // @ts-expect-error The same, of a ring
  await context.spawn(withoutInit, { onFull: "drop-old", in: "process", carrier: "ring" });
  // @ts-expect-error A ring has no name
  await context.spawn(withoutInit, { in: "process", carrier: "ring", mailbox: "m" });
  // @ts-expect-error A ring is not shared
  await context.spawn(withoutInit, { in: "process", carrier: "ring", size: 2 });
  // @ts-expect-error Nothing lies between here and here
  await context.spawn(withoutInit, { carrier: "ring" });
  // @ts-expect-error Limits of a worker
  await context.spawn(withoutInit, { in: "process", resourceLimits: {} });
  // @ts-expect-error Nothing is printed but here
  await context.spawn(withoutInit, { stdio: "ignore" });
  // @ts-expect-error No definition
  await context.spawn(Small);

  // @ts-expect-error A kind named then
  protocol("p", { then: msg() });
  // @ts-expect-error A kind named toJSON
  protocol("p", { toJSON: msg() });
  // @ts-expect-error A kind named constructor
  protocol("p", { constructor: msg() });
  // @ts-expect-error A kind named __proto__
  protocol("p", { __proto__: msg() });
  // @ts-expect-error A kind named __proto__, in brackets
  protocol("p", { ["__proto__"]: msg() });
  // @ts-expect-error A kind named toString
  protocol("p", { toString: msg() });
  // @ts-expect-error What msg() does not make
  protocol("p", { add: z.number() });
  // @ts-expect-error A kind that is changed
  Small.kinds.add = Small.kinds.total;

  // @ts-expect-error Options where a schema belongs
  msg({ priority: 9 });
  // @ts-expect-error A codec without a schema
  msg(undefined, { codec: "json" });
  // @ts-expect-error No such codec
  msg(z.number(), { codec: "yaml" });
  // @ts-expect-error No such option
  msg(z.number(), { prio: 9 });
  // @ts-expect-error A struct is its own codec
  msg(Reading, { codec: "json" });
  // @ts-expect-error Locks do not travel
  msg(struct("locked", { on: bool, lock: mutex }));
  // @ts-expect-error A reply has no reply
  msg().reply(z.number()).reply(z.number());
  // @ts-expect-error A codec of a reply without a schema
  msg().reply(undefined, { codec: "clone" });
}
