/** Logs: one line each, whatever is in it. */

import "../support/loaded.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { test } from "../harness.ts";
import { VirtualClock } from "../../src/actor/flow/clock.ts";
import { LineLog, type LogLevel } from "../../src/actor/flow/log.ts";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** A log that writes its lines to an array. */
function logTo(lines: string[], level?: LogLevel | "none"): LineLog {
  return new LineLog("counter", { level, sink: (line) => lines.push(line), clock });
}

const clock = new VirtualClock(Date.UTC(2026, 6, 1, 12));

/** What follows the name when the fields are these. */
function shown(fields: Record<string, unknown>): string {
  const lines: string[] = [];
  logTo(lines).info("m", fields);
  assertEquals(lines.length, 1);
  return lines[0]!.replace(/^.*counter: m /s, "");
}

test("LineLog writes time, level, name, message and fields", () => {
  const lines: string[] = [];
  logTo(lines).warn("cannot keep up", { behind: 12, by: "the sensor", at: "shop.1" });
  assertEquals(lines, [
    '2026-07-01T12:00:00.000Z WARN counter: cannot keep up behind=12 by="the sensor" at=shop.1',
  ]);
});

test("LineLog leaves out what matters less than its level", () => {
  for (const [index, level] of LEVELS.entries()) {
    const lines: string[] = [], log = logTo(lines, level);
    for (const one of LEVELS) log[one]("message");
    assertEquals(lines.map((line) => line.split(" ")[1]), LEVELS.slice(index).map(upper));
  }
  const lines: string[] = [], log = logTo(lines, "none");
  for (const one of LEVELS) log[one]("message");
  assertEquals(lines, []);
});

function upper(text: string): string {
  return text.toUpperCase();
}

test("LineLog.named() writes for somebody else, to the same sink", () => {
  const lines: string[] = [];
  logTo(lines, "error").named("pool#2").error("failed");
  logTo(lines, "error").named("pool#2").info("not written");
  assertEquals(lines, ["2026-07-01T12:00:00.000Z ERROR pool#2: failed"]);
});

test("LineLog shows values of each kind", () => {
  assertEquals(
    shown({ a: 1, b: -0.5, c: 7n, d: true, e: undefined, f: null, g: Symbol("s"), h: () => 1 }),
    "a=1 b=-0.5 c=7 d=true e=undefined f=null g=Symbol(s) h=function",
  );
  assertEquals(
    shown({ empty: "", word: "a-b/c:d", words: 'say "hi"' }),
    'empty="" word=a-b/c:d words="say \\"hi\\""',
  );
  assertEquals(shown({ list: [1, 2] }), 'list="[1,2]"');
});

test("LineLog tells where an error was thrown, and what was behind it", () => {
  const line = shown({ error: new TypeError("outer", { cause: new RangeError("inner") }) });
  assertMatch(line, /^error="TypeError: outer \(at .*\); because of RangeError: inner \(at .*\)"$/);
});

test("LineLog writes one line, whatever is in it", () => {
  const evil = "a\nb\r\u2028c\u001b[31m\u0085d";
  const lines: string[] = [], sink = (line: string) => lines.push(line);
  new LineLog(evil, { sink, clock }).error(evil, {
    [evil]: evil,
    error: new Error(evil),
    o: { evil },
  });
  assertEquals(lines.length, 1);
  // deno-lint-ignore no-control-regex -- what must not be there
  assert(!/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(lines[0]!), lines[0]);
  assert(lines[0]!.includes("a\\u000ab\\u000d\\u2028c\\u001b[31m\\u0085d"));
});

test("LineLog writes what throws when it is shown", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const fields = {
    get getter(): never {
      throw new Error("a getter");
    },
    json: {
      toJSON() {
        // deno-lint-ignore no-throw-literal -- as somebody may
        throw "no error";
      },
    },
    cyclic,
    big: { n: 1n },
    error: Object.defineProperty(new Error(), "message", {
      get() {
        throw new Error("a message");
      },
    }),
    last: 1,
  };
  const line = shown(fields);
  assert(
    line.startsWith('getter="(cannot be shown: a getter)" json="(cannot be shown: it throws)"'),
  );
  logTo([]).info({ toString: 1 } as unknown as string);
  assert(line.endsWith('error="(cannot be shown: a message)" last=1'), line);
});

test("LineLog writes a bounded line", () => {
  const long = "x".repeat(1e6);
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`f${index}`, 1]));
  const lines: string[] = [], log = logTo(lines);
  log.info(long, { long, error: new Error(long), list: [long] });
  log.info("m", many);
  assert(lines[0]!.length < 10_000);
  assertEquals(lines[1]!.split(" ").length, 4 + 64);
});
