/**
 * What systems there are, and what dead ones left: for `postbox gc`, and for whoever cleans up.
 *
 * Rule: a system whose lock somebody holds is never touched, nor is anything that is no directory
 * of ours: it is told.
 */

import { LayoutError, PosixError } from "../../errors.ts";
import { refuse, unless } from "../../life/inside.ts";
import { MessageQueue } from "../../mq/mod.ts";
import { SharedMemory } from "../../shm/mod.ts";
import {
  endDeadSystem,
  namesOf,
  processText,
  type RemovedSystem,
  survivorsOf,
} from "./dead_system.ts";
import { DirectoryMemory } from "./directory_memory.ts";
import type { SystemObject } from "./journal.ts";
import { checkSystemName, directoryName, systemOfDirectory } from "./names.ts";

/** A system, as its directory says. */
export interface SystemStatus {
  /** Its name. */
  readonly system: string;
  /**
   * Whether its main endpoint is alive; `foreign` for a directory of another user's, and `broken`
   * for an object that has such a name and is no directory.
   */
  readonly state: "live" | "dead" | "foreign" | "broken";
  /** The process of its main endpoint, in words; undefined where it says none. */
  readonly process: string | undefined;
  /** Its names in the kernel that there are now, the directory last. */
  readonly objects: readonly SystemObject[];
  /** The processes that are endpoints of it still. */
  readonly pids: readonly number[];
  /** Why it is foreign or broken. */
  readonly problem: string | undefined;
}

/**
 * All systems of this machine, by name. Takes nothing, so no system that is about to be made meets
 * a lock of ours.
 *
 * @example What was left by programs that were killed
 * ```ts
 * import { listSystems } from "@postbox/postbox/actor";
 *
 * const dead = listSystems().filter(({ state }) => state === "dead");
 * const names: string[] = dead.flatMap(({ objects }) => objects.map(({ name }) => name));
 * for (const name of names) if (!name.startsWith("/")) throw new Error(name);
 * ```
 *
 * @throws {PosixError} `EACCES` if /dev/shm may not be read.
 */
export function listSystems(): SystemStatus[] {
  return SharedMemory.list()
    .map(({ name }) => systemOfDirectory(name))
    .filter((system) => system !== undefined)
    .map((system) => unless("ENOENT", () => systemStatus(system)))
    .filter((status) => status !== undefined);
}

/**
 * One system.
 *
 * @example A system of this program
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { system, systemStatus } from "@postbox/postbox/actor";
 *
 * await using shop = await system(`doc-${crypto.randomUUID().slice(0, 8)}`);
 * const { state, process } = systemStatus(shop.name);
 * assertEquals([state, process], ["live", "this process"]);
 * ```
 *
 * @throws {PosixError} `ENOENT` if there is none of that name.
 */
export function systemStatus(system: string): SystemStatus {
  checkSystemName(system);
  let directory: DirectoryMemory | undefined;
  try {
    directory = open(system);
    const isMade = directory.isMade();
    const main = isMade ? directory.endpoints.processOf(0) : undefined;
    return {
      system,
      state: directory.isLocked() ? "live" : "dead",
      process: main && processText(main),
      objects: [...isMade ? namesOf(directory).filter(isThere) : [], directoryOf(system)],
      pids: isMade ? pidsOf(directory) : [],
      problem: undefined,
    };
  } catch (error) {
    const state = stateBy(error);
    if (state === undefined) throw error;
    const problem = (error as Error).message;
    return { system, state, process: undefined, objects: [], pids: [], problem };
  } finally {
    directory?.close();
  }
}

/**
 * Takes away what a dead system left: ends its processes, unlinks its names, the directory last.
 * The next system of that name does so by itself.
 *
 * @example A system that lives is never touched
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * import { PosixError, removeSystem, system } from "@postbox/postbox/actor";
 *
 * await using shop = await system(`doc-${crypto.randomUUID().slice(0, 8)}`);
 * const error = assertThrows(() => removeSystem(shop.name), PosixError);
 * assertEquals(error.code, "EBUSY");
 * ```
 *
 * @throws {PosixError} `ENOENT` if there is none of that name, `EBUSY` if it lives, or a part of it
 * that cannot be ended, `EACCES` if it is another user's.
 * @throws {LayoutError} If what has that name is no directory.
 */
export function removeSystem(system: string): RemovedSystem {
  checkSystemName(system);
  const directory = open(system);
  try {
    if (!directory.tryLock()) {
      throw refuse("EBUSY", "fcntl", "remove system", system, "it lives, and ends by itself");
    }
    // Somebody else has removed it; what has the name now is another one.
    if (!directory.hasName()) throw none(system);
    const { objects, pids } = directory.isMade()
      ? endDeadSystem(directory)
      : { objects: [], pids: [] };
    directory.unlink();
    return { objects: [...objects, directoryOf(system)], pids };
  } finally {
    directory.close();
  }
}

function open(system: string): DirectoryMemory {
  const directory = DirectoryMemory.open(system);
  if (directory === undefined) throw none(system);
  return directory;
}

function none(system: string): PosixError {
  return refuse("ENOENT", "shm_open", "find system", system, "it has ended, or never was");
}

function directoryOf(system: string): SystemObject {
  return { kind: "memory", name: directoryName(system) };
}

function isThere({ kind, name }: SystemObject): boolean {
  const handle = unless("ENOENT", () => {
    return kind === "queue"
      ? MessageQueue.open(name, { access: "r", owner: "any" })
      : SharedMemory.open(name, { access: "r", owner: "any" });
  });
  handle?.close();
  return handle !== undefined;
}

function pidsOf(directory: DirectoryMemory): number[] {
  return [...new Set(survivorsOf(directory).flatMap(([, process]) => process?.pid ?? []))];
}

function stateBy(error: unknown): "foreign" | "broken" | undefined {
  if (error instanceof LayoutError) return "broken";
  return error instanceof PosixError && error.code === "EACCES" ? "foreign" : undefined;
}
