/** Waiting on the thing itself: a condition, a process that is blocked in a system call. */

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";

/** Far more than anything here takes, so only a hang reaches it. */
const BOUND_MS = 20_000;

/** Comes back when the condition holds; throws with `what` when it does not come true. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + BOUND_MS;
  while (!await condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** The system calls a thread can be found blocked in, by machine. */
const CALLS = {
  x64: { poll: 7, mq_timedsend: 242, mq_timedreceive: 243 },
  arm64: { poll: 73, mq_timedsend: 182, mq_timedreceive: 183 }, // poll(3) is ppoll(2) there
} as const;

/**
 * Comes back when a thread of the process is blocked in the call, and for poll(2) on one
 * descriptor, as our blocking calls are and the runtime's own are not.
 *
 * @returns The arguments of the call.
 */
export async function untilBlocked(
  pid: number,
  call: "poll" | "mq_timedsend" | "mq_timedreceive",
): Promise<number[]> {
  const number = CALLS[process.arch as keyof typeof CALLS][call];
  let found: number[] = [];
  await until(`process ${pid} is blocked in ${call}`, () => {
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      const [now, ...args] = syscallOf(`/proc/${pid}/task/${tid}/syscall`).map(Number);
      if (now === number && (call !== "poll" || args[1] === 1)) found = args;
    }
    return found.length > 0;
  });
  return found;
}

/** futex(2) and FUTEX_PRIVATE_FLAG: the runtime's own threads wait with that, ours without. */
const SYS_FUTEX = process.arch === "x64" ? 202 : 98, PRIVATE = 128;

/** Whether a thread of the process waits for a word of shared memory: a lock, a count. */
export function isAsleep(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).some((tid) => {
    const [call, , operation] = syscallOf(`/proc/${pid}/task/${tid}/syscall`).map(Number);
    return call === SYS_FUTEX && (operation! & PRIVATE) === 0;
  });
}

/** Comes back when one does. */
export function untilAsleep(pid: number): Promise<void> {
  return until(`process ${pid} sleeps`, () => isAsleep(pid));
}

/** Number and arguments of the call that a thread is in; "running" when it is in none. */
function syscallOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").trim().split(" ");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return []; // the thread ended
    throw error;
  }
}

/**
 * Adds together with another process or worker, and says how often it did: both start at once, and
 * this side goes on until the other is done, so that they do overlap.
 *
 * @param gun Word 0 is "go" from here, word 1 is 1 for "ready" and 2 for "done" from there.
 * @param addOne What is done over and over.
 */
export async function addTogether(gun: Uint32Array, addOne: () => void): Promise<number> {
  await until("the other side is ready", () => Atomics.load(gun, 1) === 1);
  Atomics.store(gun, 0, 1);
  const deadline = performance.now() + BOUND_MS;
  let count = 0;
  do {
    for (let i = 0; i < 1000; i++) addOne();
    count += 1000;
    if (performance.now() > deadline) throw new Error("the other side did not finish adding");
  } while (Atomics.load(gun, 1) !== 2);
  return count;
}

/** What the promise gives; throws with `what` when it does not come. */
export async function within<T>(
  what: string,
  promise: Promise<T>,
  boundMs = BOUND_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), boundMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a promise rejects with; listens at once. */
export function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then((value) => new Error(`no error, but a ${typeof value}`), (error) => error);
}
