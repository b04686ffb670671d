/**
 * The object that a directory lies in, and the locks that go with it: how it is opened, judged and
 * given up, by whoever makes a system, joins one, or cleans up.
 *
 * Rule: whoever holds the system's lock and then sees that the object has its name has the only
 * directory of that name: a name is taken away by the holder of the lock alone. So nobody works on
 * an object that others cannot find, and two that start at the same moment cannot both have it.
 *
 * ```text
 * A   open (made now, or found)   lock it ✓   it has its name ✓        … the system's …
 * B   open (the same)             lock it ✗   somebody has it
 * C   open (an old one)           lock it ✓   its name is gone ✗       close, and once more
 * ```
 */

import { LayoutError } from "../../errors.ts";
import { ByteLocks, unless } from "../../life/inside.ts";
import { descriptorOf } from "../../shm/inside.ts";
import { SharedMemory } from "../../shm/mod.ts";
import {
  DIRECTORY_BYTES,
  MAGIC,
  MAGIC_LONG,
  NO_PHASE,
  PHASE_WORD,
  RUN_LONG,
  SYSTEM_BYTE,
  UNLOCKED_WORD,
  VERSION,
  VERSION_WORD,
} from "./directory_layout.ts";
import { EndpointTable } from "./endpoint_table.ts";
import { Journal } from "./journal.ts";
import { directoryName } from "./names.ts";
import { endpointIn, type Owner, ownerOf } from "./owner.ts";

/** An open directory: its memory, its tables, its locks. */
export class DirectoryMemory {
  readonly system: string;
  readonly name: string;
  readonly locks: ByteLocks;
  readonly #memory: SharedMemory;
  #parts: Parts | undefined;

  private constructor(system: string, memory: SharedMemory) {
    this.system = system;
    this.name = directoryName(system);
    this.#memory = memory;
    this.locks = new ByteLocks(descriptorOf(memory), this.name);
  }

  /**
   * Opens the directory of a system.
   *
   * @returns `undefined` when there is none.
   * @throws {PosixError} `EACCES` if it is another user's, `ENODEV` if it is no memory.
   */
  static open(system: string): DirectoryMemory | undefined {
    const name = directoryName(system);
    const options = { maxByteLength: DIRECTORY_BYTES };
    const memory = unless("ENOENT", () => SharedMemory.open(name, options));
    return memory && DirectoryMemory.#of(system, memory);
  }

  /** Opens the directory of a system, or makes one without a byte in it. */
  static openOrCreate(system: string): DirectoryMemory {
    const name = directoryName(system);
    for (;;) {
      const found = DirectoryMemory.open(system);
      if (found !== undefined) return found;
      // Nothing is allocated yet: a maker that is refused more takes its object away, and somebody
      // else may have it by then. It gets its bytes under the lock.
      const options = { byteLength: 0, maxByteLength: DIRECTORY_BYTES };
      const made = unless("EEXIST", () => SharedMemory.create(name, options));
      if (made !== undefined) return DirectoryMemory.#of(system, made);
    }
  }

