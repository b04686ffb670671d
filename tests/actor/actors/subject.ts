/** The actor that the contract of actors is tried on: it lives here, in a worker or in a process. */

import { threadId } from "node:worker_threads";
import {
  actor,
  ADDRESS,
  type AnyRef,
  msg,
  protocol,
  type Ref,
  type StandardSchema,
  type Turn,
} from "../../../src/actor/mod.ts";
import { Region, struct, u64 } from "../../../src/region/mod.ts";

/** A schema of nothing but a function. */
export function schema<Input, Output = Input>(
  judge: (value: Input) => Output | Promise<Output>,
): StandardSchema<Input, Output> {
  const refused = (error: unknown) => ({
    issues: [{ message: (error as Error).message, path: ["n"] }],
  });
  return {
    "~standard": {
      version: 1,
      vendor: "test",
      validate(value) {
        try {
          const result = judge(value as Input);
          if (!(result instanceof Promise)) return { value: result };
          return result.then((value) => ({ value }), refused);
        } catch (error) {
          return refused(error);
        }
      },
    },
  };
}

/** Takes what it is promised. */
export function as<T>(): StandardSchema<T> {
  return schema((value: T) => value);
}

/** A whole number, or there is an issue. */
const whole = ({ n }: { n: number }) => {
  if (!Number.isInteger(n)) throw new TypeError("Expected a whole number");
  return { n };
};

/** Somebody who is told what happens. */
export const Probe = protocol("test.probe", { told: msg(as<string>()) });

/** What the subject is told to tell. */
interface WithProbe {
  readonly probe: Ref<typeof Probe>;
}

/** How often each transform ran in this thread. */
export const runs = { payload: 0, reply: 0 };
const transformed = (part: "payload" | "reply") =>
  schema((text: string) => ({ text, runs: ++runs[part] }));

/** What a turn says. */
export type Told = Pick<Turn, "attempt" | "priority" | "deadlineMs" | "from"> & { id: string };

/** What two programs share. */
export const Hits = struct("hits", { hits: u64 });

/** Messages of every shape. */
export const Subject = protocol("test.subject", {
  note: msg(as<string>()),
  urgentNote: msg(as<string>(), { priority: 9 }),
  shortNote: msg(as<string>(), { ttlMs: 1 }),
  notes: msg().reply(as<string[]>()),
  nothing: msg().reply(),
  echo: msg(as<unknown>()).reply(as<unknown>()),
  bytes: msg(undefined, { codec: "raw" }).reply(undefined, { codec: "raw" }),
  byteCount: msg(undefined, { codec: "raw" }).reply(as<number>()),
  grow: msg(as<number>()).reply(undefined, { codec: "raw" }),
  transform: msg(transformed("payload")).reply(transformed("reply")),
  wholeNote: msg(schema(whole)),
  whole: msg(schema(whole)).reply(as<number>()),
  wholeLater: msg(schema(async (value: { n: number }) => whole(await value))).reply(as<number>()),
  fail: msg(as<unknown>()).reply(),
  failLater: msg(as<unknown>()).reply(),
  failNote: msg(as<string>()),
  turn: msg().reply(as<Told>()),
  /** Begins, and does not end before its signal is aborted. */
  hold: msg(as<WithProbe & { readonly name: string }>()).reply(as<string>()),
  /** The same, and its signal is not looked at before the ask was given up. */
  holdNote: msg(as<WithProbe & { readonly name: string }>()),
  count: msg(as<
    & WithProbe
    & { readonly n: number; readonly throwAt?: number; readonly hangAt?: number }
  >()).stream(as<number>()),
  countSync: msg(as<number>()).stream(as<number>()),
  noItems: msg().stream(as<number>()),
  manyBytes: msg(as<number[]>()).stream(undefined, { codec: "raw" }),
  close: msg(),
  open: msg(),
  later: msg(as<string>()).reply(as<string>()),
  laterBytes: msg(undefined, { codec: "raw" }).reply(as<number>()),
  laterNote: msg(as<string>()),
  become: msg(as<string>()),
  name: msg().reply(as<string>()),
  timers: msg(as<WithProbe>()),
  cancelledTimers: msg(as<WithProbe>()),
  children: msg(as<WithProbe>()).reply(as<string>()),
  stopSelf: msg(as<WithProbe>()).reply(as<string>()),
  log: msg(as<string>()),
  self: msg().reply(as<AnyRef>()),
  ask: msg(as<{ readonly ref: AnyRef; readonly value: unknown }>()).reply(as<unknown>()),
  labelOf: msg(as<{ readonly ref: AnyRef }>()).reply(as<{ label: string; methods: number }>()),
  passOn: msg(as<{ readonly ref: AnyRef }>()).reply(as<AnyRef>()),
  hit: msg(as<{ readonly region: Region<{ hits: typeof u64 }> }>()).reply(as<bigint>()),
  init: msg().reply(as<unknown>()),
  where: msg().reply(as<string>()),
  /** Asks somebody so many times, so many at a time, and goes on with what it is asked itself. */
  askOften: msg(as<
    WithProbe & { readonly ref: AnyRef; readonly times: number; readonly atOnce: number }
  >()),
  exit: msg(as<number>()).reply(),
  add: msg(as<number>()),
  sums: msg().reply(as<{ count: number; outOfOrder: number }>()),
});

