/**
 * DescriptorTable: what a worker has open, for its parent to close when the worker is no more.
 *
 * Rule: nothing is closed before the worker's thread has ended. Until then it may close a number
 * itself, and the number may be somebody else's by then.
 */

import { ClosedError, LayoutError, PosixError } from "../errors.ts";
import {
  checkMaking,
  checkOptions,
  close,
  type DescriptorRecord,
  descriptorsIn,
  endParked,
  exchangeThread,
  forgetDescriptor,
  formatRecord,
  freeParked,
  isParkedBack,
  magicOf,
  parkedIn,
  RECORD_BYTES,
  RECORD_MAGIC,
  recordIn,
  recordOn,
} from "../sys/mod.ts";
import { bellBehind, deadlineOf, isDead, lookAgain } from "../wait/mod.ts";
import { isRunning, thisThread, type Thread } from "./thread.ts";

/** How long {@linkcode DescriptorTable.close} waits for the worker's end. */
export interface TableCloseOptions {
  /**
   * Milliseconds, at least 0; measured on the monotonic clock.
   * @default {for ever}
   */
  timeoutMs?: number;
  /** Ends the wait; the promise rejects with the signal's reason then, and nothing was closed. */
  signal?: AbortSignal;
}

/** In the place of a thread: none yet, and none any more. */
const NOBODY: Thread = 0n, NOBODY_EVER: Thread = -1n;

/** Far longer than a woken thread takes to come back. */
const PARKED_BACK_MS = 1000;

const TARGET = "descriptor table";

/** Only the static functions have it. */
const MAKING: unique symbol = Symbol("making");

/** The table of this thread. */
let attached: DescriptorRecord | undefined;

/**
 * What a worker has open, for its parent to close when the worker is no more.
 *
 * A worker that is terminated, or ends by an error, runs no `using` and no `finally` any more. Its
 * queues and its memory would stay open as long as the process runs, the bytes of its queues would
 * count against RLIMIT_MSGQUEUE though they are unlinked, and in Deno a thread would wait for them
 * for ever. So the parent makes a table, the worker attaches to it, and from then on the table has
 * every descriptor that this library has open in the worker. When the worker is terminated, or has
 * ended by itself, the parent closes the table and with it what is left.
 *
 * ```text
 * parent   create() ── workerData: table.buffer ──►             worker.terminate()   close()
 * worker                                   attach(workerData)   await receive() ✝
 * ```
 *
 * `close()` waits for the end of the worker's thread, which in Deno comes after `terminate()` is
 * back; its web `Worker` tells of no end at all, and a table that was posted to it does. There a
 * worker ends when it comes back to its event loop: one that computes, or is blocked in a `…Sync`
 * call without a deadline, is terminated in vain. In Node wait for a worker's first message before
 * you terminate it: one that is just loading koffi can take the process with it.
 *
 * A table is for one worker. Those of a worker's own workers are lost with it: end the inner ones
 * first. The end of the whole process needs no table.
 *
 * @example The worker's half and the parent's
 * ```ts
 * import { assertEquals, assertGreater, assertRejects } from "@std/assert";
 * import { DescriptorTable, MessageQueue, uniqueName } from "@postbox/postbox";
 *
 * // In the worker, first of all; here for once in this thread itself.
 * const work = (workerData: SharedArrayBuffer) => {
 *   DescriptorTable.attach(workerData);
 *   const name = uniqueName("doc");
 *   const queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 8 });
 *   MessageQueue.unlink(name);
 *   return queue;
 * };
 *
 * // In the parent: new Worker(url, { workerData: table.buffer }), of node:worker_threads.
 * const table = DescriptorTable.create();
 * using _queue = work(table.buffer);
 * assertGreater(table.descriptorCount, 0);
 *
 * // And when the worker is to end:
 * //   await worker.terminate();
 * //   await table.close();
 * await assertRejects(() => table.close(), TypeError); // this thread has not ended
 *
 * // A worker that never came to attach left nothing, and is not waited for.
 * const unused = DescriptorTable.create();
 * assertEquals(await unused.close(), 0);
 * ```
 */
export class DescriptorTable implements AsyncDisposable {
  /** What the worker is given, by `workerData` or `postMessage`, and attaches to. */
  readonly buffer: SharedArrayBuffer;
  readonly #record: DescriptorRecord;
  #closing: Promise<number> | undefined;

