/**
 * Processes by identity and by descriptor, as far as this process alone shows it; others that end
 * are in tests/process/process_watch_test.ts.
 */

import "../support/loaded.ts";
import process from "node:process";
import { assert, assertEquals, assertRejects, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { ClosedError } from "../../mod.ts";
import {
  identityOf,
  isInOwnPidNamespace,
  isSameProcess,
  thisProcess,
} from "../../src/life/process_identity.ts";
import { ProcessWatch } from "../../src/life/process_watch.ts";
import { statIn } from "../../src/life/proc_stat.ts";

/** A number that no process has: the kernel's own bound on them is 2^22. */
const NOBODY = 2 ** 30;

test("thisProcess() is this process, and nobody else", () => {
  const self = thisProcess();
  assertEquals(self.pid, process.pid);
  assert(isSameProcess(self, identityOf(process.pid)!) && isInOwnPidNamespace(self));
  const { parentPid, startTicks } = statIn(`/proc/${process.pid}`)!;
  assertEquals([parentPid, startTicks], [process.ppid, self.startTicks]);
  for (
    const other of [
      { ...self, pid: self.pid + 1 },
      { ...self, startTicks: self.startTicks + 1n },
      { ...self, pidNamespace: self.pidNamespace + 1 },
    ]
  ) assert(!isSameProcess(self, other));
});

test("identityOf() is undefined for a number that no process has", () => {
  assertEquals([identityOf(NOBODY), statIn(`/proc/${NOBODY}`)], [undefined, undefined]);
});

test("ProcessWatch.open() is undefined for whoever has the number of one that is no more", () => {
  const self = thisProcess();
  for (
    const past of [
      { ...self, startTicks: self.startTicks - 1n },
      { ...self, pidNamespace: self.pidNamespace + 1 },
      { ...self, pid: NOBODY },
    ]
  ) assertEquals(ProcessWatch.open(past), undefined);
});

test("ProcessWatch of a process that lives waits until the deadline, the signal, or its close", async () => {
  const watch = ProcessWatch.open(thisProcess())!;
  assertEquals([watch.pid, watch.hasExited(), watch.exitedSync({ timeoutMs: 5 })], [
    process.pid,
    false,
    false,
  ]);
  const late = await assertRejects(() => watch.exited({ timeoutMs: 5 }), DOMException);
  assertEquals(late.name, "TimeoutError");
  const reason = new Error("enough");
  await assertRejects(() => watch.exited({ signal: AbortSignal.abort(reason) }), Error, "enough");
  const waiting = assertRejects(() => watch.exited(), ClosedError);
  watch.close();
  watch.close();
  await waiting;
  assertThrows(() => watch.hasExited(), ClosedError);
  assertEquals(watch.closed, true);
});

test("ProcessWatch.signal() refuses a signal that it does not know", () => {
  using watch = ProcessWatch.open(thisProcess())!;
  assertThrows(() => watch.signal("SIGNOTHING" as never), TypeError, "it is not known");
});

test("ProcessWatch.ofParent() watches the parent", () => {
  using watch = ProcessWatch.ofParent();
  assertEquals([watch?.pid, watch?.hasExited()], [process.ppid, false]);
});
