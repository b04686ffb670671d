/**
 * Locks as fields: where they lie, how each kind is formatted by the creator and attached by
 * everybody.
 */

import {
  type FieldType,
  LOCK_BYTES,
  type LockKind,
  type LockType,
  RECORD_MUTEX_OFFSET,
  type Struct,
} from "../layout/mod.ts";
import { Barrier, Event, Mutex, RwLock, Semaphore } from "../sync/mod.ts";
import { shown } from "../sys/mod.ts";

/** What a lock field is, by its kind. */
export interface Locks {
  /** C takes it as a `pthread_mutex_t`. */
  mutex: Mutex;
  /** For many readers or one writer. */
  rwLock: RwLock;
  /** C takes it as a `sem_t`. */
  semaphore: Semaphore;
  /** Something that happened or not. */
  event: Event;
  /** Where a number of parties wait for each other. */
  barrier: Barrier;
}

/** How a lock begins, for the kinds that leave a choice. */
export interface LockSettings {
  /** How many parties a barrier has. Every barrier needs that. */
  parties?: number;
  /**
   * What a semaphore counts from.
   * @default {0}
   */
  value?: number;
  /**
   * Whether an event stays set until it is reset, instead of letting one through.
   * @default {false}
   */
  manualReset?: boolean;
}

/**
 * How the locks of a struct begin, by their names: `{ start: { parties: 3 } }`. One in a struct is
 * named with it, `stage.start`; those of an array begin alike.
 */
export type LocksSettings = Readonly<Record<string, LockSettings>>;

/** What each kind takes. */
const SETTINGS: Readonly<Record<LockKind, readonly (keyof LockSettings)[]>> = {
  mutex: [],
  rwLock: [],
  semaphore: ["value"],
  event: ["manualReset"],
  barrier: ["parties"],
};

type LockMemory = Uint8Array<SharedArrayBuffer>;

const FORMAT: Readonly<Record<LockKind, (memory: LockMemory, settings: LockSettings) => void>> = {
  mutex: (memory) => void Mutex.format(memory),
  rwLock: (memory) => void RwLock.format(memory),
  semaphore: (memory, { value = 0 }) => void Semaphore.format(memory, { value }),
  event: (memory, { manualReset = false }) => void Event.format(memory, { manualReset }),
  barrier: (memory, { parties = 0 }) => void Barrier.format(memory, { parties }),
};

const ATTACH: { readonly [K in LockKind]: (memory: LockMemory, name: string) => Locks[K] } = {
  mutex: (memory, name) => Mutex.attach(memory, { name }),
  rwLock: (memory, name) => RwLock.attach(memory, { name }),
  semaphore: (memory, name) => Semaphore.attach(memory, { name }),
  event: (memory, name) => Event.attach(memory, { name }),
  barrier: (memory, name) => Barrier.attach(memory, { name }),
};

/** Uses a lock that the creator formatted. */
export function attachLock<K extends LockKind>(
  kind: K,
  buffer: SharedArrayBuffer,
  byteOffset: number,
  name: string,
): Locks[K] {
  return ATTACH[kind](new Uint8Array(buffer, byteOffset, LOCK_BYTES[kind]), name);
}

/** Formats all locks of a struct, those of its records too, in zeroed memory. */
export function formatLocks(
  struct: Struct,
  buffer: SharedArrayBuffer,
  byteOffset: number,
  settings: LocksSettings,
): void {
  for (const { kind, byteOffset: offset, path } of locksOf(struct)) {
    const memory = new Uint8Array(buffer, byteOffset + offset, LOCK_BYTES[kind]);
    FORMAT[kind](memory, settings[path] ?? {});
  }
}

/**
 * Judges how locks are to begin, before anything is made.
 *
 * @throws {TypeError} If a barrier is not told its parties, or one is told what is not for it.
 */
export function checkSettings(struct: Struct, settings: LocksSettings): void {
  const kinds = new Map<string, LockKind>();
  for (const { kind, path, isRecords } of locksOf(struct)) if (!isRecords) kinds.set(path, kind);
  for (const [path, given] of Object.entries(settings)) {
    const kind = kinds.get(path);
    if (kind === undefined) {
      const names = [...kinds.keys()].join(", ") || "none: the struct has no locks";
      throw new TypeError(`Cannot set up lock ${shown(path)}: it is none, expected ${names}`);
    }
    const known: readonly string[] = SETTINGS[kind];
    const other = Object.keys(given).find((name) => !known.includes(name));
    if (other !== undefined) {
      const expected = known.join(", ") || "nothing to be set";
      throw new TypeError(
        `Cannot set ${other} of lock ${shown(path)}: it is a ${kind}, expected ${expected}`,
      );
    }
  }
  for (const [path, kind] of kinds) {
    if (kind !== "barrier" || settings[path]?.parties !== undefined) continue;
    throw new TypeError(
      `Cannot make barrier ${shown(path)}: nobody said how many parties it has, expected ` +
        `locks: { ${JSON.stringify(path)}: { parties: 2 } }`,
    );
  }
}

/** A lock and its place. */
interface LockPlace {
  kind: LockKind;
  /** From the beginning of the struct. */
  byteOffset: number;
  /** The names on the way there, without indexes: `slots.lock`. */
  path: string;
  /** Whether it is the lock of a record's writers. */
  isRecords: boolean;
}

/** Gives each lock of a struct. */
function* locksOf(struct: Struct, byteOffset = 0, path = ""): Generator<LockPlace> {
  for (const field of Object.values(struct.fields)) {
    const fieldPath = path === "" ? field.name : `${path}.${field.name}`;
    yield* locksIn(field.type, byteOffset + field.byteOffset, fieldPath);
  }
}

function* locksIn(type: FieldType, byteOffset: number, path: string): Generator<LockPlace> {
  switch (type.kind) {
    case "struct":
      return yield* locksOf(type, byteOffset, path);
    case "array":
      if (!hasLocks(type.element)) return; // there may be millions
      for (let index = 0; index < type.length; index++) {
        yield* locksIn(type.element, byteOffset + index * type.element.byteLength, path);
      }
      return;
    case "record":
      yield { kind: "mutex", byteOffset: byteOffset + RECORD_MUTEX_OFFSET, path, isRecords: true };
      return;
    case "mutex":
    case "rwLock":
    case "semaphore":
    case "event":
    case "barrier":
      yield { kind: type.kind, byteOffset, path, isRecords: false };
  }
}

/** Whether there is any lock in a type. */
export function hasLocks(type: FieldType): boolean {
  return !locksIn(type, 0, "").next().done;
}

/** Whether a type is a lock's. */
export function isLock(type: FieldType): type is LockType {
  return type.kind in LOCK_BYTES;
}
