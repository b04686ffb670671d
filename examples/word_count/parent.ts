/**
 * The parent: shares the pieces out among child processes, and puts things in order when one dies.
 *
 * ```text
 *                      one queue, 8 bytes a message
 *            pieces   +---------------------------+   pieces
 *   parent ---------> | big files first, stops last| ---------> worker 1, worker 2, …
 *     |               +---------------------------+                 |
 *     |  a word's total is the sum of its row                       |  counts into its own column
 *     v                                                             v
 *   +---------------------------------------------------------------------+
 *   | anonymous shared memory: states of pieces | keys | counts | journals |   table.ts
 *   +---------------------------------------------------------------------+
 * ```
 *
 * Rules that make the count exact, whoever is killed and when:
 * - A piece is counted by whoever turns its state from FREE to CLAIMED; a second message for it is
 *   dropped. So the parent may send a piece as often as it likes.
 * - When a worker is dead, and not before, `settle` turns each of its claims into DONE (its
 *   journal was committed) or back into FREE (it was not).
 * - Then every piece that was sent and is FREE is sent again: also one that died with the worker
 *   between mq_receive and its claim. With no worker left, the parent counts what is not DONE.
 *
 * And that leave nothing behind: the memory has no name. The queue needs one for as long as the
 * children take to open it: it is made when all of them are up and waiting for it, a millisecond or
 * two before its name is taken away again. A parent that is killed in between leaves that to them.
 */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { type MappedFile, MessageQueue, PosixError, SharedMemory, uniqueName } from "../../mod.ts";
import { TABLE_DESCRIPTOR, workerCommand } from "./child.ts";
import { Counter, settle, TableFullError, totals } from "./counter.ts";
import { encodeOrder, MESSAGE_BYTES, STOP_PRIORITY } from "./message.ts";
import { cut, mostWords, type Piece } from "./pieces.ts";
import {
  doneBy,
  FAULT,
  FREE,
  isDone,
  LISTENING,
  MAX_INPUT_BYTES,
  STAGE,
  Table,
  TABLE_FULL,
  UP,
} from "./table.ts";

/** How a count is made. */
export interface CountOptions {
  /** Child processes. */
  workers: number;
  /** About how long a piece is, in bytes. */
  pieceBytes: number;
  /**
   * Room for different words, a power of two.
   * @default {more than the input can have, at most 2 ** 20}
   */
  slots?: number | undefined;
  /** Ends the count: it rejects with the signal's reason when everything is cleaned up. */
  signal?: AbortSignal | undefined;
  /** Told what happens, in the parent's own turn: the count goes on when it returns. */
  onEvent?: ((event: CountEvent) => void) | undefined;
  /**
   * How a worker is started.
   * @default {worker.ts in this runtime}
   */
  workerCommand?: typeof workerCommand;
}

/** What happens during a count. */
export type CountEvent =
  | { kind: "started"; worker: number; pid: number }
  | { kind: "progress"; done: number; pieces: number }
  | ({ kind: "lost"; left: number } & WorkerReport);

/** What became of a worker. */
export interface WorkerReport {
  worker: number;
  /** Undefined if it could not even be started. */
  pid: number | undefined;
  /** How many pieces are counted in its column. */
  pieces: number;
  /** How it ended: a signal, an exit code, or an error at its start. */
  end: WorkerEnd;
}

/** How a worker ended. */
export type WorkerEnd =
  | { signal: string }
  | { code: number }
  | { error: string };

/** A finished count. */
export interface CountResult {
  /** The words, as strings with one character a byte. */
  words: Map<string, number>;
  pieces: number;
  /** Messages that carried a piece, those sent again included. */
  messages: number;
  /** From the first message to the last piece, without the start of the processes. */
  seconds: number;
  workers: WorkerReport[];
  /** How many pieces the parent counted itself. */
  parentPieces: number;
}

