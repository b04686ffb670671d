/** Systems of actors for tests: a name nobody else has, and ends that are waited for. */

import { readFileSync } from "node:fs";
import {
  ActorError,
  type AnyRef,
  type Down,
  type System,
  system,
  type SystemOptions,
} from "../../src/actor/mod.ts";
import { stateIn } from "../../src/actor/memory/owner.ts";
import {
  blockOffset,
  ENTRY_BYTES,
  FREE,
  TABLE_OFFSET,
} from "../../src/actor/memory/slab_layout.ts";
import { MessageQueue, PosixError } from "../../src/mq/mod.ts";
import { SharedMemory } from "../../src/shm/mod.ts";
import { privateQueue } from "./names.ts";
import { parkedCallIsBack } from "./parked.ts";
import { until, within } from "./until.ts";

// Parks once: what that loads stays, and is no test's leak.
const queue = privateQueue();
await queue.receive({ timeoutMs: 1 }).catch(() => {});
queue.close();
await parkedCallIsBack();

/** A name of a system that nobody else has. */
export function systemName(): string {
  return `test-${crypto.randomUUID().slice(0, 13)}`;
}

/** A system that writes nothing but errors. */
export function quietSystem(
  { name = systemName(), ...options }: { name?: string } & SystemOptions = {},
): Promise<System> {
  return system(name, { log: { level: "error" }, ...options });
}

/** What those who watch an actor were told, in the order in which they were. */
export class Downs {
  readonly all: Down[] = [];
  #heard: () => void = () => {};

  constructor(watched: Pick<System, "watch">, ref: AnyRef) {
    watched.watch(ref, (down) => {
      this.all.push(down);
      this.#heard();
    });
  }

  /** So many; waits until there are. */
  async first(count: number): Promise<Down[]> {
    while (this.all.length < count) {
      await within("a death", new Promise<void>((resolve) => this.#heard = resolve));
    }
    return this.all.slice(0, count);
  }

  /** What was told, in short: incarnation, kind of end, whether another follows. */
  get told(): [number, string, boolean][] {
    return this.all.map((
      { incarnation, exit, restarting },
    ) => [incarnation, exit.kind, restarting]);
  }
}

/** The error that an ask rejects with, which must be one of an actor. */
export async function refusalOf(asked: Promise<unknown>): Promise<ActorError> {
  const error = await within("an ask to reject", asked.then((value) => value, (error) => error));
  if (error instanceof ActorError) return error;
  throw new Error(`the ask gave ${String(error)}`, { cause: error });
}

/** Asks again as long as the incarnation that was asked dies. */
export async function ofTheLiving<T>(ask: () => Promise<T>): Promise<T> {
  let answer: { value: T } | undefined;
  await until("somebody lives and answers", async () => {
    answer = await ask().then((value) => ({ value }), (error) => {
      if (error instanceof ActorError && error.code === "EDIED") return undefined;
      throw error;
    });
    return answer !== undefined;
  });
  return answer!.value;
}

/**
 * What a system has in the kernel, by the part of its name that is its own.
 *
 * @param mailboxes Whose queues are looked for, beside inboxes and memory.
 */
export function objectsOf(system: string, ...mailboxes: string[]): string[] {
  const inboxes = Array.from({ length: 128 }, (_, id) => `${id}`);
  const prefix = `/${system}.`;
  const memory = SharedMemory.list().filter(({ name }) => name.startsWith(prefix))
    .map(({ name }) => name.slice(prefix.length));
  return [...[...inboxes, ...mailboxes].filter((name) => isQueue(prefix + name)), ...memory]
    .sort();
}

function isQueue(name: string): boolean {
  try {
    MessageQueue.open(name, { access: "r" }).close();
    return true;
  } catch (error) {
    if (error instanceof PosixError && error.code === "ENOENT") return false;
    throw error;
  }
}

/** The same without the slab, which stays as long as the system. */
export function placesOf(system: string, ...mailboxes: string[]): string[] {
  return objectsOf(system, ...mailboxes).filter((name) => !name.startsWith("slab-"));
}

/** How many blocks of a system's slab are not free. */
export function blocksInUse(system: string): number {
  let count = 0;
  for (const name of objectsOf(system).filter((name) => name.startsWith("slab-"))) {
    const segment = Number(name.slice("slab-".length));
    using memory = SharedMemory.open(`/${system}.${name}`);
    const end = Math.min(memory.byteLength, blockOffset(segment, 0));
    const words = new Int32Array(memory.buffer, 0, end / 4);
    for (let at = TABLE_OFFSET; at + ENTRY_BYTES <= end; at += ENTRY_BYTES) {
      if (stateIn(words[at / 4]!) !== FREE) count++;
    }
  }
  return count;
}

/** Whether a process runs; one that nobody waited for yet does not. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !"ZX".includes(stat[stat.lastIndexOf(")") + 2]!);
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code!)) return false;
    throw error;
  }
}
