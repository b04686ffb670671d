/**
 * Records: read and updated as a whole, by the protocol of the record's layout (in src/layout, with
 * its proof).
 *
 * Rule: what is read is copied into memory of our own and judged there, and only when the numbers
 * of the updates say that it is all of one.
 */

import { LayoutError } from "../errors.ts";
import {
  readValue,
  RECORD_BEGUN_OFFSET,
  RECORD_COPIES_OFFSET,
  RECORD_MUTEX_OFFSET,
  RECORD_SEQUENCE_OFFSET,
  recordStrideBytes,
  type RecordType,
  writeValue,
} from "../layout/mod.ts";
import type { Mutex, MutexGuard } from "../sync/mod.ts";
import { refuse, schedYield, shown } from "../sys/mod.ts";
import type { RecordField, UpdateAsyncOptions, UpdateOptions } from "./field.ts";
import type { FieldMemory } from "./field_memory.ts";
import { attachLock } from "./lock_fields.ts";

/** So often a read is begun again before the writers are kept out, or given way to. */
const TRIES = 256;

/** After so many of those the processor is given away: it may be a writer's. */
const TRIES_A_TURN = 16;

/** How long a reader waits for the writers' lock before it tries without again. */
const LOCK_MS = 100;

/** So many rounds, then a read fails. */
const ROUNDS = 1000;

/** Up to so many words a loop is quicker than a call. */
const LOOP_WORDS = 16;

/** A record in shared memory. */
export class SharedRecord<V, D> implements RecordField<V, D> {
  readonly type: RecordType;
  readonly #memory: FieldMemory;
  readonly #path: string;
  readonly #byteOffset: number;
  readonly #sequence: Uint32Array<SharedArrayBuffer>;
  readonly #begun: Uint32Array<SharedArrayBuffer>;
  readonly #copies: readonly [Uint32Array, Uint32Array];
  /** A copy of our own: of what was read, or of what will be written. */
  readonly #own: Uint32Array<ArrayBuffer>;
  readonly #ownView: DataView;
  /** Of our own: storing there keeps the reads before it before what comes after it. */
  readonly #fence = new Int32Array(1);
  #mutex: Mutex | undefined;

