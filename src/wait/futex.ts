/**
 * Waiting for a change in shared memory, and waking who waits, in whatever thread or process.
 *
 * Rule: what is in memory is somebody else's word. No value there crashes anything or is waited for
 * without a bound: the worst it does is to delay a wait until it looks again by itself.
 */

import { LayoutError } from "../errors.ts";
import { C, type FutexEnd, futexWait, futexWake, shown, sys, wholeNumber } from "../sys/mod.ts";
import { interruptHint, SLICE_MS } from "./block.ts";
import { checkSignal } from "./abort.ts";
import { deadlineOf } from "./deadline.ts";
import {
  type BellListener,
  bellOfThisThread,
  checkBellOfThisThread,
  type Doorbell,
  isDead,
  ring,
} from "./doorbell.ts";
import {
  ARMED,
  ARMED_STEP,
  BELL_SLOTS,
  BELLS_OFFSET,
  CHANGES,
  EVENT_COUNT_BYTES,
  FORMAT,
  FORMAT_MARK,
  WORDS,
} from "./event_layout.ts";
import {
  armBell,
  disarmBell,
  type EventMemory,
  notifyAll,
  rearmBell,
  type Rung,
  type SleepEnd,
  sleepUnless,
} from "./event_steps.ts";
import { spinner } from "./spin.ts";
import { foundAtOnce, turnBegins } from "./turn.ts";
import { type Waiter, waiting } from "./waiter.ts";
import type { WaitOptions } from "./waiters.ts";

export { EVENT_COUNT_BYTES };

/** The words of one event count, in memory that processes share. */
class SharedEventMemory implements EventMemory {
  readonly bellSlots = BELL_SLOTS;
  readonly #words: Int32Array;
  readonly #bells: BigUint64Array;
  /** SAFETY: of the words, which this object references; shared buffers never move. */
  readonly #address: bigint;
  readonly #target: string;

  constructor(memory: SharedArrayBuffer, byteOffset: number, target: string) {
    this.#words = new Int32Array(memory, byteOffset, WORDS);
    this.#bells = new BigUint64Array(memory, byteOffset + BELLS_OFFSET, BELL_SLOTS);
    this.#address = sys().addressOf(new Uint8Array(memory, byteOffset, EVENT_COUNT_BYTES));
    this.#target = target;
  }

  // SYNC: all of them are sequentially consistent, across processes and with C11 too: who publishes
  // by an atomic store and then loads `armed`, and who arms and then loads what is published,
  // cannot both miss the other.

