/** What a run leaves behind: queues, shared memory, processes. */

import { MessageQueue, SharedMemory } from "../mod.ts";

/** Environment variable that marks every process of a run, and its children's. */
export const RUN_VARIABLE = "POSTBOX_TEST_RUN";

/** The kernel objects that there are now, as lines to print. */
export function kernelObjects(): Set<string> {
  const { queues, complete } = MessageQueue.list();
  if (!complete) {
    throw new Error(
      "Cannot look for queues that were left behind: /dev/mqueue is not mounted and this user may " +
        "not mount it, expected root or: mount -t mqueue none /dev/mqueue",
    );
  }
  const semaphores = [...Deno.readDirSync("/dev/shm")].filter(({ name }) =>
    name.startsWith("sem.")
  );
  return new Set([
    ...queues.map(({ name }) => `queue ${name}`),
    ...SharedMemory.list().map(({ name }) => `memory ${name}`),
    ...semaphores.map(({ name }) => `semaphore ${name}`),
  ]);
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
