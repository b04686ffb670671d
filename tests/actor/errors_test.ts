/** How ends are told, and what the errors of actors carry. */

import { assertEquals, assertStrictEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { ActorError, describeExit, type Exit, MailboxFull } from "../../src/actor/errors.ts";

const killed: Exit = { kind: "signal", signal: "SIGKILL" };

test("describeExit() tells each way to end", () => {
  const cases: [Exit, string][] = [
    [{ kind: "stopped" }, "was stopped"],
    [{ kind: "threw", error: new RangeError("too far") }, "threw RangeError: too far"],
    [{ kind: "threw", error: new Error("") }, "threw Error"],
    [{ kind: "threw", error: "a text" }, 'threw "a text"'],
    [{ kind: "threw", error: Object.create(null) }, "threw an object"],
    [{ kind: "exit", code: 3 }, "exited with code 3"],
    [killed, "was killed by SIGKILL"],
    [{ kind: "terminated" }, "was terminated"],
    [{ kind: "out-of-memory" }, "ran out of memory"],
    [{ kind: "lost", reason: "its parent ended" }, "was lost: its parent ended"],
    [
      { kind: "gave-up", restarts: 1, withinMs: 500, last: killed },
      "was given up after 1 restart within 500 ms: at last it was killed by SIGKILL",
    ],
    [
      { kind: "gave-up", restarts: 3, withinMs: 500, last: { kind: "exit", code: 1 } },
      "was given up after 3 restarts within 500 ms: at last it exited with code 1",
    ],
  ];
  for (const [exit, text] of cases) assertEquals(describeExit(exit), text);
});

test("describeExit() is bounded, whatever was thrown", () => {
  const error = new Error("x".repeat(100_000));
  assertEquals(describeExit({ kind: "threw", error }).length < 400, true);
  assertEquals(describeExit({ kind: "threw", error: "x".repeat(100_000) }).length < 400, true);
});

test("ActorError.died() says how, and has what was thrown as its cause", () => {
  const cause = new TypeError("no");
  const error = ActorError.died("counter", { kind: "threw", error: cause });
  assertEquals(error.message, 'Cannot get an answer of "counter": it threw TypeError: no');
  assertEquals([error.name, error.code, error.actor, error.exit?.kind], [
    ...["ActorError", "EDIED", "counter", "threw"],
  ]);
  assertStrictEquals(error.cause, cause);
  assertEquals("cause" in ActorError.died("counter", killed), false);
});

test("an ActorError without an end says what is the case", () => {
  const init = { action: "start", actor: "counter", code: "ESTART" } as const;
  const cause = new Error("why"), description = "its module cannot be imported";
  const error = new ActorError({ ...init, description, cause });
  assertEquals(error.message, 'Cannot start "counter": its module cannot be imported');
  assertEquals([error.exit, error.cause], [undefined, cause]);
  assertEquals(new ActorError(init).message, 'Cannot start "counter": it is gone');
});

test("MailboxFull tells its depth", () => {
  const { name, message, mailbox, depth, capacity } = new MailboxFull("jobs", 8, 10);
  assertEquals([name, mailbox, depth, capacity], ["MailboxFull", "jobs", 8, 10]);
  assertEquals(message, 'Cannot send to "jobs": 8 of 10 messages wait, expected room for one');
});
