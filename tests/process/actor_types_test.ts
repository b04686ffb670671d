/**
 * What the compiler says to wrong uses of a protocol: readable, and at the place of the mistake.
 *
 * Method: each case is a line of one program, which one `deno check` refuses line by line. That
 * they are refused at all is in tests/actor/types_test.ts.
 */

import { writeFileSync } from "node:fs";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { run, temporaryFolder } from "../support/process.ts";
import { execPath, moduleUrl, NO_DENO, ROOT } from "../support/runtime.ts";

const IMPORTS = {
  "src/actor/protocol/definition.ts": "actor",
  "src/actor/protocol/msg.ts": "msg",
  "src/actor/protocol/protocol.ts": "protocol",
  "src/actor/protocol/ref.ts": "type Ref",
  "src/actor/protocol/context.ts": "type Context",
  "src/layout/mod.ts": "f64, struct, u32",
};

const PRELUDE = `
const Add = struct("add", { by: f64 });
const Total = struct("total", { n: u32 });
const Counter = protocol("counter", { add: msg(Add), total: msg().reply(Total) });
const handlers = { add() {}, total: () => ({ n: 1 }) };
const counter = actor(import.meta, Counter, (_context, _init: { start: number }) => handlers);
declare const ref: Ref<typeof Counter>;
declare const context: Context<typeof Counter>;
`;

/** A line, what is marked in it, and what the compiler says among other things. */
const CASES: [line: string, marked: string, message: string][] = [
  [
    `ref.reset();`,
    "reset",
    "Property 'reset' does not exist on type '{ readonly add: (payload: { by: number; }, " +
    "options?: TellOptions | undefined) => Promise<void>; readonly total: (options?: AskOptions",
  ],
  [`ref.add({ by: "2" });`, "by", "Type 'string' is not assignable to type 'number'."],
  [`ref.add({ by: 2 }, { prio: 9 });`, "prio", "'prio' does not exist in type 'TellOptions'."],
  [`ref.total({ by: 2 });`, "by", "'by' does not exist in type 'AskOptions'."],
  [
    `const text: string = await ref.total();`,
    "text",
    "Type '{ n: number; }' is not assignable to type 'string'.",
  ],
  [
    `actor(import.meta, Counter, () => ({ add() {} }));`,
    "({ add() {} })",
    "Property 'total' is missing in type '{ add(): void; }' but required in type 'Handlers<",
  ],
  [
    `actor(import.meta, Counter, () => ({ add() {}, total: () => ({ n: 1 }), reset() {} }));`,
    "reset",
    `is not assignable to type '"the protocol has no such kind"'.`,
  ],
  [
    `actor(import.meta, Counter, () => ({ add() {}, total: () => 1 }));`,
    "1",
    "Type 'number' is not assignable to type '{ n: number; } | Promise<{ n: number; }>'.",
  ],
  [
    `actor(import.meta, Counter, () => ({ add: ({ to }) => {}, total: () => ({ n: 1 }) }));`,
    "to }",
    "Property 'to' does not exist on type '{ by: number; }'.",
  ],
  ...["then", "toJSON", "constructor", "__proto__"].map((kind): [string, string, string] => [
    `protocol("p", { ${kind}: msg() });`,
    kind,
    `is not assignable to type '"${kind} is the name of no kind: see protocol()"'.`,
  ]),
  [
    `context.spawn(counter, { in: "process" });`,
    `{ in: "process" }`,
    "Property 'init' is missing in type '{ in: \"process\"; }' but required in type",
  ],
  [
    `context.spawn(counter, { init: { start: 1 }, on_full: "fail" });`,
    "on_full",
    "Did you mean to write 'onFull'?",
  ],
  [
    `context.spawn(counter, { init: { start: 1 }, mailbox: "m", onFull: "drop-old" });`,
    `{ init`,
    `Type '"drop-old"' is not assignable to type '"wait" | "fail" | "drop-new" | undefined'.`,
  ],
  [`msg(Add, { codec: "json" });`, "codec", "is not assignable to type 'undefined'."],
  [`msg(undefined, { codec: "json" });`, "codec", `is not assignable to type '"raw"'.`],
  [`msg({ priority: 9 });`, "priority", "'priority' does not exist in type"],
];

/** What the compiler says of a program: per line the column and the text of its first error. */
function errorsByLine(output: string): Map<number, { column: number; text: string }> {
  const errors = new Map<number, { column: number; text: string }>();
  for (const text of output.split(/\n\n(?=TS\d+ \[ERROR\])/)) {
    const place = /^ {4}at \S+program\.ts:(\d+):(\d+)/m.exec(text);
    if (place === null) continue;
    const line = Number(place[1]), column = Number(place[2]);
    if (!errors.has(line)) errors.set(line, { column, text: text.slice(0, place.index) });
  }
  return errors;
}

test("the compiler says what is wrong with a use of a protocol", { not: NO_DENO }, async () => {
  const imports = Object.entries(IMPORTS).map(([path, names]) =>
    `import { ${names} } from ${JSON.stringify(moduleUrl(path))};`
  );
  const before = [...imports, PRELUDE].join("\n").split("\n");
  using folder = temporaryFolder();
  const program = `${folder.path}/program.ts`;
  writeFileSync(program, [...before, ...CASES.map(([line]) => line)].join("\n"));
  const { code, stdout, stderr } = await run(execPath(), {
    args: ["check", "--config", `${ROOT}deno.json`, program],
    env: { NO_COLOR: "1" },
  });
  assertEquals(code, 1);
  const errors = errorsByLine(stdout + stderr);
  for (const [index, [line, marked, message]] of CASES.entries()) {
    const { text, column } = errors.get(before.length + index + 1) ?? { text: "", column: 0 };
    assertStringIncludes(text, message, `${line}\n${text}`);
    assertEquals([line, column], [line, line.indexOf(marked) + 1], text);
  }
  assertEquals(errors.size, CASES.length, `more lines are refused:\n${stdout}${stderr}`);
});
