/**
 * A child process: takes pieces from the queue and counts them into its column of the table.
 *
 * Rule: never waits or works long without a look at its parent, and takes the queue's name away
 * when the parent is gone: whoever is left of us cleans up.
 */

import process from "node:process";
import { MappedFile, MessageQueue, PosixError, SharedMemory } from "../../mod.ts";
import { TABLE_DESCRIPTOR } from "./child.ts";
import { Counter, TableFullError } from "./counter.ts";
import { decodeOrder } from "./message.ts";
import { FAULT, LISTENING, STAGE, Table, TABLE_FULL, UP } from "./table.ts";

/** How long it waits for an order before it looks at its parent. */
const LOOK_MS = 100;
/** How long it waits for the queue to be there. */
const PAUSE_MS = 1;

const column = Number(process.argv[2]);
const memory = SharedMemory.fromInherited(TABLE_DESCRIPTOR, { seal: ["shrink", "grow", "seal"] });
const table = Table.attach(memory.buffer);
const control = table.control(column);

/** Who is our parent is the kernel's word for whether it lives: it gives orphans a new one. */
const orphaned = () => process.ppid !== table.size.parentPid;

/** The parent takes the name away once we have all opened it; if it died before, we do. */
function leaveOrphaned(): never {
  try {
    MessageQueue.unlink(table.queueName);
  } catch (error) {
    if (!(error instanceof PosixError) || error.code !== "ENOENT") throw error;
  }
  process.exit(1);
}

/** Opens the queue as soon as the parent has made it, which it does when all children are up. */
function openQueue(): MessageQueue {
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    if (orphaned()) leaveOrphaned();
    try {
      return MessageQueue.open(table.queueName, { access: "r" });
    } catch (error) {
      if (!(error instanceof PosixError) || error.code !== "ENOENT") throw error;
    }
    Atomics.wait(never, 0, 0, PAUSE_MS);
  }
}

const mapped: (Uint8Array | undefined)[] = [];

/** Maps a file when its first byte is needed. */
function bytesOf(file: number): Uint8Array {
  return mapped[file] ??= map(file);
}

function map(file: number): Uint8Array {
  const { path, byteLength } = table.file(file);
  const { bytes } = MappedFile.open(path);
  if (bytes.byteLength >= byteLength) return bytes.subarray(0, byteLength);
  throw new RangeError(
    `Cannot count "${path}": it has ${bytes.byteLength} bytes, expected the ${byteLength} that it ` +
      "had when the count began",
  );
}

function work(queue: MessageQueue): void {
  const counter = new Counter(table, column, bytesOf);
  let dropped = 0;
  for (;;) {
    if (orphaned()) leaveOrphaned();
    const message = queue.receiveSync({ timeoutMs: LOOK_MS });
    if (message === undefined) continue;
    const order = decodeOrder(message.data, table.size.pieces);
    if (order === undefined) {
      if (dropped++ === 0) console.error(`word_count: worker ${column} drops what is no message`);
      continue;
    }
    if (order.kind === "stop") return;
    counter.begin(order.piece);
    while (counter.step()) if (orphaned()) leaveOrphaned();
  }
}

Atomics.store(control, STAGE, UP);
const queue = openQueue();
Atomics.store(control, STAGE, LISTENING);
try {
  work(queue);
} catch (error) {
  if (!(error instanceof TableFullError)) throw error;
  // The same would happen to everybody else: told as a fault, not as one worker's end.
  Atomics.store(control, FAULT, TABLE_FULL);
  process.exitCode = 1;
}
