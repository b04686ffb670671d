/**
 * Directory: who is in a system, and the names of what it made.
 *
 * Rule: the kernel says who is alive, by locks that it releases itself; the memory says the rest,
 * and is bounded before it is used. directory_layout.ts draws it.
 */

import { ClosedError, type PosixError } from "../../errors.ts";
import { identityOf, refuse } from "../../life/inside.ts";
import { namesOf, removeBell, unlinkRecorded } from "./dead_system.ts";
import { CHANGING, MAX_ENDPOINTS, MAX_NAMES, RUNNING } from "./directory_layout.ts";
import { DirectoryMemory } from "./directory_memory.ts";
import { beginSystem } from "./exclusive.ts";
import type { ObjectKind, SystemObject } from "./journal.ts";
import { checkSystemName, prefixOf } from "./names.ts";
import { endpointIn, type Owner, ownerOf } from "./owner.ts";

/** One endpoint of a system, as {@linkcode Directory.endpoints} tells it. */
export interface EndpointStatus {
  readonly id: number;
  /** How often it was started; 0 before the first time. */
  readonly incarnation: number;
  /** The endpoint that starts it; the main one's own number for itself. */
  readonly parent: number;
  /** The process that it is in, or was in last; 0 before the first start. */
  readonly pid: number;
  readonly alive: boolean;
}

/** The memory and the locks behind a handle, for the slab of the same system. */
export let memoryOf: (directory: Directory) => DirectoryMemory;

/** A system's directory, held by one of its endpoints. */
export class Directory implements Disposable {
  /** The name of the system. */
  readonly system: string;
  /**
   * What tells this run of the system from others of the same name: 16 hexadecimal digits. Who is
   * started for one run and comes to another is refused by {@linkcode Directory.join}.
   */
  readonly run: string;
  readonly #run: bigint;
  readonly #isMain: boolean;
  #memory: DirectoryMemory | undefined;
  /** The endpoint that this handle is of, once it began. */
  #self: { readonly id: number; readonly owner: Owner } | undefined;

  static {
    memoryOf = (directory) => directory.#open();
  }