  constructor(type: RecordType, memory: FieldMemory, byteOffset: number, path: string) {
    const { buffer } = memory, { byteLength } = type.content;
    const words = Math.ceil(byteLength / 4), stride = recordStrideBytes(byteLength);
    const copies = byteOffset + RECORD_COPIES_OFFSET;
    this.type = type;
    this.#memory = memory;
    this.#path = path;
    this.#byteOffset = byteOffset;
    this.#sequence = new Uint32Array(buffer, byteOffset + RECORD_SEQUENCE_OFFSET, 1);
    this.#begun = new Uint32Array(buffer, byteOffset + RECORD_BEGUN_OFFSET, 1);
    this.#copies = [
      new Uint32Array(buffer, copies, words),
      new Uint32Array(buffer, copies + stride, words),
    ];
    this.#own = new Uint32Array(words);
    this.#ownView = new DataView(this.#own.buffer);
  }

  read(): V {
    this.#memory.checkOpen();
    for (let round = 0; round < ROUNDS; round++) {
      for (let tries = 1; tries <= TRIES; tries++) {
        if (this.#tryCopy()) return this.#ownValue();
        if (tries % TRIES_A_TURN === 0) schedYield();
      }
      if (this.#memory.access === "r") continue;
      const guard = this.#lockSync(LOCK_MS);
      if (guard === undefined) continue;
      try {
        if (this.#tryCopy()) return this.#ownValue();
      } finally {
        guard.unlock();
      }
    }
    throw refuse(
      "EAGAIN",
      "sched_yield",
      `read "${this.#path}" of region`,
      this.#memory.target,
      `its writers have overtaken this reader ${ROUNDS * TRIES} times`,
    );
  }

  write(value: V, options: UpdateOptions = {}): boolean {
    return this.#replaceSync(() => value, options);
  }

  update(change: (draft: D) => V | void, options: UpdateOptions = {}): boolean {
    return this.#replaceSync(() => this.#changed(change), options);
  }

  async updateAsync(
    change: (draft: D) => V | void,
    options: UpdateAsyncOptions = {},
  ): Promise<void> {
    this.#memory.checkWritable(this.#path);
    const guard = consistent(await this.#lock().lock(options));
    this.#replace(guard, () => this.#changed(change));
  }

  /** Copies the update that is in force, as far as can be seen; false when it was overtaken. */
  #tryCopy(): boolean {
    const { load } = this.#memory;
    // SYNC: pairs with the store of the sequence in #commit(). All of this update is there.
    const sequence = load(this.#sequence, 0);
    copyWords(this.#copies[copyOf(sequence)], this.#own);
    // SYNC: keeps the reads of the copy before the next load, also on arm64.
    Atomics.store(this.#fence, 0, 0);
    // SYNC: pairs with the store of `begun` in #commit(), which is seen before any byte of that
    // update is. The next update is written to the other copy; the one after it to this one.
    const begun = load(this.#begun, 0);
    if (begun - sequence >>> 0 <= 1) return true;
    if (load(this.#sequence, 0) === sequence) throw this.#impossible(sequence, begun);
    return false;
  }

  /** Two updates are begun, and the first of them is not committed: no writer does that. */
  #impossible(sequence: number, begun: number): LayoutError {
    return new LayoutError({
      action: `read "${this.#path}" of region`,
      target: this.#memory.target,
      found: `update ${begun} begun and update ${sequence} committed`,
      expected: "the last update committed, or the next one begun",
    });
  }

  #replaceSync(valueOf: () => V | D, { timeoutMs }: UpdateOptions): boolean {
    this.#memory.checkWritable(this.#path);
    const guard = this.#lockSync(timeoutMs);
    if (guard === undefined) return false;
    this.#replace(guard, valueOf);
    return true;
  }

  /** Makes a value the next update, and unlocks the record whatever happens. */
  #replace(guard: MutexGuard, valueOf: () => V | D): void {
    try {
      const value = valueOf();
      // It judges all of the value, and calls what getters it has, before it writes anything.
      writeValue(this.type.content, this.#ownView, 0, value as never, this.#path);
      this.#memory.checkOpen(); // one of those may have closed it
      this.#commit();
    } finally {
      guard.unlock();
    }
    this.#memory.changed();
  }

  /** The present value, changed. */
  #changed(change: (draft: D) => V | void): V | D {
    copyWords(this.#copies[copyOf(Atomics.load(this.#sequence, 0))], this.#own);
    const draft = this.#ownValue() as unknown as D;
    const changed = change(draft);
    if (!isThenable(changed)) return changed ?? draft;
    throw new TypeError(
      `Cannot update "${this.#path}" of region ${shown(this.#memory.target)}: change is async or ` +
        "returns a promise, expected it to be done when it returns",
    );
  }

  /** Makes what was written the next update. May end at any instruction: readers go on. */
  #commit(): void {
    const next = Atomics.load(this.#sequence, 0) + 1;
    // SYNC: pairs with the load of `begun` in #tryCopy(). The load after it keeps the plain stores
    // that follow behind the store, also on arm64.
    Atomics.store(this.#begun, 0, next);
    Atomics.load(this.#begun, 0);
    copyWords(this.#own, this.#copies[copyOf(next)]);
    // SYNC: pairs with the load of the sequence in #tryCopy().
    Atomics.store(this.#sequence, 0, next);
  }

  #ownValue(): V {
    return readValue(this.type.content, this.#ownView, 0) as V;
  }

  #lock(): Mutex {
    if (this.#mutex !== undefined) return this.#mutex;
    const { buffer, target } = this.#memory;
    const byteOffset = this.#byteOffset + RECORD_MUTEX_OFFSET;
    this.#mutex = attachLock("mutex", buffer, byteOffset, `${target} ${this.#path}`);
    this.#memory.add(this.#mutex);
    return this.#mutex;
  }

  #lockSync(timeoutMs: number | undefined): MutexGuard | undefined {
    const guard = this.#lock().lockSync({ timeoutMs });
    return guard && consistent(guard);
  }
}

/** A writer that was killed has left nothing to repair: the next one begins its update again. */
function consistent(guard: MutexGuard): MutexGuard {
  if (guard.recovered) guard.markConsistent();
  return guard;
}

/** The copy that an update is in. */
function copyOf(update: number): 0 | 1 {
  return (update & 1) as 0 | 1;
}

function copyWords(from: Uint32Array, to: Uint32Array): void {
  if (from.length > LOOP_WORDS) {
    to.set(from);
    return;
  }
  for (let index = 0; index < from.length; index++) to[index] = from[index]!;
}

function isThenable(value: unknown): boolean {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
}
