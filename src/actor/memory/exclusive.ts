/**
 * How the name of a system is had by one program at a time: the one that holds the lock of a
 * directory that has its name (directory_memory.ts says why that is one alone).
 *
 * Rule: what a dead one left is cleaned up before anything is written, and a run is in force last:
 * whoever is killed on the way leaves a directory that the next one takes as it is.
 */

import type { PosixError } from "../../errors.ts";
import {
  identityOf,
  isInOwnPidNamespace,
  isSameProcess,
  type ProcessIdentity,
  refuse,
  thisProcess,
} from "../../life/inside.ts";
import { endDeadSystem, processText, unlinkRecorded } from "./dead_system.ts";
import { RUNNING } from "./directory_layout.ts";
import { DirectoryMemory } from "./directory_memory.ts";
import { lookSync } from "./look.ts";
import { slabName } from "./names.ts";
import { ownerOf } from "./owner.ts";
import { SEGMENTS } from "./slab_layout.ts";

/** How long somebody may be at making a system or cleaning it up before that is told. */
const CHANGING_MS = 1000;

/**
 * Has the name of a system, and begins a run of it.
 *
 * @throws {PosixError} `EEXIST` if a system of that name lives.
 */
export function beginSystem(system: string): DirectoryMemory {
  const memory = lookSync(() => tryHave(system), CHANGING_MS, system);
  if (memory === undefined) throw taken(system, "somebody is making it, or cleaning it up");
  try {
    beginRun(memory);
    return memory;
  } catch (error) {
    memory.close();
    throw error;
  }
}

/** One try; undefined when it is to be tried again in a moment. */
function tryHave(system: string): DirectoryMemory | undefined {
  const memory = DirectoryMemory.openOrCreate(system);
  let ours: DirectoryMemory | undefined;
  try {
    if (memory.tryLock()) {
      if (memory.hasName()) ours = memory;
      return ours;
    }
    const main = livingMain(memory);
    if (main !== undefined) throw taken(system, `${processText(main)} has it`);
    return undefined;
  } finally {
    if (ours === undefined) memory.close();
  }
}

/** The process of the main endpoint that has the lock; undefined when somebody else holds it. */
function livingMain(memory: DirectoryMemory): ProcessIdentity | undefined {
  if (memory.phase !== RUNNING || !memory.isLocked()) return undefined;
  const main = memory.endpoints.processOf(0);
  if (main === undefined || !isInOwnPidNamespace(main)) return main;
  // A dead one's phase stands until whoever cleans up after it has changed that.
  const now = identityOf(main.pid);
  return now !== undefined && isSameProcess(now, main) ? main : undefined;
}

function beginRun(memory: DirectoryMemory): void {
  if (!memory.isMade()) memory.make();
  endDeadSystem(memory);
  // Whoever took the directory's name away by hand left these without a journal.
  for (let segment = 0; segment < SEGMENTS; segment++) {
    unlinkRecorded({ kind: "memory", name: slabName(memory.system, segment) });
  }
  memory.setUnlocked(false);
  memory.endpoints.allocateMain(ownerOf(0, memory.endpoints.incarnationOf(0)));
  memory.endpoints.setProcess(0, thisProcess());
  memory.run = crypto.getRandomValues(new BigUint64Array(1))[0]! | 1n; // never 0
  memory.phase = RUNNING;
}

function taken(system: string, who: string): PosixError {
  return refuse(
    "EEXIST",
    "fcntl",
    "create system",
    system,
    `${who}; a name is one system's at a time`,
  );
}
