/**
 * The end of a system whose main endpoint is dead: its processes are ended, its names taken away.
 *
 * Rule: called with the lock of the system in hand. Nothing is done to a process unless the kernel
 * says that it is an endpoint still, by the lock that it holds, and it is the very process that was
 * written down, by number, time of start and namespace; then by a descriptor of it. Whoever is
 * killed in here leaves the rest to the next one.
 */

import type { PosixError } from "../../errors.ts";
import {
  isInOwnPidNamespace,
  isSameProcess,
  type ProcessIdentity,
  ProcessWatch,
  refuse,
  thisProcess,
  unless,
} from "../../life/inside.ts";
import { MessageQueue } from "../../mq/mod.ts";
import { SharedMemory } from "../../shm/mod.ts";
import { isDead } from "../../wait/mod.ts";
import { CHANGING, MAX_ENDPOINTS, NO_PHASE } from "./directory_layout.ts";
import type { DirectoryMemory } from "./directory_memory.ts";
import type { ObjectKind, SystemObject } from "./journal.ts";
import { lookSync } from "./look.ts";
import { prefixOf } from "./names.ts";

/** How long those who were ended may take until their locks are gone. */
const ENDED_MS = 5000;

/** What was taken away of a system. */
export interface RemovedSystem {
  /** The names that there were. */
  readonly objects: readonly SystemObject[];
  /** The processes that were ended. */
  readonly pids: readonly number[];
}

/** Ends what is left of a system, and takes its names away; the directory itself stays. */
export function endDeadSystem(directory: DirectoryMemory): RemovedSystem {
  if (directory.phase === NO_PHASE) return { objects: [], pids: [] };
  directory.phase = CHANGING;
  // SYNC: pairs with begin() in directory.ts, which takes a lock and then looks at the run: either
  // it sees this one and gives up, or the loop below sees its lock.
  directory.run = 0n;
  const pids = endProcesses(directory);
  for (const { id } of directory.endpoints.entries()) removeBell(directory.endpoints.bellOf(id));
  const objects = namesOf(directory).filter(unlinkRecorded);
  directory.journal.clear();
  directory.endpoints.clear();
  return { objects, pids };
}

/** What a system has recorded, but for the directory itself and what is none of its names. */
export function namesOf({ system, name, journal }: DirectoryMemory): SystemObject[] {
  return journal.names(prefixOf(system)).filter((recorded) => recorded.name !== name);
}

const UNLINK: Record<ObjectKind, (name: string) => void> = {
  queue: MessageQueue.unlink,
  memory: SharedMemory.unlink,
};

/** Takes a name away; false when it was not there. */
export function unlinkRecorded({ kind, name }: SystemObject): boolean {
  return unless("ENOENT", () => (UNLINK[kind](name), true)) ?? false;
}

/** Takes a doorbell away if its owner is dead; 0 is none. */
export function removeBell(bell: bigint): void {
  if (bell !== 0n) isDead(bell);
}

/** The endpoints that hold their locks still, and the process that each says it is in. */
export function survivorsOf(directory: DirectoryMemory): [number, ProcessIdentity | undefined][] {
  return Array.from({ length: MAX_ENDPOINTS }, (_, id) => id)
    .filter((id) => directory.isAlive(id))
    .map((id) => [id, directory.endpoints.processOf(id)]);
}

function endProcesses(directory: DirectoryMemory): number[] {
  const ended = new Set<number>();
  for (const [, identity] of survivorsOf(directory)) {
    if (identity === undefined) continue; // it is about to begin, or to give up
    if (isSameProcess(identity, thisProcess())) throw survived(directory);
    if (endProcess(identity)) ended.add(identity.pid);
  }
  const look = () => survivorsOf(directory).length === 0 || undefined;
  if (lookSync(look, ENDED_MS, directory.name) === undefined) throw survived(directory);
  return [...ended];
}

/** Ends a process; false when it has ended before. */
function endProcess(identity: ProcessIdentity): boolean {
  const watch = ProcessWatch.open(identity);
  try {
    if (!watch?.signal("SIGKILL")) return false;
    watch.exitedSync({ timeoutMs: ENDED_MS });
    return true;
  } finally {
    watch?.close();
  }
}

/** The system's name cannot be had: somebody of it lives on, who must not be ended or cannot be. */
function survived(directory: DirectoryMemory): PosixError {
  const who = survivorsOf(directory).map(([id, identity]) =>
    `endpoint ${id} (${identity === undefined ? "of no process yet" : processText(identity)})`
  );
  const hint = `its main endpoint is dead, and ${who.join(", ")} lives on; end it, then try again`;
  return refuse("EBUSY", "fcntl", "clean up system", directory.system, hint);
}

/** A process in words. */
export function processText(identity: ProcessIdentity): string {
  if (!isInOwnPidNamespace(identity)) return `process ${identity.pid} of another pid namespace`;
  return isSameProcess(identity, thisProcess()) ? "this process" : `process ${identity.pid}`;
}
