/** Which shared memory there is: the files of /dev/shm, where shm_open(3) puts its objects. */

import { PosixError } from "../errors.ts";
import { type DirectoryEntry, readDirectory, statEntry } from "../sys/mod.ts";

/** One object of {@linkcode SharedMemory.list}. */
export interface MemoryEntry {
  /** With its slash. Bytes that are no UTF-8 are U+FFFD in it. */
  name: string;
  /** Its length. */
  byteLength: number;
  /** What it takes in memory or swap; less than its length where pages were never allocated. */
  allocatedBytes: number;
  /** User that owns it. */
  uid: number;
  /** Permission bits. */
  mode: number;
}

const DIRECTORY = "/dev/shm";

/** Named semaphores (sem_open(3)) lie in the same directory. */
const SEMAPHORE_PREFIX = "sem.";

/** Lists the objects, sorted by name. */
export function listMemory(): MemoryEntry[] {
  const entries: MemoryEntry[] = [];
  for (const entry of readDirectory(DIRECTORY)) {
    if (entry.name.startsWith(SEMAPHORE_PREFIX)) continue;
    const status = lookAt(entry);
    if (status === undefined || !status.isFile) continue;
    const { byteLength, allocatedBytes, uid, mode } = status;
    entries.push({ name: `/${entry.name}`, byteLength, allocatedBytes, uid, mode });
  }
  return entries.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** The status, or undefined when it was unlinked after the directory was read. */
function lookAt(entry: DirectoryEntry) {
  try {
    return statEntry(DIRECTORY, entry);
  } catch (error) {
    if (error instanceof PosixError && error.code === "ENOENT") return undefined;
    throw error;
  }
}