  private constructor(memory: DirectoryMemory, isMain: boolean) {
    this.system = memory.system;
    this.#run = memory.run;
    this.run = hexOf(this.#run);
    this.#memory = memory;
    this.#isMain = isMain;
  }

  /**
   * Begins a system, whose main endpoint is this thread: it is exclusive from here on, as long as
   * this handle is open. What a killed one of that name left is cleaned up before.
   *
   * The main endpoint has the number 0, and begins like the others.
   *
   * @throws {TypeError} If the name is no text.
   * @throws {RangeError} If it is not 1 to 64 letters, digits, `_` and `-`.
   * @throws {PosixError} `EEXIST` if a system of that name lives; the hint says in which process.
   * `EBUSY` if one is dead and a part of it lives on that cannot be ended. `ENOSPC`, `EACCES` as
   * {@linkcode SharedMemory.create} and `open`.
   * @throws {LayoutError} If something else has the name of its directory.
   */
  static create(system: string): Directory {
    checkSystemName(system);
    return new Directory(beginSystem(system), true);
  }

  /**
   * Joins a system, for an endpoint that was started by one of its endpoints.
   *
   * @param run The run that it was started for; without it, the one there is.
   * @throws {PosixError} `ENOENT` if no system of that name lives, or only a later run of it.
   * @throws {LayoutError} If something else has the name of its directory.
   */
  static join(system: string, run?: string): Directory {
    checkSystemName(system);
    const memory = DirectoryMemory.open(system);
    if (memory === undefined) throw gone(system, "there is none of that name");
    let joined: Directory | undefined;
    try {
      if (!memory.isMade() || memory.phase !== RUNNING || !memory.isLocked()) {
        throw gone(system, "it has ended");
      }
      if (run !== undefined && run !== hexOf(memory.run)) {
        throw gone(system, "the run that was to be joined has ended, and there is a later one");
      }
      return joined = new Directory(memory, false);
    } finally {
      if (joined === undefined) memory.close();
    }
  }

  /**
   * Takes a number for an endpoint that this one is going to start.
   *
   * @param parent This endpoint.
   * @returns 1 to 127.
   * @throws {PosixError} `ENOSPC` if the system has no number left.
   */
  allocate(parent: number): number {
    const memory = this.#open();
    const owner = ownerOf(parent, this.incarnationOf(parent));
    const id = memory.endpoints.allocate(
      owner,
      (id) => memory.isAlive(id),
      (owner) => memory.isRunning(owner),
    );
    if (id !== undefined) return id;
    const hint = `a system has at most ${MAX_ENDPOINTS - 1} workers and processes at a time`;
    throw refuse("ENOSPC", "fcntl", "add an endpoint to system", this.system, hint);
  }

  /**
   * Becomes an endpoint: takes the lock that says that it is alive, and counts its starts.
   *
   * @param endpoint The number that was allocated for it, or 0 for whoever created the system.
   * @param pid The process that it is in, in the numbers of this pid namespace.
   * @param launchedAs The incarnation that it was launched as: one that was killed before it began
   * has its number as well, and what was sent to it is nobody else's. Without it, the next.
   * @returns Its incarnation, from 1.
   * @throws {PosixError} `EBUSY` if that endpoint is alive, `ENOENT` if nobody has the number, a
   * later incarnation began, or the system ended meanwhile.
   */
  begin(endpoint: number, pid: number, launchedAs?: number): number {
    const memory = this.#open(), id = checkEndpoint(endpoint);
    if (this.#self !== undefined) {
      throw new TypeError(
        `Cannot begin endpoint ${id}: this handle is endpoint ${this.#self.id}'s, expected a new one`,
      );
    }
    const process = identityOf(pid);
    if (process === undefined) {
      throw refuse("ESRCH", "fcntl", `begin endpoint ${id} of system`, this.system);
    }
    if (!memory.locks.tryHold(id)) {
      const hint = `endpoint ${id} is alive`;
      throw refuse("EBUSY", "fcntl", `begin endpoint ${id} of system`, this.system, hint);
    }
    // SYNC: after the lock; pairs with endDeadSystem(), which changes the run and then looks for
    // locks. So nobody is written down in a run that is not its own.
    const isOver = memory.run !== this.#run || !memory.isLocked();
    if (isOver || memory.endpoints.entryOf(id) === undefined) {
      memory.locks.release(id);
      throw gone(this.system, isOver ? "it has ended" : `it has no endpoint ${id}`);
    }
    const next = memory.endpoints.nextIncarnationOf(id), incarnation = launchedAs ?? next;
    if (((incarnation - next) | 0) < 0) { // they count modulo 2^32
      memory.locks.release(id);
      throw gone(this.system, `a later incarnation of endpoint ${id} began`);
    }
    memory.endpoints.begin(id, process, incarnation);
    this.#self = { id, owner: ownerOf(id, incarnation) };
    return incarnation;
  }

  /**
   * Gives the number of an endpoint back that has ended and is not started again.
   *
   * @throws {PosixError} `EBUSY` if it is alive.
   */
  free(endpoint: number): void {
    const memory = this.#open(), id = checkEndpoint(endpoint);
    if (memory.isAlive(id)) {
      const hint = `endpoint ${id} is alive`;
      throw refuse("EBUSY", "fcntl", `free endpoint ${id} of system`, this.system, hint);
    }
    memory.endpoints.free(id);
  }

  /**
   * Writes down the doorbell of this endpoint's thread, which whoever cleans up after it takes away.
   *
   * @param bell Its number; 0 for none.
   */
  setBell(bell: bigint): void {
    this.#open().endpoints.setBell(this.#begun().id, bell);
  }

  /** Takes the doorbell of a dead endpoint away. */
  removeBellOf(endpoint: number): void {
    const { endpoints } = this.#open();
    removeBell(endpoints.bellOf(checkEndpoint(endpoint)));
    endpoints.setBell(endpoint, 0n);
  }

  /** The last incarnation of an endpoint that began; 0 before the first. */
  incarnationOf(endpoint: number): number {
    return this.#open().endpoints.incarnationOf(checkEndpoint(endpoint));
  }

  /** Whether an endpoint runs. The kernel's word: true until its last instruction, then false. */
  isAlive(endpoint: number): boolean {
    return this.#open().isAlive(checkEndpoint(endpoint));
  }

  /** All endpoints that have a number, in its order. */
  endpoints(): readonly EndpointStatus[] {
    const memory = this.#open();
    return memory.endpoints.entries().map(({ id, incarnation, parent }) => ({
      id,
      incarnation,
      parent: endpointIn(parent),
      pid: memory.endpoints.processOf(id)?.pid ?? 0,
      alive: memory.isAlive(id),
    }));
  }

  /**
   * Writes down the name of a queue or of memory, before it is made: who cleans up takes it away.
   * Recording a name again does nothing. A name has one maker at a time.
   *
   * @param name `/<system>.` and more; at most 255 bytes after the slash.
   * @returns Whether it was not recorded before: who fails to make the object then forgets it.
   * @throws {RangeError} If it is none.
   * @throws {PosixError} `ENOSPC` if the system has no place left for a name.
   */
  record(kind: ObjectKind, name: string): boolean {
    const memory = this.#open(), { owner } = this.#begun();
    if (!name.startsWith(prefixOf(this.system))) {
      throw new RangeError(
        `Cannot record ${JSON.stringify(name)}: expected a name that begins with ` +
          `"${prefixOf(this.system)}"`,
      );
    }
    const isRunning = (owner: Owner) => memory.isRunning(owner);
    if (memory.journal.has({ kind, name })) return false;
    if (memory.journal.record({ kind, name }, owner, isRunning)) return true;
    const hint = `a system has at most ${MAX_NAMES} queues and memories at a time`;
    throw refuse("ENOSPC", "shm_open", "record", name, hint);
  }

  /**
   * What the dead incarnations of an endpoint had allocated and recorded, and nobody took back: it
   * is for whoever launched that endpoint to end and to take away.
   */
  leftBy(endpoint: number): {
    readonly endpoints: readonly number[];
    readonly objects: readonly SystemObject[];
  } {
    const memory = this.#open();
    const isOfDead = (owner: Owner) => endpointIn(owner) === endpoint && !memory.isRunning(owner);
    return {
      endpoints: memory.endpoints.entries()
        .filter(({ id, parent }) => id !== endpoint && isOfDead(parent))
        .map(({ id }) => id),
      objects: memory.journal.names(prefixOf(this.system), isOfDead),
    };
  }

  /** Takes a name out again, after its object was unlinked. */
  forget(name: string): void {
    this.#open().journal.forget(name);
  }

  /** Whether {@linkcode Directory.close} was called. */
  get closed(): boolean {
    return this.#memory === undefined;
  }

  /**
   * Gives it up, and with it the locks: for all others this endpoint has ended, and when it is the
   * main one the system has. Closing twice is allowed and does nothing.
   */
  close(): void {
    this.#memory?.close();
    this.#memory = undefined;
  }

  /** The same as {@linkcode Directory.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Ends the system, for its main endpoint: takes away all names that are recorded, then the
   * directory, and closes. The other endpoints are to have ended before.
   *
   * @throws {TypeError} If this is not the main endpoint's.
   */
  remove(): void {
    const memory = this.#open();
    if (!this.#isMain) {
      throw new TypeError("Cannot remove the directory: expected the handle that created it");
    }
    memory.phase = CHANGING;
    for (const recorded of namesOf(memory)) unlinkRecorded(recorded);
    memory.unlink();
    this.close();
  }

  #open(): DirectoryMemory {
    if (this.#memory === undefined) throw new ClosedError("directory", this.system);
    return this.#memory;
  }

  #begun(): { readonly id: number; readonly owner: Owner } {
    if (this.#self !== undefined) return this.#self;
    throw new TypeError("Cannot record: this handle is no endpoint's yet, expected begin() before");
  }
}

function gone(system: string, why: string): PosixError {
  return refuse("ENOENT", "shm_open", "use system", system, why);
}

function checkEndpoint(id: number): number {
  if (Number.isInteger(id) && id >= 0 && id < MAX_ENDPOINTS) return id;
  throw new RangeError(
    `Cannot use endpoint ${id}: expected a whole number, 0 to ${MAX_ENDPOINTS - 1}`,
  );
}

function hexOf(run: bigint): string {
  return run.toString(16).padStart(16, "0");
}
