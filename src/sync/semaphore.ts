/** Semaphore: a counting semaphore of POSIX, in shared memory or with a name. */

import { ClosedError, LayoutError } from "../errors.ts";
import {
  C,
  checkMaking,
  checkOptions,
  checkOwner,
  checkOwnerOption,
  close,
  type Guard,
  guardOf,
  isWhole,
  type Owner,
  permissionBits,
  semClose,
  semFile,
  semGetvalue,
  semInit,
  semNameHint,
  semOpen,
  semPost,
  semTimedwait,
  semTrywait,
  semUnlink,
  STRUCTS,
  sys,
  unless,
  wholeNumber,
  type Word,
} from "../sys/mod.ts";
import {
  blockInSlices,
  deadlineOf,
  type EventCount,
  interruptHint,
  lookAgain,
} from "../wait/mod.ts";
import {
  attachLock,
  formatLock,
  type FormattedLock,
  type LockKind,
  type LockPlace,
  LOOK_EVERY_MS,
} from "./lock_memory.ts";
import {
  type LockMemoryOptions,
  type LockOptions,
  type LockSyncOptions,
  MAKING,
  readName,
  readWait,
} from "./options.ts";
import { SEMAPHORE } from "./semaphore_layout.ts";

const KIND: LockKind = { layout: SEMAPHORE, lookEveryMs: LOOK_EVERY_MS };

/** How {@linkcode Semaphore.format} makes a semaphore. */
export interface FormatSemaphoreOptions extends LockMemoryOptions {
  /**
   * How many can acquire it at first, 0 to 2147483647.
   * @default {0}
   */
  value?: number | undefined;
}

/** How {@linkcode Semaphore.create} makes a semaphore. */
export interface CreateSemaphoreOptions {
  /**
   * How many can acquire it at first, 0 to 2147483647.
   * @default {0}
   */
  value?: number | undefined;
  /**
   * Permission bits, from which the kernel takes those of the process's umask away.
   * @default {0o600}
   */
  mode?: number | undefined;
}

/** How {@linkcode Semaphore.open} opens a semaphore. */
export interface OpenSemaphoreOptions {
  /**
   * Who may own it: `self` refuses the semaphore of another user with `EACCES`, which protects
   * against a name that somebody else planted.
   * @default {"self"}
   */
  owner?: Owner | undefined;
}

/** How {@linkcode Semaphore.openOrCreate} opens a semaphore or makes it. */
export interface OpenOrCreateSemaphoreOptions
  extends CreateSemaphoreOptions, OpenSemaphoreOptions {}

/** What a semaphore is made from. */
interface SemaphorePlace {
  readonly name: string;
  readonly address: bigint;
  /** Where it is waited for; one with a name has no room for that. */
  readonly events: EventCount | undefined;
  /** What guards the memory that it is in. */
  readonly guard?: Guard | undefined;
}

/**
 * A count in shared memory that is never below 0: who acquires it takes 1 away, and waits while
 * there is none; who releases it adds.
 *
 * It has no owner: whoever has acquired it and dies has taken one away for good, and anybody may
 * release. Where that must not be, use a {@linkcode Mutex}.
 *
 * There are two ways to it. {@linkcode Semaphore.format} and {@linkcode Semaphore.attach} use
 * memory; in C it begins with a `sem_t`. {@linkcode Semaphore.create} and {@linkcode Semaphore.open}
 * use a name, as `sem_open()` does in C. C may call `sem_wait()`, `sem_post()` and their like:
 * blocked threads are woken by that, and who awaits it in an event loop finds it within 20 ms; with
 * a name, that is how it finds what this library releases, too.
 *
 * @example Two at a time
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SharedMemory } from "@postbox/postbox";
 * import { Semaphore, SEMAPHORE_BYTES } from "@postbox/postbox/sync";
 *
 * using memory = SharedMemory.anonymous({ byteLength: SEMAPHORE_BYTES });
 * using slots = Semaphore.format(memory.bytes, { value: 2 });
 * assertEquals([slots.tryAcquire(), slots.tryAcquire(), slots.tryAcquire()], [true, true, false]);
 * const acquired = slots.acquire({ timeoutMs: 1000 });
 * slots.release();
 * await acquired;
 * assertEquals(slots.value, 0);
 * ```
 *
 * @example By name
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { uniqueName } from "@postbox/postbox";
 * import { Semaphore } from "@postbox/postbox/sync";
 *
 * const name = uniqueName("doc");
 * using semaphore = Semaphore.create(name, { value: 1 });
 * using same = Semaphore.open(name);
 * Semaphore.unlink(name);
 * assertEquals(same.tryAcquire(), true);
 * assertEquals(semaphore.value, 0);
 * ```
 *
 * @see sem_overview(7)
 */
