/**
 * The counter in C: compiled where there is a compiler, started, and spoken to as any actor.
 *
 * Rule: what is made for it in the kernel is taken away by this side; by the other, where this one
 * is killed.
 */

import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  ActorError,
  type Exit,
  MessageQueue,
  type Ref,
  SharedMemory,
  type System,
  uniqueName,
} from "../../mod.ts";
import { MAX_WORD_BYTES, type Piece } from "./pieces.ts";
import { SharedWordCounter, type Words } from "./protocol.ts";

const EXAMPLES = fileURLToPath(new URL("..", import.meta.url));

/** The whole of a message: what count.c has room for. */
const MESSAGE_BYTES = 1024;

/** What stands before each word in the memory: its count and its length, 32 bits each. */
const HEAD_BYTES = 8;

/** Nobody sees a program die that is not of the system, and one may hang. */
const ANSWER_MS = 60_000;

/** A running program. */
export interface CCounter {
  readonly pid: number;
  /** How it ended, when it has. */
  readonly ended: Promise<Exit>;
  /** Counts a piece. It has one memory for its words, so one piece at a time. */
  count(piece: Piece, signal: AbortSignal): Promise<Words>;
  /** Ends it, and takes its names away. */
  close(): Promise<void>;
}

/**
 * Compiles the program and starts it.
 *
 * @param pieceBytes About how long a piece is: a run of letters at its end may go on.
 * @throws {Error} If it cannot be compiled or started.
 */
export async function startCCounter(
  system: System,
  paths: readonly string[],
  pieceBytes: number,
): Promise<CCounter> {
  const folder = mkdtempSync("/tmp/word-count-"); // where the task may write
  const names: (() => void)[] = [];
  try {
    const program = `${folder}/count`;
    await compile(program);

    const name = uniqueName("word-count");
    MessageQueue.create(name, { maxMessages: 4, maxMessageBytes: MESSAGE_BYTES }).close();
    names.push(() => MessageQueue.unlink(name));
    const memory = SharedMemory.create(name, { byteLength: mostBytes(pieceBytes) });
    names.push(() => SharedMemory.unlink(name), () => memory.close());
    const child = await start(program, [name, name, String(process.pid)], paths);
    return new Running(system.peer(SharedWordCounter, name), child, memory, names);
  } catch (error) {
    for (const takeAway of names) takeAway();
    throw error;
  } finally {
    rmSync(folder, { recursive: true }); // a program that runs needs its file no more
  }
}

/** Most room takes a piece whose words have one byte, and one between; the last may be long. */
function mostBytes(pieceBytes: number): number {
  const words = Math.ceil(pieceBytes / 2) + 1;
  return words * (HEAD_BYTES + 1) + MAX_WORD_BYTES;
}

async function compile(program: string): Promise<void> {
  const source = `${EXAMPLES}word_count/count.c`;
  const cc = spawn("cc", ["-O2", "-I", EXAMPLES, "-o", program, source, "-lrt"]);
  const [code] = await once(cc, "exit") as [number | null];
  if (code !== 0) throw new Error(`cc ended with ${code}`);
}

async function start(
  program: string,
  args: readonly string[],
  paths: readonly string[],
): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin!.on("error", () => {}); // it may have ended: that is seen below
  child.stdin!.end(paths.map((path) => `${path}\0`).join(""));
  const ready = once(child.stdout!, "data");
  const ended = once(child, "exit").then(([code, signal]) => {
    throw new Error(`the C program ended at once, with ${code ?? signal}`);
  });
  await Promise.race([ready, ended]);
  return child;
}

class Running implements CCounter {
  readonly ended: Promise<Exit>;
  readonly #ref: Ref<typeof SharedWordCounter>;
  readonly #process: ChildProcess;
  readonly #memory: SharedMemory;
  readonly #names: readonly (() => void)[];
  /** Aborted when the program has ended. */
  readonly #gone: AbortController = new AbortController();

  constructor(
    ref: Ref<typeof SharedWordCounter>,
    child: ChildProcess,
    memory: SharedMemory,
    names: readonly (() => void)[],
  ) {
    this.#ref = ref;
    this.#process = child;
    this.#memory = memory;
    this.#names = names;
    this.ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        const exit: Exit = signal === null
          ? { kind: "exit", code: code ?? 0 }
          : { kind: "signal", signal };
        this.#gone.abort(ActorError.died("the C program", exit));
        resolve(exit);
      });
    });
  }

  get pid(): number {
    return this.#process.pid!;
  }

  async count({ file, offset, byteLength }: Piece, signal: AbortSignal): Promise<Words> {
    const written = await this.#ref.count({ file, offset, byteLength }, {
      signal: AbortSignal.any([signal, this.#gone.signal]),
      timeoutMs: ANSWER_MS,
    });
    return wordsFrom(this.#memory.read({ byteLength: written.byteLength }));
  }

  async close(): Promise<void> {
    if (!this.#gone.signal.aborted) this.#process.kill("SIGKILL");
    await this.ended;
    for (const takeAway of this.#names) takeAway();
  }
}

/** The words that the program wrote. */
function wordsFrom(bytes: Uint8Array): Words {
  const words = new Map<string, number>();
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < buffer.length;) {
    const count = buffer.readUInt32LE(at), start = at + HEAD_BYTES;
    at = start + buffer.readUInt32LE(at + 4);
    words.set(buffer.toString("latin1", start, at), count);
  }
  return words;
}