/** Reports its end. */
const Child = protocol("test.child", { nothing: msg().reply() });

export const child = actor(
  import.meta,
  Child,
  (context, init: WithProbe & { readonly name: string }) => {
    context.onStop(() => init.probe.told(`${init.name} stopped`));
    return { nothing() {} };
  },
  { export: "child" },
);

/** Whatever its setup was given. */
export type SubjectInit = { readonly [key: string]: unknown } | undefined;

export default actor(import.meta, Subject, (context, init: SubjectInit) => {
  let notes: string[] = [];
  let isOpen = true;
  let last = 0, count = 0, outOfOrder = 0;
  const note = (text: string) => void notes.push(text);
  const hold = async (
    { probe, name }: WithProbe & { readonly name: string },
    { signal }: Turn,
  ) => {
    await probe.told(`${name} began`);
    if (!signal.aborted) {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    }
    await probe.told(`${name} aborted by ${(signal.reason as Error).name}`);
    return name;
  };
  const handlers = {
    note,
    urgentNote: note,
    shortNote: note,
    notes() {
      const all = notes;
      notes = [];
      return all;
    },
    nothing() {},
    echo: (value: unknown) => value,
    bytes: (bytes: Uint8Array) => bytes,
    byteCount: (bytes: Uint8Array) => bytes.length,
    grow: (byteLength: number) => new Uint8Array(byteLength),
    transform: ({ text, runs }: { text: string; runs: number }) => `${text}, run ${runs}`,
    wholeNote: ({ n }: { n: number }) => note(`whole ${n}`),
    whole: ({ n }: { n: number }) => n,
    wholeLater: ({ n }: { n: number }) => n,
    fail(cause: unknown) {
      throw errorWith(cause);
    },
    async failLater(cause: unknown) {
      await Promise.resolve();
      throw errorWith(cause);
    },
    failNote(text: string) {
      throw new Error(text);
    },
    turn: (_none: undefined, { id, attempt, priority, deadlineMs, from }: Turn) => ({
      id,
      attempt,
      priority,
      deadlineMs,
      from,
    }),
    hold,
    async holdNote(payload: WithProbe & { readonly name: string }, turn: Turn) {
      await hold(payload, turn);
    },
    async *count(
      { probe, n, throwAt, hangAt }: WithProbe & { n: number; throwAt?: number; hangAt?: number },
      { signal }: Turn,
    ) {
      try {
        for (let i = 0; i < n; i++) {
          if (i === throwAt) throw new RangeError(`no ${i}`);
          if (i === hangAt) {
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
          }
          await probe.told(`made ${i}`);
          yield i;
        }
      } finally {
        await probe.told(`over, ${signal.aborted ? "aborted" : "not aborted"}`);
      }
    },
    *countSync(n: number) {
      for (let i = 0; i < n; i++) yield i;
    },
    noItems: () => undefined as never,
    *manyBytes(lengths: number[]) {
      for (const length of lengths) yield new Uint8Array(length).fill(length);
    },
    close() {
      isOpen = false;
    },
    open() {
      isOpen = true;
      context.unstash();
    },
    later(text: string) {
      if (isOpen) return text;
      context.stash();
      return "set aside";
    },
    laterBytes(bytes: Uint8Array) {
      if (isOpen) return bytes.reduce((sum, byte) => sum + byte, 0);
      context.stash();
      return -1;
    },
    laterNote(text: string) {
      if (isOpen) note(text);
      else context.stash();
    },
    become(name: string) {
      context.become({ ...handlers, name: () => name });
    },
    name: () => "as it began",
    timers({ probe }: WithProbe) {
      context.after(2, () => probe.told("after"));
      let ticks = 0;
      context.every(1, async () => {
        if (++ticks <= 3) await probe.told(`tick ${ticks}`);
      });
      context.signal.addEventListener("abort", () => ticks = 0);
    },
    cancelledTimers({ probe }: WithProbe) {
      const cancelAfter = context.after(0, () => probe.told("cancelled after"));
      const cancelEvery = context.every(1, () => probe.told("cancelled every"));
      cancelAfter();
      cancelEvery();
      context.after(3, () => probe.told("the one left"));
    },
    async children({ probe }: WithProbe) {
      const names = ["first", "second", "third"];
      for (const name of names) {
        const ref = await context.spawn(child, { init: { probe, name } });
        await ref.nothing();
      }
      context.onStop(() => probe.told("parent stopped"));
      return `${names.length} children`;
    },
    async stopSelf({ probe }: WithProbe) {
      context.stop();
      await probe.told("still here");
      return "said at last";
    },
    log: (text: string) => context.log.warn(text, { by: "the subject" }),
    self: () => context.self as AnyRef,
    ask: ({ ref, value }: { ref: AnyRef; value: unknown }) =>
      (ref as Ref<typeof Subject>).echo(value),
    labelOf: ({ ref }: { ref: AnyRef }) => ({
      label: ref[ADDRESS].label,
      methods: Object.keys(ref).length,
    }),
    passOn: ({ ref }: { ref: AnyRef }) => ref,
    hit: ({ region }: { region: Region<{ hits: typeof u64 }> }) => region.fields.hits.add(1n),
    init: () => init?.region instanceof Region ? { ...init, region: "a region" } : init,
    where: () => `${globalThis.process.pid}.${threadId}`,
    askOften(
      { probe, ref, times, atOnce }: WithProbe & { ref: AnyRef; times: number; atOnce: number },
    ) {
      let left = times;
      const one = async () => {
        while (left-- > 0) await (ref as Ref<typeof Subject>).echo(left);
      };
      // Not in this turn: who waits in a handler is not asked anything.
      void Promise.all(Array.from({ length: atOnce }, one)).then(
        () => probe.told("asked them all"),
        (error) => probe.told(`failed: ${error}`),
      );
    },
    exit(code: number) {
      globalThis.process.exit(code);
    },
    add(n: number) {
      count++;
      if (n !== last + 1) outOfOrder++;
      last = n;
    },
    sums() {
      const sums = { count, outOfOrder };
      last = count = outOfOrder = 0;
      return sums;
    },
  };
  return handlers;
});

function errorWith(cause: unknown): Error {
  return Object.assign(new RangeError("failed as asked", { cause }), { code: "EASKED" });
}