export class Semaphore implements Disposable {
  /** Its name, or what errors call it. */
  readonly name: string;
  readonly #address: Word;
  readonly #events: EventCount | undefined;
  readonly #guard: Guard | undefined;
  #isClosed = false;

  private constructor(making: typeof MAKING, { name, address, events, guard }: SemaphorePlace) {
    const instead = "Semaphore.format, attach, create, open or openOrCreate";
    checkMaking(making, MAKING, "a Semaphore", instead);
    this.name = name;
    this.#address = sys().word(address);
    this.#events = events;
    this.#guard = guard;
  }

  /**
   * Makes zeroed memory a semaphore. Once: the others attach.
   *
   * @param memory {@linkcode SEMAPHORE_BYTES} at least, at a multiple of 64.
   * @throws {LayoutError} If there is something else than zeros.
   * @throws {TypeError} If it is no shared memory, or a read-only handle's.
   * @throws {RangeError} If it is too short, or begins at the wrong place, or for the value.
   */
  static format(
    memory: Uint8Array<SharedArrayBuffer>,
    options: FormatSemaphoreOptions = {},
  ): Semaphore {
    const name = readName(options), value = readValue(options);
    const lock = formatLock(memory, KIND, name, (place) => {
      semInit(addressOf(place), value, place.name);
    });
    return Semaphore.#fromMemory(lock);
  }

  /**
   * Uses a semaphore that somebody made.
   *
   * @param memory As for {@linkcode Semaphore.format}.
   * @throws {LayoutError} If there is none.
   * @throws {TypeError} If it is no shared memory, or a read-only handle's.
   * @throws {RangeError} If it is too short, or begins at the wrong place.
   */
  static attach(
    memory: Uint8Array<SharedArrayBuffer>,
    options: LockMemoryOptions = {},
  ): Semaphore {
    return Semaphore.#fromMemory(attachLock(memory, KIND, readName(options)));
  }