/** Most pieces: each takes 28 bytes of the table. */
export const MAX_PIECES = 1 << 20;
/** Most slots that a table gets without being asked. */
const DEFAULT_MAX_SLOTS = 1 << 20;
const MIN_SLOTS = 1 << 10;
/** How many pieces wait in the queue, if msg_max allows: an unprivileged queue has 10 at most. */
const QUEUE_DEPTH = 10;
/** How long the event loop waits for us: so soon the end of a child is noticed. */
const SLICE_MS = 5;
const PARENT = 0;

/** Counts the words of files, which are mapped already and in the order of their priority. */
export async function countWords(
  files: readonly MappedFile[],
  options: CountOptions,
): Promise<CountResult> {
  const pieces = cutAll(files, options.pieceBytes);
  const count = new Count(files, pieces, options);
  try {
    return await count.run();
  } finally {
    await count.cleanUp();
  }
}

function cutAll(files: readonly MappedFile[], pieceBytes: number): Piece[] {
  // Before anything is read: looking at the cuts of a huge file alone takes its time.
  const most = files.reduce((sum, file) => sum + Math.ceil(file.byteLength / pieceBytes), 0);
  if (most > MAX_PIECES) {
    const totalBytes = sumOfBytes(files);
    throw new RangeError(
      `Cannot count ${totalBytes} bytes in ${most} pieces of ${pieceBytes}: expected at most ` +
        `${MAX_PIECES} pieces; make them larger: --piece ${pieceSizeFor(totalBytes)}`,
    );
  }
  return files.flatMap(({ bytes }, file) => [...cut(file, bytes, pieceBytes)]);
}