  static #of(system: string, memory: SharedMemory): DirectoryMemory {
    try {
      return new DirectoryMemory(system, memory);
    } catch (error) {
      memory.close();
      throw error;
    }
  }

  /** Takes the lock of the system; false when somebody else has it. */
  tryLock(): boolean {
    return this.locks.tryHold(SYSTEM_BYTE);
  }

  /** Whether somebody has the lock of the system. */
  isLocked(): boolean {
    return this.locks.isHeld(SYSTEM_BYTE);
  }

  /** Whether the name still leads to this object. With the lock in hand it stays so. */
  hasName(): boolean {
    return this.#memory.status().linked;
  }

  /** What it is for now; 0 when nobody has made it yet. */
  get phase(): number {
    return this.#mapped() ? Atomics.load(this.#views.words, PHASE_WORD) : NO_PHASE;
  }

  set phase(phase: number) {
    // SYNC: what was written before it is seen by who loads it.
    Atomics.store(this.#views.words, PHASE_WORD, phase);
  }

  /** The number that this run of the system was drawn. */
  get run(): bigint {
    return Atomics.load(this.#views.longs, RUN_LONG);
  }

  set run(run: bigint) {
    Atomics.store(this.#views.longs, RUN_LONG, run);
  }

  /** Whether somebody was refused to keep its slots in memory. */
  get isUnlocked(): boolean {
    return Atomics.load(this.#views.words, UNLOCKED_WORD) !== 0;
  }

  /** Says that somebody was, or that nobody has been yet. @returns What it said before. */
  setUnlocked(isUnlocked: boolean): boolean {
    return Atomics.exchange(this.#views.words, UNLOCKED_WORD, isUnlocked ? 1 : 0) !== 0;
  }

  /** The table of endpoints. */
  get endpoints(): EndpointTable {
    return this.#views.endpoints;
  }

  /** The names of what the system made. */
  get journal(): Journal {
    return this.#views.journal;
  }

  /** Whether an endpoint runs: it holds its lock. */
  isAlive(id: number): boolean {
    return this.locks.isHeld(id);
  }

  /** Whether an incarnation of an endpoint runs. */
  isRunning(owner: Owner): boolean {
    const id = endpointIn(owner);
    // The incarnation before the lock: whoever begins takes the lock and then counts, so one that is
    // counted has held the lock ever since, and where it is free that one is over.
    const incarnation = this.endpoints.incarnationOf(id);
    return ownerOf(id, incarnation) === owner && this.isAlive(id);
  }

  /**
   * Whether this is a directory, of this version of the library. Another one's is not touched.
   *
   * @returns False for one that is not made yet: it has no bytes, or nothing but zeros.
   * @throws {LayoutError} If it is something else.
   */
  isMade(): boolean {
    if (!this.#mapped()) {
      const { byteLength } = this.#memory.status();
      if (byteLength === 0) return false;
      throw this.#refusal(`${byteLength} bytes`);
    }
    const magic = Atomics.load(this.#views.longs, MAGIC_LONG);
    if (magic === 0n && this.#views.words.every((word) => word === 0)) return false;
    if (magic !== MAGIC) throw this.#refusal("something else");
    const version = Atomics.load(this.#views.words, VERSION_WORD);
    if (version === 0) return false; // its maker is at it, or was killed there
    if (version !== VERSION) throw this.#refusal(`a directory of version ${version}`);
    return true;
  }

  /**
   * Makes it a directory, with the lock in hand. Whoever is killed here leaves one to be made anew.
   *
   * @throws {PosixError} `ENOSPC` if there is no room in /dev/shm; it is taken away again then.
   */
  make(): void {
    try {
      this.#memory.grow(DIRECTORY_BYTES);
    } catch (error) {
      this.unlink();
      throw error;
    }
    // Before all else, so that what is neither zeros nor has it is somebody else's.
    Atomics.store(this.#views.longs, MAGIC_LONG, MAGIC);
    Atomics.store(this.#views.words, VERSION_WORD, VERSION);
  }

  /** Takes the name away, with the lock in hand. */
  unlink(): void {
    unless("ENOENT", () => SharedMemory.unlink(this.name));
  }

  /** Gives it up, and the locks. Closing twice is allowed and does nothing. */
  close(): void {
    this.locks.close();
    this.#memory.close();
  }

  /** Whether all of it is there and mapped: it was short when somebody else was about to make it. */
  #mapped(): boolean {
    if (this.#memory.byteLength >= DIRECTORY_BYTES) return true;
    if (this.#memory.status().byteLength < DIRECTORY_BYTES) return false;
    this.#memory.grow(DIRECTORY_BYTES);
    return true;
  }

  get #views(): Parts {
    return this.#parts ??= partsOf(this.#memory.buffer);
  }

  #refusal(found: string): LayoutError {
    const expected = `a directory of ${DIRECTORY_BYTES} bytes of version ${VERSION}`;
    return new LayoutError({ action: "use directory", target: this.name, found, expected });
  }
}

/** Views of a directory; whole words, so that each is read in one piece. */
interface Parts {
  readonly words: Int32Array;
  readonly longs: BigUint64Array;
  readonly endpoints: EndpointTable;
  readonly journal: Journal;
}

function partsOf(buffer: SharedArrayBuffer): Parts {
  return {
    words: new Int32Array(buffer, 0, DIRECTORY_BYTES / 4),
    longs: new BigUint64Array(buffer, 0, DIRECTORY_BYTES / 8),
    endpoints: new EndpointTable(buffer),
    journal: new Journal(buffer),
  };
}
