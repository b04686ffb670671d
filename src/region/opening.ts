/**
 * How a region comes to be, once, whoever makes it and whoever is killed over it.
 *
 * ```text
 * maker                               opener
 * ────────────────────────────────    ──────────────────────────────────────────────────────────
 * make the object, or find it         open the object
 * lock its open description           ready: done
 * look again: ready or not            not ready, locked: somebody is at it; look again
 * zeros where somebody had begun      not ready, not locked, and so for a while: its maker is dead
 * format, ready last
 * unlock
 * ```
 *
 * - Whoever formats holds the lock, and looked again after it had it: exactly one does.
 * - The kernel releases the lock of a maker that is killed, at any instruction, and what it left is
 *   not ready: `openOrCreate` takes the lock and begins anew.
 * - A maker has the object a moment before it has the lock. So an opener does not believe at once
 *   that it is dead, and takes no lock itself to find out: that could be what the maker misses.
 *   Who takes over instead of such a maker makes it find the region ready, or locked: for `create`
 *   that is one that exists already.
 */

import { LayoutError } from "../errors.ts";
import { descriptorOf } from "../shm/inside.ts";
import { type Owner, SharedMemory } from "../shm/mod.ts";
import { isLocked, refuse, tryLock, unless, unlock } from "../sys/mod.ts";
import { clock } from "./field_memory.ts";
import { checkBlank, stateOf } from "./header.ts";

/** What a maker makes. */
export interface Making {
  byteLength: number;
  /** Permission bits. */
  mode: number;
  /** Makes zeroed memory a region. */
  format(buffer: SharedArrayBuffer): void;
}

/** How somebody opens what others may be making. */
export interface Opening {
  access: "r" | "rw";
  owner: Owner;
  timeoutMs: number;
}

/** Between two looks at a region that is not ready. */
const LOOK_EVERY_MS = 5;

/** How long a maker may take from the object to its lock before it is taken for dead. */
const DEAD_AFTER_MS = 250;

/** Makes a region that does not exist yet. */
export function createRegion(name: string, making: Making): SharedMemory {
  const { byteLength, mode } = making;
  const memory = SharedMemory.create(name, { byteLength, mode });
  let made = false;
  try {
    made = tryMake(memory, making);
  } catch (error) {
    SharedMemory.unlink(name);
    throw error;
  } finally {
    if (!made) memory.close();
  }
  if (made) return memory;
  const hint = "somebody else has made it just now; open it, or use openOrCreate";
  throw refuse("EEXIST", "shm_open", "create region", name, hint);
}

/** Opens a region; waits for one that is being made. */
export function openRegion(name: string, opening: Opening): SharedMemory {
  const { access, owner } = opening;
  let freeSinceMs: number | undefined;
  const attempt = () => {
    const memory = SharedMemory.open(name, { access, owner });
    return keeping(memory, () => {
      if (isReady(memory)) return true;
      if (isLocked(descriptorOf(memory), name)) freeSinceMs = undefined;
      else freeSinceMs ??= performance.now();
      if (freeSinceMs === undefined || performance.now() < freeSinceMs + DEAD_AFTER_MS) {
        return false;
      }
      throw abandoned(name);
    });
  };
  return waitFor(attempt, name, opening);
}

/** Opens a region or makes it, also one that a dead maker left. */
export function openOrCreateRegion(name: string, making: Making, opening: Opening): SharedMemory {
  const { byteLength, mode } = making;
  const attempt = () => {
    const made = unless("EEXIST", () => SharedMemory.create(name, { byteLength, mode }));
    if (made !== undefined) return keeping(made, () => tryMake(made, making));
    const { owner } = opening;
    const found = unless("ENOENT", () => {
      return SharedMemory.open(name, { owner, maxByteLength: byteLength });
    });
    if (found === undefined) return undefined; // unlinked in between
    return keeping(found, () => isReady(found) || tryMake(found, making));
  };
  return waitFor(attempt, name, opening);
}

/** Whether memory is a region; refuses what is none, and none that could become one. */
function isReady(memory: SharedMemory): boolean {
  const { bytes, access, name } = memory;
  const state = stateOf(bytes, access, name);
  if (state === "blank") checkBlank(bytes, access, name);
  return state === "ready";
}

/** Makes an object a region; false when somebody else is at it, or has done it. */
function tryMake(memory: SharedMemory, { byteLength, format }: Making): boolean {
  const fd = descriptorOf(memory), { name } = memory;
  if (!tryLock(fd, name)) return false;
  try {
    // As long as it is now: it may have had no length yet when it was opened.
    memory.grow(Math.min(memory.status().byteLength, memory.maxByteLength));
    const state = stateOf(memory.bytes, "rw", name);
    if (state === "ready") return false;
    memory.grow(byteLength);
    if (state === "begun") memory.bytes.fill(0);
    format(memory.buffer);
    return true;
  } finally {
    unlock(fd, name);
  }
}

/** The memory if it is what is wanted; otherwise closes it. */
function keeping(memory: SharedMemory, isWanted: () => boolean): SharedMemory | undefined {
  let keep = false;
  try {
    keep = isWanted();
  } finally {
    if (!keep) memory.close();
  }
  return keep ? memory : undefined;
}

function waitFor(
  attempt: () => SharedMemory | undefined,
  name: string,
  { timeoutMs }: Opening,
): SharedMemory {
  const memory = clock(name, LOOK_EVERY_MS).waitSync(attempt, timeoutMs);
  if (memory !== undefined) return memory;
  const hint = `whoever makes it is alive and was not done within ${timeoutMs} ms`;
  throw refuse("ETIMEDOUT", "fcntl", "open region", name, hint);
}

function abandoned(target: string): LayoutError {
  return new LayoutError({
    action: "open region",
    target,
    found: "one whose maker died before it was ready",
    expected: "a region (openOrCreate makes it anew)",
  });
}