function sumOfBytes(files: readonly MappedFile[]): number {
  return files.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** A power of two that gives half of the pieces that there may be. */
function pieceSizeFor(totalBytes: number): number {
  return 2 ** Math.ceil(Math.log2(2 * totalBytes / MAX_PIECES));
}

/** Enough slots that a table cannot get full, for input of up to 1 MiB; then what is usual. */
function slotsFor(totalBytes: number): number {
  const slots = 2 ** Math.ceil(Math.log2(totalBytes + 1));
  return Math.min(Math.max(slots, MIN_SLOTS), DEFAULT_MAX_SLOTS);
}

/** A child process, as the parent sees it. */
interface Worker {
  column: number;
  process: ChildProcess;
  /** How it ended, once it has. */
  end?: WorkerEnd;
  /** Whether what it left is in order. */
  settled: boolean;
}

/** One count, from the first process to the last. */
class Count {
  readonly #files: readonly MappedFile[];
  readonly #pieces: readonly Piece[];
  readonly #options: CountOptions;
  readonly #memory: SharedMemory;
  readonly #table: Table;
  readonly #workers: Worker[] = [];
  readonly #bytesOf: (file: number) => Uint8Array;

  #queue: MessageQueue | undefined;
  #queueHasName = false;
  /** Every piece before this one was sent. */
  #sent = 0;
  /** Pieces to send again. */
  #again: number[] = [];
  /** Every piece before this one is DONE. */
  #doneUpTo = 0;
  #messages = 0;
  /** Counts for the parent, when nobody else is left. */
  #counter: Counter | undefined;

  constructor(files: readonly MappedFile[], pieces: readonly Piece[], options: CountOptions) {
    const totalBytes = sumOfBytes(files);
    if (totalBytes >= MAX_INPUT_BYTES) {
      throw new RangeError(
        `Cannot count ${totalBytes} bytes: expected less than ${MAX_INPUT_BYTES}, what a key can ` +
          "reach; give fewer files",
      );
    }
    const views = files.map(({ bytes }) => bytes);
    this.#bytesOf = (file) => views[file]!;
    this.#files = files;
    this.#pieces = pieces;
    this.#options = options;

    const encoder = new TextEncoder();
    const slots = options.slots ?? slotsFor(totalBytes);
    const size = {
      files: files.length,
      pathBytes: files.reduce((sum, { path }) => sum + encoder.encode(path).byteLength, 0),
      pieces: pieces.length,
      slots,
      columns: 1 + options.workers,
      journalEntries: Math.min(slots, mostWords(Math.min(options.pieceBytes, totalBytes))),
      parentPid: process.pid,
    };
    this.#memory = SharedMemory.anonymous({
      byteLength: Table.bytesFor(size),
      seal: ["shrink", "grow", "seal"],
      label: "word-count",
    });
    this.#table = Table.format(this.#memory.buffer, size, uniqueName("word-count"));
    this.#table.setFiles(files);
    pieces.forEach((piece, index) => this.#table.setPiece(index, piece));
  }

  async run(): Promise<CountResult> {
    let seconds = 0;
    if (this.#pieces.length > 0) {
      this.#startWorkers();
      await this.#openQueue();
      const start = performance.now();
      await this.#share();
      seconds = (performance.now() - start) / 1000;
      await this.#dismiss();
    }
    return {
      words: totals(this.#table, this.#bytesOf),
      pieces: this.#pieces.length,
      messages: this.#messages,
      seconds,
      workers: this.#workers.map((worker) => this.#report(worker)),
      parentPieces: this.#piecesOf(PARENT),
    };
  }

  /** Ends what still runs and closes what is open. Safe at any time, and more than once. */
  async cleanUp(): Promise<void> {
    this.#takeNameAway();
    for (const worker of this.#living()) worker.process.kill("SIGKILL");
    while (this.#living().length > 0) await delay(1);
    this.#queue?.close();
    this.#memory.close();
  }

  #startWorkers(): void {
    const stdio = this.#memory.inheritAs(TABLE_DESCRIPTOR, ["ignore", "ignore", "inherit"]);
    const commandFor = this.#options.workerCommand ?? workerCommand;
    for (let column = 1; column <= this.#options.workers; column++) {
      const { command, args } = commandFor(column);
      const child = spawn(command, args, { stdio });
      const worker: Worker = { column, process: child, settled: false };
      this.#workers.push(worker);
      child.on("error", (error) => {
        // Without a pid it never was a process; with one, its end is still to come.
        if (child.pid === undefined) worker.end ??= { error: error.message };
      });
      child.on("exit", (code, signal) => {
        worker.end ??= signal === null ? { code: code ?? 0 } : { signal };
      });
      if (child.pid !== undefined) {
        this.#options.onEvent?.({ kind: "started", worker: column, pid: child.pid });
      }
    }
  }

  /** Makes the queue when the children are up, and takes its name away when they have it open. */
  async #openQueue(): Promise<void> {
    await this.#stage(UP);
    if (this.#living().length === 0) return;
    const maxMessages = Math.min(QUEUE_DEPTH, MessageQueue.limits().maxMessages);
    const queueOptions = { maxMessages, maxMessageBytes: MESSAGE_BYTES, access: "w" } as const;
    this.#queue = MessageQueue.create(this.#table.queueName, queueOptions);
    this.#queueHasName = true;
    await this.#stage(LISTENING);
    this.#takeNameAway();
  }

  #takeNameAway(): void {
    if (!this.#queueHasName) return;
    this.#queueHasName = false;
    try {
      MessageQueue.unlink(this.#table.queueName);
    } catch (error) {
      if (!(error instanceof PosixError) || error.code !== "ENOENT") throw error;
    }
  }

  /** Waits until every child that lives has got so far. */
  async #stage(stage: number): Promise<void> {
    const behind = ({ column }: Worker) => Atomics.load(this.#table.control(column), STAGE) < stage;
    while (this.#living().some(behind)) await this.#turn();
  }

  /** Until every piece is DONE. */
  async #share(): Promise<void> {
    while (!this.#allDone()) {
      if (this.#living().length === 0) this.#countSome();
      else this.#sendSome();
      await this.#turn();
    }
  }

  /** Sends for a slice of time. */
  #sendSome(): void {
    const deadline = performance.now() + SLICE_MS;
    for (let remainingMs = SLICE_MS; remainingMs > 0; remainingMs = deadline - performance.now()) {
      while (this.#again.length > 0 && !this.#isFree(this.#again.at(-1)!)) this.#again.pop();
      const repeated = this.#again.at(-1);
      const piece = repeated ?? this.#sent;
      if (piece === this.#pieces.length) return;
      if (!this.#send(piece, remainingMs)) return;
      this.#messages++;
      if (repeated === undefined) this.#sent++;
      else this.#again.pop();
    }
  }

  #send(piece: number, timeoutMs: number): boolean {
    // Files come in the order of their size, so the first has the highest rank: MAX_FILES is below
    // the 32 767 that there are.
    const priority = this.#files.length - this.#pieces[piece]!.file;
    return this.#tryFor(timeoutMs, encodeOrder({ kind: "piece", piece }), priority);
  }

  #tryFor(timeoutMs: number, message: Uint8Array, priority: number): boolean {
    try {
      return this.#queue!.sendSync(message, { priority, timeoutMs });
    } catch (error) {
      // A signal that we listen for: the next turn runs its listener.
      if (error instanceof PosixError && error.code === "EINTR") return false;
      throw error;
    }
  }

  /** Counts for a slice of time: everybody else is dead, and what is not DONE is FREE or ours. */
  #countSome(): void {
    const counter = this.#counter ??= new Counter(this.#table, PARENT, this.#bytesOf);
    const deadline = performance.now() + SLICE_MS;
    do {
      if (counter.step()) continue;
      if (this.#allDone()) return;
      counter.begin(this.#doneUpTo);
    } while (performance.now() < deadline);
  }

  /** Tells the children that there is no more, and waits for their end. */
  async #dismiss(): Promise<void> {
    let stops = 0;
    const stop = encodeOrder({ kind: "stop" });
    while (this.#living().length > 0) {
      if (stops < this.#workers.length && this.#tryFor(0, stop, STOP_PRIORITY)) stops++;
      else await this.#turn();
    }
    await this.#turn();
  }

  /** Lets the event loop run, then looks at what it has brought. */
  async #turn(): Promise<void> {
    // A timer, not setImmediate: only an event loop that has nothing to do asks for dead children.
    await delay(1);
    this.#options.signal?.throwIfAborted();
    for (const worker of this.#workers) {
      if (worker.end !== undefined && !worker.settled) this.#settle(worker);
    }
    const before = this.#doneUpTo;
    this.#allDone();
    if (this.#doneUpTo > before) {
      const { onEvent } = this.#options;
      onEvent?.({ kind: "progress", done: this.#doneUpTo, pieces: this.#pieces.length });
    }
  }

  #settle(worker: Worker): void {
    worker.settled = true;
    if (Atomics.load(this.#table.control(worker.column), FAULT) === TABLE_FULL) {
      throw new TableFullError(this.#table.size.slots);
    }
    settle(this.#table, worker.column);
    // Some of these still wait in the queue: whoever gets one of them twice drops it.
    this.#again = [];
    for (let piece = this.#sent - 1; piece >= this.#doneUpTo; piece--) {
      if (this.#isFree(piece)) this.#again.push(piece);
    }
    if ("code" in worker.end! && worker.end.code === 0 && this.#allDone()) return;
    const left = this.#living().length;
    this.#options.onEvent?.({ kind: "lost", left, ...this.#report(worker) });
  }

  #allDone(): boolean {
    const { states } = this.#table;
    // SYNC: pairs with the store of DONE in Counter and settle(): with it the counts are there.
    while (
      this.#doneUpTo < states.length && isDone(Atomics.load(states, this.#doneUpTo))
    ) this.#doneUpTo++;
    return this.#doneUpTo === states.length;
  }

  #isFree(piece: number): boolean {
    return Atomics.load(this.#table.states, piece) === FREE;
  }

  #living(): Worker[] {
    return this.#workers.filter(({ end }) => end === undefined);
  }

  #report({ column, process: { pid }, end = { code: 0 } }: Worker): WorkerReport {
    return { worker: column, pid, pieces: this.#piecesOf(column), end };
  }

  #piecesOf(column: number): number {
    const { states } = this.#table;
    let pieces = 0;
    for (let piece = 0; piece < states.length; piece++) {
      if (Atomics.load(states, piece) === doneBy(column)) pieces++;
    }
    return pieces;
  }
}