  loadChanges(): number {
    return Atomics.load(this.#words, CHANGES);
  }

  addChange(): void {
    Atomics.add(this.#words, CHANGES, 1);
  }

  loadArmed(): number {
    return Atomics.load(this.#words, ARMED);
  }

  countArmed(): void {
    Atomics.add(this.#words, ARMED, ARMED_STEP);
  }

  exchangeArmed(expected: number, replacement: number): void {
    Atomics.compareExchange(this.#words, ARMED, expected, replacement);
  }

  setBits(bits: number): void {
    Atomics.or(this.#words, ARMED, bits);
  }

  clearBits(bits: number): void {
    Atomics.and(this.#words, ARMED, ~bits);
  }

  loadBell(slot: number): bigint {
    return Atomics.load(this.#bells, slot);
  }

  exchangeBell(slot: number, expected: bigint, replacement: bigint): boolean {
    return Atomics.compareExchange(this.#bells, slot, expected, replacement) === expected;
  }

  /** In slices, so that a worker that is terminated ends and a process that is told to end does. */
  sleep(changes: number, timeoutMs: number): SleepEnd {
    const deadline = performance.now() + timeoutMs;
    for (let leftMs = timeoutMs; leftMs > 0; leftMs = deadline - performance.now()) {
      const sliceMs = Math.min(SLICE_MS, leftMs);
      const end: FutexEnd = futexWait(
        this.#address,
        changes >>> 0,
        sliceMs,
        this.#target,
        interruptHint,
      );
      if (end !== "timeout") return end;
    }
    return "timeout";
  }

  wakeSleepers(): void {
    futexWake(this.#address, C.INT_MAX, this.#target);
  }

  ring(bell: bigint): Rung {
    return ring(bell);
  }

  isDead(bell: bigint): boolean {
    return isDead(bell);
  }

  // Not steps: once, before anybody waits.

  format(): void {
    const other = this.#words.findIndex((word) => word !== 0);
    if (other !== -1) {
      throw this.#layoutError("format", `${hex(this.#words[other]!)} in word ${other}`, "zeros");
    }
    Atomics.store(this.#words, FORMAT, FORMAT_MARK);
  }

  validate(): void {
    const found = Atomics.load(this.#words, FORMAT);
    if (found !== FORMAT_MARK) {
      throw this.#layoutError("attach to", `the mark ${hex(found)}`, hex(FORMAT_MARK));
    }
  }

  #layoutError(action: string, found: string, expected: string): LayoutError {
    const init = { target: this.#target, found, expected };
    return new LayoutError({ action: `${action} an event count in`, ...init });
  }
}

function hex(word: number): string {
  return `0x${(word >>> 0).toString(16).padStart(8, "0")}`;
}

/** How somebody waits on an event count. */
export interface EventCountOptions {
  /**
   * How long a wait can go without looking by itself: a change that nobody announced is found that
   * late. Milliseconds, 1 to 2147483647.
   * @default {100 for a blocked thread, 1000 for an event loop}
   */
  lookEveryMs?: number | undefined;
  /**
   * Whether a wait tries for a short while before it parks, where that pays.
   * @default {true}
   */
  spin?: boolean | undefined;
  /** What errors call the memory. */
  target?: string | undefined;
}

/** So many looks between two times that the processor is given away: a microsecond or so. */
const LOOKS_A_TRY = 25;

/** Tells the processor that somebody else is waited for; absent in Node 20 and 22. */
const pause: () => void = (Atomics as { pause?: () => void }).pause ?? (() => {});

/** What an event loop does whose bell cannot be rung: it looks after 1 ms, 2, 4, … */
const FIRST_LOOK_MS = 1, LAST_LOOK_MS = 50;

const ASYNC_LOOK_MS = 1000;

/** The longest that a timer of the runtimes takes. */
const MAX_LOOK_MS = 2 ** 31 - 1;

/** Where a thread's bell is armed in an event count. */
interface Place {
  readonly bell: Doorbell;
  readonly slot: number;
  /** How many objects of this thread wait by it. */
  users: number;
  /** Whether somebody has put another bell there. */
  isLost: boolean;
}

const placesOf = new WeakMap<SharedArrayBuffer, Map<number, Place>>();

function placesIn(memory: SharedArrayBuffer): Map<number, Place> {
  let places = placesOf.get(memory);
  if (places === undefined) placesOf.set(memory, places = new Map());
  return places;
}

/**
 * An event count (D. Vyukov's term): who waits for something in shared memory says so here, and
 * who changes something there wakes them. What they wait for is the caller's.
 *
 * ```text
 * publish:  Atomics.store(words, READY, 1); events.notify();
 * wait:     events.waitSync(() => Atomics.load(words, READY) === 1 ? "ready" : undefined)
 * ```
 *
 * `notify` costs one atomic load while nobody waits. It wakes everybody, and each looks for itself.
 * A waiter can be a blocked thread or an event loop, the two sides any threads of any processes of
 * one user; those of other users cannot ring, and then the event loop looks by itself.
 *
 * A process may be killed at any instruction. If it had published and not yet notified, a waiter
 * finds that by itself, at the latest after `lookEveryMs`. What a killed waiter leaves costs one
 * notifier a system call or two: it takes away the bit that says that a thread sleeps, or the bell
 * of an event loop.
 *
 * SAFETY: never in a read-only handle's memory, which is a private mapping: it would freeze the
 * page there, and nobody else could wake.
 */
export class EventCount {
  readonly #memory: SharedEventMemory;
  readonly #byteOffset: number;
  /** Those of this thread in the same buffer, by their offsets. */
  readonly #places: Map<number, Place>;
  readonly #target: string;
  readonly #spin: boolean;
  readonly #sleepMs: number;
  readonly #asyncMs: number;

  /** Who waits in this event loop, first come, first served. */
  readonly #line = new Set<Waiter>();
  /** Where its bell is armed. */
  #place: Place | undefined;
  /** Its bell lost its place to somebody who could not find it: not used again for this line. */
  #unheard = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lookMs = FIRST_LOOK_MS;
  /** When it tries to get into the table again. */
  #nextArmMs = 0;
  #unannounced = 0;
  readonly #listener: BellListener = {
    rearm: () => this.#rearm(),
    look: () => void this.#lookInTurn(),
    deafen: () => this.#deafen(),
  };

  private constructor(
    memory: SharedArrayBuffer,
    byteOffset: number,
    { lookEveryMs, spin = true, target = "shared memory" }: EventCountOptions,
  ) {
    if (!(memory instanceof SharedArrayBuffer)) {
      // SAFETY: other memory may move, and the kernel is told an address.
      throw new TypeError("Cannot use the memory: it is no SharedArrayBuffer, expected one");
    }
    const last = memory.byteLength - EVENT_COUNT_BYTES;
    wholeNumber(byteOffset, { name: "byteOffset", min: 0, max: last });
    if (byteOffset % EVENT_COUNT_BYTES !== 0) {
      throw new RangeError(
        `Cannot use byteOffset ${byteOffset}: expected a multiple of ${EVENT_COUNT_BYTES}`,
      );
    }
    if (lookEveryMs !== undefined) {
      wholeNumber(lookEveryMs, { name: "lookEveryMs", min: 1, max: MAX_LOOK_MS });
    }
    this.#memory = new SharedEventMemory(memory, byteOffset, target);
    this.#byteOffset = byteOffset;
    this.#places = placesIn(memory);
    this.#target = target;
    this.#spin = spin;
    this.#sleepMs = lookEveryMs ?? SLICE_MS;
    this.#asyncMs = lookEveryMs ?? ASYNC_LOOK_MS;
  }

  /**
   * Makes zeroed memory an event count.
   *
   * @param byteOffset Where it begins, a multiple of {@linkcode EVENT_COUNT_BYTES}.
   * @throws {LayoutError} If there is something else than zeros.
   * @throws {RangeError} If the memory has no room for it there.
   */
  static format(
    memory: SharedArrayBuffer,
    byteOffset: number,
    options: EventCountOptions = {},
  ): EventCount {
    const made = new EventCount(memory, byteOffset, options);
    made.#memory.format();
    return made;
  }

  /**
   * Uses an event count that somebody made.
   *
   * @throws {LayoutError} If there is none.
   * @throws {RangeError} If the memory has no room for it there.
   */
  static attach(
    memory: SharedArrayBuffer,
    byteOffset: number,
    options: EventCountOptions = {},
  ): EventCount {
    const found = new EventCount(memory, byteOffset, options);
    found.#memory.validate();
    return found;
  }

  /**
   * How many changes this object's waits found that no notifier had announced: it was killed, the
   * table of bells was full, or the change was a plain store.
   */
  get unannounced(): number {
    return this.#unannounced;
  }

  /** Wakes everybody who waits; to be called after each atomic store that somebody may wait for. */
  notify(): void {
    notifyAll(this.#memory);
  }

  /**
   * Tries, then blocks this thread and tries again, until it works or the deadline has passed.
   *
   * @param attempt Looks whether what is waited for is there, and takes it if that is meant; gives
   * `undefined` when it is not there. Called often: it should cost little.
   * @param timeoutMs Milliseconds; `undefined` and Infinity: for ever, 0: once.
   * @returns What `attempt` gave, or `undefined` at the deadline.
   * @throws {PosixError} `EINTR` on a signal that the program listens for.
   */
  waitSync<T>(attempt: () => T | undefined, timeoutMs?: number): T | undefined {
    const deadline = deadlineOf(timeoutMs);
    let value = attempt();
    if (value !== undefined || timeoutMs === 0) return value;
    if (this.#spin) value = spinOn(attempt);
    const look = () => (value = attempt()) !== undefined;
    while (value === undefined) {
      const remainingMs = deadline - performance.now();
      if (remainingMs <= 0) return undefined;
      const end = sleepUnless(this.#memory, look, Math.min(this.#sleepMs, remainingMs));
      if (end !== "found" && look() && end === "timeout") this.#unannounced++;
    }
    return value;
  }

  /**
   * Tries, then waits in the event loop and tries again, until it works. Calls are served in their
   * order, as far as their attempts allow.
   *
   * @param attempt As for {@linkcode EventCount.waitSync}. What it throws rejects.
   * @returns What `attempt` gave. Rejects with the signal's reason, or a `TimeoutError`.
   */
  wait<T>(
    attempt: () => T | undefined,
    { timeoutMs, signal }: Pick<WaitOptions, "timeoutMs" | "signal"> = {},
  ): Promise<T> {
    let deadline: number;
    try {
      deadline = deadlineOf(timeoutMs);
      checkSignal(signal);
      // Who came before is served before.
      if (this.#line.size === 0) {
        let value = attempt();
        if (value === undefined && timeoutMs !== 0 && this.#spin) value = spinOn(attempt);
        if (value !== undefined) return Promise.resolve(foundAtOnce(value));
      }
    } catch (error) {
      return Promise.reject(error);
    }
    return waiting(attempt, { deadline, timeoutMs, signal, awaited: shown(this.#target) }, {
      enter: (waiter) => this.#enter(waiter),
      leave: (waiter) => this.#leave(waiter),
      isNext: () => true, // others may wait for something else
    });
  }

  /** Rejects all who wait in this event loop: the memory is about to be closed. */
  end(error: Error): void {
    for (const waiter of this.#line) {
      this.#leave(waiter);
      waiter.reject(error);
    }
  }

  #enter(waiter: Waiter): void {
    this.#line.add(waiter);
    if (this.#line.size === 1) this.#arm();
    this.#look(); // again, now that it is armed
    if (this.#line.size === 0) return;
    if (this.#timer === undefined) this.#lookLater();
    this.#place?.bell.join(this.#listener);
  }

  #leave(waiter: Waiter): void {
    this.#line.delete(waiter);
    waiter.release();
    if (this.#line.size > 0) return;
    this.#disarm();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#unheard = false;
    this.#lookMs = FIRST_LOOK_MS;
  }

  #arm(): void {
    this.#nextArmMs = performance.now() + ASYNC_LOOK_MS;
    const bell = bellOfThisThread();
    this.#place = bell && this.#takePlace(bell);
  }

  /** One slot for all objects of this thread on one event count: others need the rest. */
  #takePlace(bell: Doorbell): Place | undefined {
    const taken = this.#places.get(this.#byteOffset);
    if (taken?.bell === bell && !taken.isLost && rearmBell(this.#memory, taken.slot, bell.id)) {
      taken.users++;
      return taken;
    }
    const slot = armBell(this.#memory, bell.id);
    if (slot === undefined) return undefined;
    const place = { bell, slot, users: 1, isLost: false };
    this.#places.set(this.#byteOffset, place);
    return place;
  }

  #disarm(): void {
    const place = this.#place;
    if (place === undefined) return;
    this.#place = undefined;
    if (--place.users === 0) {
      if (!place.isLost) disarmBell(this.#memory, place.slot, place.bell.id);
      if (this.#places.get(this.#byteOffset) === place) this.#places.delete(this.#byteOffset);
    }
    place.bell.leave(this.#listener);
  }

  #rearm(): void {
    const place = this.#place;
    if (place === undefined) return;
    if (!place.isLost && rearmBell(this.#memory, place.slot, place.bell.id)) return;
    place.isLost = true;
    // Somebody could not find the bell, as from another IPC namespace, and would not the next time.
    this.#unheard = true;
    this.#deafen();
  }

  /** From now on only the clock says when to look. */
  #deafen(): void {
    this.#disarm();
    this.#lookLater();
  }

  /** A look by the clock, whatever the bell says. */
  #lookLater(): void {
    clearTimeout(this.#timer);
    let ms = this.#asyncMs;
    if (this.#place === undefined) {
      ms = Math.min(ms, this.#lookMs);
      this.#lookMs = Math.min(LAST_LOOK_MS, this.#lookMs * 2);
    }
    this.#timer = setTimeout(() => this.#lookByClock(), ms);
  }

  #lookByClock(): void {
    checkBellOfThisThread();
    if (this.#place !== undefined) this.#rearm();
    else if (!this.#unheard && performance.now() >= this.#nextArmMs) this.#arm();
    this.#unannounced += this.#lookInTurn();
    if (this.#line.size === 0) return;
    this.#lookLater();
    this.#place?.bell.join(this.#listener);
  }

  /** A look that the event loop calls for. */
  #lookInTurn(): number {
    turnBegins();
    return this.#look();
  }

  /** Serves who waits, each at most once; gives how many were served. */
  #look(): number {
    let left = this.#line.size, served = 0;
    for (const waiter of this.#line) {
      if (left-- === 0) break; // it came while the others were served
      let value;
      try {
        value = waiter.attempt();
      } catch (error) {
        this.#leave(waiter);
        waiter.reject(error);
        continue;
      }
      if (value === undefined) continue; // others may wait for something else
      served++;
      this.#leave(waiter);
      waiter.resolve(value);
    }
    return served;
  }
}

/** Looks a few hundred times, and gives the processor away now and then. */
function spinOn<T>(attempt: () => T | undefined): T | undefined {
  return spinner.spin(() => {
    for (let looks = 0; looks < LOOKS_A_TRY; looks++) {
      const value = attempt();
      if (value !== undefined) return value;
      pause();
    }
  });
}
