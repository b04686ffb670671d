/**
 * Fails on purpose, again and again, while garbage is collected, and counts the answers that are
 * not the expected ones. Arguments: how many calls. Prints one line of JSON.
 */

import process from "node:process";
import { MessageQueue, PosixError, SharedMemory, uniqueName } from "../../mod.ts";

const calls = Number(process.argv[2]);
Error.stackTraceLimit = 0; // the stack is not what is looked at, and costs most of the time

const name = uniqueName("errno");
using queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 16 });
using reader = MessageQueue.open(name, { access: "r" });
using writer = MessageQueue.open(name, { access: "w" });
MessageQueue.unlink(name);
queue.trySend("full");
const missing = uniqueName("missing");
const tooLong = new Uint8Array(17), short = new Uint8Array(1), small = new Uint8Array(15);
using sealed = SharedMemory.anonymous({ byteLength: 1, maxByteLength: 2, seal: ["grow"] });

/** What is called, and the code it fails with; EAGAIN is the "not now" of a return value. */
const FAILURES: [string, () => unknown][] = [
  ["EAGAIN", () => queue.trySend(short)],
  ["EMSGSIZE", () => queue.trySend(tooLong)],
  ["EAGAIN", () => queue.trySend(short)],
  ["EINVAL", () => queue.trySend(short, { priority: 32768 })],
  ["EAGAIN", () => queue.trySend(short)],
  ["EBADF", () => reader.trySend(short)],
  ["EMSGSIZE", () => queue.tryReceiveInto(small)],
  ["EBADF", () => writer.tryReceive()],
  ["ENOENT", () => MessageQueue.open(missing)],
  ["ENOENT", () => SharedMemory.open(missing)],
  ["EINVAL", () => SharedMemory.open("/a/b")],
  ["EPERM", () => sealed.grow(2)],
];

function codeOf(call: () => unknown): string {
  try {
    return call() === false ? "EAGAIN" : "no failure";
  } catch (error) {
    return error instanceof PosixError ? error.code : String(error);
  }
}

const wrong: Record<string, number> = {};
let garbage: unknown[] = [];
for (let call = 0; call < calls; call++) {
  const [expected, run] = FAILURES[call % FAILURES.length]!;
  const code = codeOf(run);
  if (code !== expected) {
    const line = `${expected} became ${code}`;
    wrong[line] = (wrong[line] ?? 0) + 1;
  }
  // Short-lived and middle-aged garbage, so that both collectors work all the time.
  garbage.push({ call, bytes: new Array(32).fill(call) });
  if (garbage.length > 2000) garbage = [];
}
console.log(JSON.stringify({ calls, wrong, length: queue.length }));
