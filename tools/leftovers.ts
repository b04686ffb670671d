/** What a run leaves behind: queues, shared memory, processes. */

import { MessageQueue, SharedMemory } from "../mod.ts";

/** Environment variable that marks every process of a run, and its children's. */
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

/** The processes that carry the mark of a run, as lines to print. */
export function processesOf(runId: string): string[] {
  const found: string[] = [];
  for (const { name: pid } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const environment = Deno.readTextFileSync(`/proc/${pid}/environ`);
      if (!environment.includes(`${RUN_VARIABLE}=${runId}`)) continue;
      const command = Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
      found.push(`process ${pid} ${command.slice(0, 200)}`);
    } catch (error) {
      // It ended while we looked, or belongs to somebody else.
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
        continue;
      }
      if (error instanceof Error && error.message.includes("No such process")) continue;
      throw error;
    }
  }
  return found;
}
