/** What a run leaves behind: queues, shared memory, processes; and the end of the latter. */

import { MessageQueue, SharedMemory } from "../mod.ts";

/**
 * Environment variable that marks every process of a run, and its children's. The mark of a part of
 * a run begins with that of the run and a slash.
 */
export const RUN_VARIABLE = "POSTBOX_TEST_RUN";

/** The kernel objects that there are now. */
export interface KernelObjects {
  /** One line to print per object. */
  lines: Set<string>;
  /** What could not be seen, and how to see it; undefined when everything was. */
  blindSpot: string | undefined;
}

/** Looks at the queues, the shared memory and the named semaphores. */
export function kernelObjects(): KernelObjects {
  const { queues, complete } = MessageQueue.list();
  const semaphores = [...Deno.readDirSync("/dev/shm")].filter(({ name }) =>
    name.startsWith("sem.")
  );
  const lines = new Set([
    ...queues.map(({ name }) => `queue ${name}`),
    ...SharedMemory.list().map(({ name }) => `memory ${name}`),
    ...semaphores.map(({ name }) => `semaphore ${name}`),
  ]);
  const blindSpot = complete
    ? undefined
    : "queues that no process has open: /dev/mqueue is not mounted, and only root may look without " +
      "it (mount -t mqueue none /dev/mqueue)";
  return { lines, blindSpot };
}

/** A process that carries the mark of a run. */
interface Marked {
  pid: number;
  /** What to print of it. */
  line: string;
}

/** The processes that carry a mark, but for this one, as lines to print. */
export function processesOf(mark: string): string[] {
  return marked(mark).map(({ line }) => line);
}

/** Kills the processes that carry a mark, but for this one; gives lines to print. */
export function killProcessesOf(mark: string): string[] {
  const killed = new Map<number, string>();
  // They may start others meanwhile, so more than once; not for ever: some are not ours to kill.
  for (let round = 0; round < 20; round++) {
    const found = marked(mark).filter(({ pid }) => kill(pid));
    if (found.length === 0) break;
    for (const { pid, line } of found) killed.set(pid, line);
  }
  return [...killed.values()];
}

/** Kills one; false where that is not possible. */
function kill(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGKILL");
    return true;
  } catch (error) {
    if (isGoneOrForeign(error)) return false;
    throw error;
  }
}

function marked(mark: string): Marked[] {
  const found: Marked[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const pid = Number(name);
    if (pid === Deno.pid) continue;
    try {
      const environment = Deno.readTextFileSync(`/proc/${pid}/environ`).split("\0");
      const own = environment.find((entry) => entry.startsWith(`${RUN_VARIABLE}=`));
      if (own === undefined || !`${own}/`.startsWith(`${RUN_VARIABLE}=${mark}/`)) continue;
      const command = Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
      found.push({ pid, line: `process ${pid} ${command.slice(0, 200)}` });
    } catch (error) {
      if (!isGoneOrForeign(error)) throw error;
    }
  }
  return found;
}

/** Whether a process ended while we looked, or belongs to somebody else. */
function isGoneOrForeign(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
    (error instanceof Error && error.message.includes("No such process"));
}
