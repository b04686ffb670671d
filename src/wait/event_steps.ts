/**
 * Waiting and waking on an event count, step by step.
 *
 * ```text
 * notifier                      thread that blocks            event loop that waits
 * ──────────────────────────    ──────────────────────────    ─────────────────────────────────────
 * publish (the caller)          read changes                  claim a slot with its bell
 * read armed; nobody: done      arm: count it, set the bit    arm: count it, set the slot's bit
 * sleepers: add a change,       look (the caller)             look (the caller)
 *           wake them           sleep unless changed          until it finds something:
 * bells:    read and ring       look                            park until the bell is rung
 * disarm those, if nobody                                       drain the bell, arm, look
 *           armed meanwhile                                   disarm: clear the bit, free the slot
 * ```
 *
 * Why no wake-up is lost:
 *
 * - Who looked and saw nothing had armed before. What is published after that look is published by
 *   somebody who finds it armed.
 * - A sleeper reads `changes` before it arms, so it does not fall asleep after the change that is
 *   meant for it. A bell is drained before its owner arms and looks, so what rings it later finds
 *   it empty.
 * - A notifier disarms only those that it has woken, after it has; they arm again if they wait on.
 *   It is sure of them when nobody armed since it read `armed`: who armed later did so after its
 *   change or its ring, and might sleep already. If it is killed before, they are woken once more
 *   for nothing.
 *
 * Rule: each call of {@linkcode EventMemory} is one step: one access to what others use at the same
 * time, and a process may be killed after any of them. The model test runs these functions, not a
 * copy, on a memory of its own, in every order of their steps and with every death. One that is
 * killed between publishing and waking is the one that a waiter cannot hear: it looks again after a
 * while by itself.
 */

import { FIRST_BELL_BIT, SLEEPERS_BIT, WAITING_MASK } from "./event_layout.ts";

/** What became of ringing: `gone` when the bell's owner is dead, `refused` when it is another's. */
export type Rung = "rung" | "refused" | "gone";

/** Why a thread sleeps no longer. */
export type SleepEnd = "woken" | "changed" | "timeout";

/** An event count's words and what is behind them. Each call is one step. */
export interface EventMemory {
  readonly bellSlots: number;

  loadChanges(): number;
  addChange(): void;

  loadArmed(): number;
  /** Adds 1 to the count in `armed`. */
  countArmed(): void;
  setBits(bits: number): void;
  clearBits(bits: number): void;
  /** Replaces `armed` if it is as expected. */
  exchangeArmed(expected: number, replacement: number): void;

  loadBell(slot: number): bigint;
  /** Replaces a bell if it is as expected, and tells whether. */
  exchangeBell(slot: number, expected: bigint, replacement: bigint): boolean;

  /** Blocks until it is woken or the time is up; not at all when `changes` is another. */
  sleep(changes: number, timeoutMs: number): SleepEnd;
  /** Wakes all who sleep. */
  wakeSleepers(): void;

  /** Rings a bell; one that has been rung and not answered yet counts as rung. */
  ring(bell: bigint): Rung;
  /** Whether a bell's owner is dead; its bell is removed then. */
  isDead(bell: bigint): boolean;
}

/** Wakes who waits, after something was published. */
export function notifyAll(memory: EventMemory): void {
  const armed = memory.loadArmed();
  if ((armed & WAITING_MASK) !== 0) wake(memory, armed);
}

function wake(memory: EventMemory, armed: number): void {
  let woken = 0;
  if ((armed & SLEEPERS_BIT) !== 0) {
    // The change comes first: a thread that has not fallen asleep yet sees it and stays awake.
    memory.addChange();
    memory.wakeSleepers();
    woken |= SLEEPERS_BIT;
  }
  for (let slot = 0; slot < memory.bellSlots; slot++) {
    if ((armed & bellBit(slot)) === 0) continue;
    if (ringSlot(memory, slot)) woken |= bellBit(slot);
  }
  memory.exchangeArmed(armed, armed & ~woken);
}

/** Whether there is nobody left in a slot who has to be woken. */
function ringSlot(memory: EventMemory, slot: number): boolean {
  const bell = memory.loadBell(slot);
  if (bell === 0n) return true;
  const rung = memory.ring(bell);
  if (rung === "gone") memory.exchangeBell(slot, bell, 0n);
  return rung !== "refused"; // another notifier may be allowed to
}

/**
 * Blocks this thread until a notifier wakes it, unless `look` finds what is waited for.
 *
 * It leaves the sleepers' bit: another may sleep. At the worst somebody is woken who is not there.
 *
 * @param look Whether there is nothing more to wait for.
 * @returns Why the sleep is over: look again. `found` when the look said so.
 */
export function sleepUnless(
  memory: EventMemory,
  look: () => boolean,
  timeoutMs: number,
): SleepEnd | "found" {
  const changes = memory.loadChanges();
  arm(memory, SLEEPERS_BIT);
  return look() ? "found" : memory.sleep(changes, timeoutMs);
}

/** In this order: a notifier that looked before the count could take the bit away again. */
function arm(memory: EventMemory, bit: number): void {
  memory.countArmed();
  memory.setBits(bit);
}

/**
 * Puts a bell into the table and arms it; look again then.
 *
 * @returns Its slot, or `undefined` when the table is full of bells whose owners live.
 */
export function armBell(memory: EventMemory, bell: bigint): number | undefined {
  const slot = claimSlot(memory, bell);
  if (slot !== undefined) arm(memory, bellBit(slot));
  return slot;
}

function claimSlot(memory: EventMemory, bell: bigint): number | undefined {
  for (let slot = 0; slot < memory.bellSlots; slot++) {
    if (memory.exchangeBell(slot, 0n, bell)) return slot;
  }
  for (let slot = 0; slot < memory.bellSlots; slot++) {
    const other = memory.loadBell(slot);
    if (other === 0n || !memory.isDead(other)) continue;
    if (memory.exchangeBell(slot, other, bell)) return slot;
  }
  return undefined;
}

/** Arms a bell again, after it was drained and before the look; false when it lost its slot. */
export function rearmBell(memory: EventMemory, slot: number, bell: bigint): boolean {
  if (memory.loadBell(slot) !== bell) return false;
  arm(memory, bellBit(slot));
  return true;
}

/** Takes a bell out of the table. */
export function disarmBell(memory: EventMemory, slot: number, bell: bigint): void {
  if (memory.loadBell(slot) !== bell) return; // somebody took its owner for dead
  // In this order: a free slot may be another's at once, and its bit with it.
  memory.clearBits(bellBit(slot));
  memory.exchangeBell(slot, bell, 0n);
}

/** Something that waits for a bell. */
export interface Listener {
  /** Arms the bell again. */
  rearm(): void;
  /** Looks whether what it waits for is there. */
  look(): void;
}

/** What an event loop does whose bell was rung. A ring that comes after the drain is a new one. */
export function answerBell(drain: () => void, listeners: Iterable<Listener>): void {
  drain();
  for (const listener of listeners) {
    listener.rearm();
    listener.look();
  }
}

function bellBit(slot: number): number {
  return FIRST_BELL_BIT << slot;
}