  private constructor(making: typeof MAKING, buffer: SharedArrayBuffer) {
    checkMaking(making, MAKING, "a DescriptorTable", "DescriptorTable.create");
    this.buffer = buffer;
    this.#record = recordOn(buffer);
    formatRecord(this.#record);
  }

  /** Makes a table for a worker. */
  static create(): DescriptorTable {
    return new DescriptorTable(MAKING, new SharedArrayBuffer(RECORD_BYTES));
  }

  /**
   * Has the table keep what this thread has open; what is open already is entered too. Attaching
   * to the same table again does nothing.
   *
   * @param buffer The `buffer` of the table that was made for this worker.
   * @throws {TypeError} If it is no SharedArrayBuffer, if another thread has the table, or this
   * thread another table.
   * @throws {LayoutError} If it is no table, or one of another version of this library.
   * @throws {ClosedError} If the table is closed: whoever made it takes this worker for ended.
   * @throws {PosixError} `ENOENT` where there is no /proc.
   */
  static attach(buffer: SharedArrayBuffer): void {
    const record = tableOn(buffer);
    const thread = thisThread();
    // SYNC: pairs with the exchange in close(). Either that sees this thread and waits for its
    // end, or this sees that it came too late.
    const before = attached === undefined
      ? exchangeThread(record, NOBODY, thread)
      : exchangeThread(record, NOBODY, NOBODY);
    if (before === NOBODY_EVER) throw new ClosedError("table", TARGET);
    if (attached !== undefined && before === thread) return;
    if (attached !== undefined) throw taken("this thread has another table");
    if (before !== NOBODY) throw taken("another thread has it");
    attached = record;
    recordIn(record);
  }

  /** How many descriptors the worker has open now, or had when it ended. */
  get descriptorCount(): number {
    return descriptorsIn(this.#record).length;
  }

  /** Whether {@linkcode DescriptorTable.close} has closed what was left, or is about to. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Waits until the worker's thread has ended, and closes what it left open. Terminate the worker
   * before, or learn of its end, by the event `exit`. A worker that did not come to attach is not
   * waited for, and refused when it tries.
   *
   * Until it is back, a worker that was terminated while it waited can still take a message, which
   * is lost then: what is sent after it is not.
   *
   * Other handles on the same queues and memory stay open; but closing any handle of a process on a
   * queue takes back what another asked for by `notify`, as it always does.
   *
   * @returns How many were left; the same when it is closed again. Rejects with a `TimeoutError`
   * at the deadline and with the signal's reason when that ends the wait: the table can be closed
   * later then.
   * @throws {TypeError} If the worker is this thread itself.
   */
  async close(options: TableCloseOptions = {}): Promise<number> {
    checkOptions(options, "close the table", "{ timeoutMs: 1000 }");
    const { timeoutMs, signal } = options;
    deadlineOf(timeoutMs); // judged also where there is nobody to wait for
    const thread = exchangeThread(this.#record, NOBODY, NOBODY_EVER);
    if (thread !== NOBODY && thread !== NOBODY_EVER) {
      if (thread === thisThread()) {
        throw new TypeError("Cannot close the table: it is this thread's own, expected a worker's");
      }
      await lookAgain(() => isRunning(thread) ? undefined : true, { timeoutMs, signal }, TARGET);
    }
    return await (this.#closing ??= closeLeft(this.#record));
  }

  /** The same as {@linkcode DescriptorTable.close} without a deadline, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Closes what a thread that has ended left open. */
async function closeLeft(record: DescriptorRecord): Promise<number> {
  await endLeftParked(record);
  const left = descriptorsIn(record);
  for (const fd of left) {
    forgetDescriptor(record, fd);
    try {
      const bell = bellBehind(fd);
      close(fd, TARGET);
      // The thread's own doorbell has a name, which nobody would take away: the dead ring no more.
      if (bell !== undefined) isDead(bell);
    } catch (error) {
      // It was closed past this library; there is nothing left to do for this one.
      if (!(error instanceof PosixError)) throw error;
    }
  }
  return left.length;
}

/** Sends the thread home that waits for one that has ended. */
async function endLeftParked(record: DescriptorRecord): Promise<void> {
  const parked = parkedIn(record);
  if (parked === undefined) return;
  endParked(parked);
  const look = () => isParkedBack(parked) ? true : undefined;
  try {
    await lookAgain(look, { timeoutMs: PARKED_BACK_MS }, TARGET);
  } catch (error) {
    // The thread's end came between the preparations of the call and the call, which nobody makes
    // any more; but if somebody should, its memory must be there, so it stays.
    if (!(error instanceof DOMException)) throw error;
    return;
  }
  freeParked(parked);
}

function tableOn(buffer: SharedArrayBuffer): DescriptorRecord {
  if (!(buffer instanceof SharedArrayBuffer)) {
    throw new TypeError("Cannot attach to the table: it is no SharedArrayBuffer, expected one");
  }
  const action = "attach to", target = TARGET;
  const expected = `a table of ${RECORD_BYTES} bytes that this version of the library made`;
  if (buffer.byteLength !== RECORD_BYTES) {
    throw new LayoutError({ action, target, found: `${buffer.byteLength} bytes`, expected });
  }
  const record = recordOn(buffer);
  if (magicOf(record) === RECORD_MAGIC) return record;
  throw new LayoutError({ action, target, found: "something else", expected });
}

function taken(found: string): TypeError {
  return new TypeError(`Cannot attach to the table: ${found}, expected one table for each worker`);
}
