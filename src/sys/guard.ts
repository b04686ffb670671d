/**
 * Guarded memory: what lies over a buffer may be cut off by a peer, and no thread dies of it.
 *
 * Rule: the native driver's handler maps zeros in the place of what is gone and counts that; who
 * uses the memory next is told. Without that driver, or with more ranges than it has room for
 * (`native/src/places.rs`), there is no guard and all is as it was.
 */

import { LayoutError } from "../errors.ts";
import { C } from "./abi.ts";
import { refused } from "./check.ts";
import { sys } from "./load.ts";
import { mmapFixed } from "./memory.ts";
import type { Native } from "./native.ts";

const TARGET = "the guard of memory";

/** The counts of the whole process, as this thread sees them. */
interface Counts {
  readonly native: Native;
  readonly words: Int32Array<SharedArrayBuffer>;
}

/** LAYOUT: `PLACES` of native/src/places.rs, a power of two; an id has the place in its lowest bits. */
const PLACES = 4096;

let counts: Counts | undefined;

/**
 * How often pages were gone, in all places together: the one look that a use of memory costs. A
 * variable of this module is read in less time than what a handle would have to find first.
 */
let losses: Int32Array<ArrayBufferLike> = new Int32Array(1);

/** What guards each buffer. */
const guards = new WeakMap<SharedArrayBuffer, Guard>();

/**
 * Nobody closed it, and this thread has no buffer of it any more; one that it was posted to may, and
 * the addresses are not free before. So it is guarded on, as long as there is room.
 */
const collected = new FinalizationRegistry<number>((id) => {
  counts?.native.guard_abandon(id); // refused where another range has its place by now
});

/** The guard of a range of addresses that belongs to a buffer. */
export class Guard {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #native: Native;
  readonly #id: number;
  readonly #place: number;
  #byteLength: number;

  private constructor({ native, words }: Counts, id: number, byteLength: number) {
    this.#native = native;
    this.#words = words;
    this.#id = id;
    this.#place = id & (PLACES - 1);
    this.#byteLength = byteLength;
  }

  /**
   * Guards the first bytes of a buffer, over which something is mapped.
   *
   * @param address Where the buffer begins.
   * @returns `undefined` where there is no native driver, or no room in its table.
   */
  static over(buffer: SharedArrayBuffer, address: bigint, byteLength: number): Guard | undefined {
    const id = add(address, byteLength);
    if (id === undefined) return undefined;
    const guard = new Guard(counts!, id, byteLength);
    guards.set(buffer, guard);
    collected.register(buffer, id, guard);
    return guard;
  }

  /** Guards a mapping that belongs to no buffer. To be ended before something else can lie there. */
  static ofMapping(address: bigint, byteLength: number): Guard | undefined {
    const id = add(address, byteLength);
    return id === undefined ? undefined : new Guard(counts!, id, byteLength);
  }

  /**
   * The guard of a buffer that another thread posted, over which that one has mapped something.
   *
   * @returns `undefined` where there is none.
   */
  static posted(buffer: SharedArrayBuffer): Guard | undefined {
    const { native, addressOf } = sys();
    if (native === undefined) return undefined;
    const id = native.guard_find(addressOf(new Uint8Array(buffer)));
    if (id < 0) return undefined;
    const guard = new Guard(counts ??= mapCounts(native), id, buffer.byteLength);
    guards.set(buffer, guard);
    return guard;
  }

  /** Whether no page was gone when somebody touched it. Where it was closed since, none is. */
  get isWhole(): boolean {
    return this.#words[this.#place] === 0 || this.#native.guard_is_live(this.#id) === 0;
  }

  /**
   * The error for memory that is not whole.
   *
   * @param kind What it is: `memory`, `region`.
   */
  refusal(kind: string, target: string): LayoutError {
    return new LayoutError({
      action: `use ${kind}`,
      target,
      found: "that somebody had made it shorter, and zeros in the place of what is gone",
      expected: `${this.#byteLength} bytes`,
    });
  }

  /** So many bytes of the buffer are mapped now. */
  extend(byteLength: number): void {
    const result = this.#native.guard_extend(this.#id, sys().word(byteLength));
    if (result < 0) throw refused(-result, "sigaction", "guard", TARGET);
    this.#byteLength = byteLength;
  }

  /** Ends it, after other pages were put in the place of the object's. */
  end(buffer?: SharedArrayBuffer): void {
    collected.unregister(this);
    if (buffer !== undefined) guards.delete(buffer);
    this.#native.guard_remove(this.#id);
  }
}

/** The id of a range in the table; `undefined` where there is no room for one. */
function add(address: bigint, byteLength: number): number | undefined {
  const { native, word } = sys();
  if (native === undefined || byteLength === 0) return undefined;
  counts ??= mapCounts(native);
  const id = native.guard_add(address, word(byteLength));
  return id < 0 ? undefined : id;
}

/** Lays the counts over memory of this thread's; once, and for as long as it runs. */
function mapCounts(native: Native): Counts {
  const fd = native.guard_install();
  if (fd < 0) throw refused(-fd, "sigaction", "guard", TARGET);
  const byteLength = (PLACES + 1) * Int32Array.BYTES_PER_ELEMENT;
  const buffer = new SharedArrayBuffer(byteLength, { maxByteLength: byteLength });
  const mapping = { fd, flags: C.MAP_SHARED, offset: 0 };
  mmapFixed(sys().addressOf(new Uint8Array(buffer)), byteLength, mapping, TARGET);
  // With an explicit length: views that follow the length of their buffer are twenty times slower.
  losses = new Int32Array(buffer, PLACES * Int32Array.BYTES_PER_ELEMENT, 1);
  return { native, words: new Int32Array(buffer, 0, PLACES) };
}

/**
 * Whether memory may be used: it has no guard, or no page was gone when somebody touched it.
 *
 * SYNC: no atomic load, which would cost more than the use that it precedes. The handler's store is
 * seen soon; all that is to follow from it is an error.
 */
export function isWhole(guard: Guard | undefined): boolean {
  return guard === undefined || losses[0] === 0 || guard.isWhole;
}

/** The guard of the memory over a buffer, whichever thread has mapped it; for who begins to use it. */
export function guardOf(buffer: SharedArrayBuffer): Guard | undefined {
  return guards.get(buffer) ?? Guard.posted(buffer);
}
