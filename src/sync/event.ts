/** Event: something that happened or not, in shared memory. */

import { LayoutError } from "../errors.ts";
import { checkMaking, shown } from "../sys/mod.ts";
import { AUTO_RESET, EVENT, MANUAL_RESET, RESET, STATE } from "./event_layout.ts";
import { LockHandle } from "./handle.ts";
import { attachLock, formatLock, type FormattedLock, hex, type LockKind } from "./lock_memory.ts";
import {
  type LockMemoryOptions,
  type LockOptions,
  type LockSyncOptions,
  MAKING,
  readName,
  readWait,
} from "./options.ts";

const KIND: LockKind = { layout: EVENT };

/** How {@linkcode Event.format} makes an event. */
export interface FormatEventOptions extends LockMemoryOptions {
  /**
   * Whether it stays set until {@linkcode Event.reset}, and lets everybody through until then;
   * otherwise the first one it lets through resets it.
   * @default {false}
   */
  manualReset?: boolean | undefined;
}

/**
 * Something that happened or not, in shared memory: whoever waits goes on when it is set.
 *
 * With `manualReset` it lets everybody through from {@linkcode Event.set} until
 * {@linkcode Event.reset}. Without it each `set()` lets exactly one through; setting it twice before
 * somebody came counts once. It has no owner: one that dies after it was let through has used it up.
 *
 * In C the memory begins with a `_Atomic uint32_t`, 1 for set; store there. A blocked waiter finds
 * that within 100 ms, an event loop within a second; at once where C wakes the event count 64 bytes
 * on, as the documentation of its layout says.
 *
 * @example Telling another task, thread or process
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SharedMemory } from "@postbox/postbox";
 * import { Event, EVENT_BYTES } from "@postbox/postbox/sync";
 *
 * using memory = SharedMemory.anonymous({ byteLength: EVENT_BYTES });
 * using ready = Event.format(memory.bytes);
 * const waited = ready.wait({ timeoutMs: 1000 });
 * ready.set();
 * await waited;
 * assertEquals(ready.isSet, false); // who waited has reset it
 * ```
 */
export class Event implements Disposable {
  /** What errors call it. */
  readonly name: string;
  /** Whether it stays set until {@linkcode Event.reset}. */
  readonly manualReset: boolean;
  readonly #words: Int32Array;
  readonly #handle: LockHandle;
  readonly #attempt: () => true | undefined;

  private constructor(making: typeof MAKING, lock: FormattedLock) {
    checkMaking(making, MAKING, "an Event", "Event.format or Event.attach");
    const { name, words } = lock;
    this.name = name;
    this.#words = words;
    this.#handle = new LockHandle("event", lock);
    this.manualReset = readReset(words, name) === MANUAL_RESET;
    this.#attempt = this.manualReset
      ? () => this.isSet || undefined
      // SYNC: of all who see it set, the exchange lets one through.
      : () => Atomics.compareExchange(words, STATE, 1, 0) === 1 || undefined;
  }

  /**
   * Makes zeroed memory an event that is not set. Once: the others attach.
   *
   * @param memory {@linkcode EVENT_BYTES} at least, at a multiple of 64.
   * @throws {LayoutError} If there is something else than zeros.
   * @throws {TypeError} If it is no shared memory, or a read-only handle's.
   * @throws {RangeError} If it is too short, or begins at the wrong place.
   */
  static format(memory: Uint8Array<SharedArrayBuffer>, options: FormatEventOptions = {}): Event {
    const name = readName(options), { manualReset = false } = options;
    if (typeof manualReset !== "boolean") {
      throw new TypeError(`Cannot use manualReset ${shown(manualReset)}: expected true or false`);
    }
    const lock = formatLock(memory, KIND, name, ({ words }) => {
      Atomics.store(words, RESET, manualReset ? MANUAL_RESET : AUTO_RESET);
    });
    return new Event(MAKING, lock);
  }

  /**
   * Uses an event that somebody made.
   *
   * @param memory As for {@linkcode Event.format}.
   * @throws {LayoutError} If there is none.
   * @throws {TypeError} If it is no shared memory, or a read-only handle's.
   * @throws {RangeError} If it is too short, or begins at the wrong place.
   */
  static attach(memory: Uint8Array<SharedArrayBuffer>, options: LockMemoryOptions = {}): Event {
    return new Event(MAKING, attachLock(memory, KIND, readName(options)));
  }

  /** Whether it is set now. */
  get isSet(): boolean {
    this.#handle.checkOpen();
    return Atomics.load(this.#words, STATE) === 1;
  }

  /** Sets it, and wakes who waits. */
  set(): void {
    this.#handle.checkOpen();
    // SYNC: what was written before is there for who sees it set: isSet, and the exchange above.
    Atomics.store(this.#words, STATE, 1);
    this.#handle.notify();
  }

  /** Resets it: who comes now waits. */
  reset(): void {
    this.#handle.checkOpen();
    Atomics.store(this.#words, STATE, 0);
  }

  /**
   * Blocks this thread until it is let through.
   *
   * @returns `true`, or `undefined` at the deadline; at once with `timeoutMs: 0`.
   * @throws {PosixError} `EINTR` on a signal that the program listens for.
   */
  waitSync(options: LockSyncOptions = {}): true | undefined {
    const { timeoutMs } = readWait(options);
    return this.#handle.events.waitSync(this.#attempt, timeoutMs);
  }

  /**
   * Waits in the event loop until it is let through. Tasks of one thread are let through in their
   * order.
   *
   * @returns Rejects with a `TimeoutError` or the signal's reason; it has not been let through then.
   */
  async wait(options: LockOptions = {}): Promise<void> {
    const wait = readWait(options);
    await this.#handle.events.wait(this.#attempt, wait);
  }

  /**
   * Forgets the event: who awaits it through this handle gets a {@linkcode ClosedError}. Closing
   * twice does nothing.
   */
  close(): void {
    this.#handle.close();
  }

  /** The same as {@linkcode Event.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** How an event is reset: one of two values. */
function readReset(words: Int32Array, name: string): number {
  const reset = Atomics.load(words, RESET);
  if (reset === AUTO_RESET || reset === MANUAL_RESET) return reset;
  const found = `the way of resetting ${hex(reset)}`;
  throw new LayoutError({ action: "use event", target: name, found, expected: "0 or 1" });
}