  static #fromMemory(lock: FormattedLock): Semaphore {
    return new Semaphore(MAKING, {
      ...lock,
      address: addressOf(lock),
      guard: guardOf(lock.buffer),
    });
  }

  /**
   * Makes a semaphore with a name that none has.
   *
   * @throws {PosixError} `EEXIST` if there is one, `EACCES`, `ENAMETOOLONG`, `EINVAL` for a name.
   * @throws {RangeError} For the value or the mode.
   * @see sem_open(3)
   */
  static create(name: string, options: CreateSemaphoreOptions = {}): Semaphore {
    const value = readValue(options), mode = permissionBits(options.mode ?? 0o600);
    const flags = C.O_CREAT | C.O_EXCL;
    const address = semOpen(name, flags, { mode, value }, (code) => semNameHint(name, code));
    return new Semaphore(MAKING, { name, address, events: undefined });
  }

  /**
   * Opens a semaphore that exists.
   *
   * @throws {PosixError} `ENOENT` if there is none, `EACCES` if it may not be opened or belongs to
   * another user and `owner` is not `any`.
   * @throws {LayoutError} If the file of that name is too short for one.
   * @see sem_open(3)
   */
  static open(name: string, options: OpenSemaphoreOptions = {}): Semaphore {
    checkOptions(options, "open a semaphore", '{ owner: "any" }');
    const { owner = "self" } = options;
    checkOwnerOption(owner);
    const hint = (code: string) => semNameHint(name, code);
    // Before it is opened: where anybody may write, none but its owner can put another in its place.
    const fd = semFile(name, hint);
    try {
      const { byteLength } = checkOwner(fd, owner, "semaphore", name), { bytes } = STRUCTS.sem_t;
      if (byteLength < bytes) {
        const words = { found: `${byteLength} bytes`, expected: `${bytes}` };
        throw new LayoutError({ action: "open semaphore", target: name, ...words });
      }
      const address = semOpen(name, 0, { mode: 0, value: 0 }, hint);
      return new Semaphore(MAKING, { name, address, events: undefined });
    } finally {
      close(fd, name);
    }
  }

  /**
   * Opens a semaphore, or makes it when there is none. The value of one that exists stands.
   *
   * @throws {PosixError} `EACCES` if it may not be opened or belongs to another user and `owner` is
   * not `any`.
   * @see sem_open(3)
   */
  static openOrCreate(name: string, options: OpenOrCreateSemaphoreOptions = {}): Semaphore {
    for (;;) {
      const made = unless("EEXIST", () => Semaphore.create(name, options)) ??
        unless("ENOENT", () => Semaphore.open(name, options));
      if (made !== undefined) return made; // otherwise it was unlinked in between
    }
  }

  /**
   * Takes a semaphore's name away. Who has it open goes on with it.
   *
   * @throws {PosixError} `ENOENT` if there is none, `EACCES` if it may not be removed.
   * @see sem_unlink(3)
   */
  static unlink(name: string): void {
    semUnlink(name, (code) => semNameHint(name, code));
  }

  /** How many can acquire it now; 0 while somebody waits. */
  get value(): number {
    return semGetvalue(this.#open(), this.name);
  }

  /**
   * Acquires it if it is above 0.
   *
   * @returns False when it is 0.
   */
  tryAcquire(): boolean {
    return semTrywait(this.#open(), this.name);
  }

  /**
   * Blocks this thread until it has acquired it.
   *
   * @returns `true`, or `undefined` at the deadline.
   * @throws {PosixError} `EINTR` on a signal that the program listens for.
   */
  acquireSync(options: LockSyncOptions = {}): true | undefined {
    const { timeoutMs } = readWait(options);
    const deadline = deadlineOf(timeoutMs), address = this.#open(), { name } = this;
    return blockInSlices(
      () => semTrywait(address, name) || undefined,
      (ms) => semTimedwait(address, ms, name, interruptHint) || undefined,
      deadline,
    );
  }

  /**
   * Waits in the event loop until it has acquired it.
   *
   * @returns Rejects with a `TimeoutError` or the signal's reason; it has acquired nothing then.
   */
  async acquire(options: LockOptions = {}): Promise<void> {
    const wait = readWait(options);
    const attempt = () => semTrywait(this.#open(), this.name) || undefined;
    this.#open();
    await (this.#events?.wait(attempt, wait) ?? lookAgain(attempt, wait, this.name));
  }

  /**
   * Adds to it, and wakes who waits.
   *
   * @param count How much, 1 to 2147483647; added one by one.
   * @throws {PosixError} `EOVERFLOW` above 2147483647; what was added until then stays.
   */
  release(count = 1): void {
    const address = this.#open();
    wholeNumber(count, { name: "count", min: 1, max: C.SEM_VALUE_MAX });
    try {
      for (let added = 0; added < count; added++) semPost(address, this.name, overflowHint);
    } finally {
      this.#events?.notify();
    }
  }

  /**
   * Closes the handle: who awaits it through this gets a {@linkcode ClosedError}. What is acquired
   * stays so. Closing twice does nothing.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#events === undefined) semClose(this.#address, this.name);
    else this.#events.end(new ClosedError("semaphore", this.name));
  }

  /** The same as {@linkcode Semaphore.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #open(): Word {
    if (this.#isClosed) throw new ClosedError("semaphore", this.name);
    if (!isWhole(this.#guard)) throw this.#guard!.refusal("semaphore", this.name);
    return this.#address;
  }
}

/** The value that a semaphore begins with. */
function readValue(options: { value?: number | undefined }): number {
  checkOptions(options, "make a semaphore", "{ value: 1 }");
  return wholeNumber(options.value ?? 0, { name: "value", min: 0, max: C.SEM_VALUE_MAX });
}

/**
 * SAFETY: inside a shared buffer, which never moves and which the event count references. Nobody
 * owns a semaphore, so nobody finds it here after the end of a thread.
 */
function addressOf({ buffer, byteOffset }: LockPlace): bigint {
  return sys().addressOf(new Uint8Array(buffer, byteOffset, STRUCTS.sem_t.bytes));
}

function overflowHint(code: string): string | undefined {
  return code === "EOVERFLOW" ? `a semaphore counts to ${C.SEM_VALUE_MAX}` : undefined;
}
