/**
 * What this thread has open, one bit per descriptor: in memory of its own, or in a table that
 * another thread reads when this one was ended from outside.
 *
 * Rule: a descriptor is entered right after the call that opens it and taken out right before the
 * call that closes it, with no loop and no call of JavaScript in between. An engine ends a thread
 * only there and at the beginning of a function, so nothing is ever open and not entered.
 *
 * ```text
 * word    0       1        2         3      4       5       6
 *         +-------+--------+---------+------+-------+-------+--------- ... ---------+
 *         | magic | thread | started | bell | place (64 bit)| a bit per descriptor  |
 *         +-------+--------+---------+------+-------+-------+--------- ... ---------+
 *           once   0: nobody yet       what ends the parked   descriptor 0 is the
 *                  -1: never will      call, and its memory   lowest bit of word 6
 *                  else its task       (0: there is none)
 * ```
 */

import type { CTable } from "./symbols.ts";
import type { Functions } from "./port.ts";

/** Says that memory is a record, and of which layout. */
export const RECORD_MAGIC = 0x70626401;

/** Where things are, in words of 32 bits. */
export const RECORD = {
  MAGIC: 0,
  THREAD: 1,
  STARTED: 2,
  BELL: 3,
  PLACE_LOW: 4,
  PLACE_HIGH: 5,
  DESCRIPTORS: 6,
} as const;

/**
 * Descriptors from here on are not recorded. The kernel gives the lowest free number, and by
 * default lets no process have more (/proc/sys/fs/nr_open).
 */
const MAX_DESCRIPTORS = 2 ** 20;

/** How long a record is. What is not written takes no memory. */
export const RECORD_BYTES = (RECORD.DESCRIPTORS + MAX_DESCRIPTORS / 32) * 4;

/** The record of this thread; its own until {@linkcode recordIn}. */
let words: Int32Array | undefined;

/** The record of this thread, made at the first use. */
function record(): Int32Array {
  return words ??= new Int32Array(RECORD_BYTES / 4);
}

/** From now on the record is in memory that another thread has too; what is open is entered. */
export function recordIn(shared: Int32Array): void {
  const own = record();
  for (let index = RECORD.BELL; index < own.length; index++) {
    // Only what is not 0: the rest of the memory stays untouched, and so unallocated.
    if (own[index] !== 0) shared[index] = own[index]!;
  }
  words = shared;
}

/** Enters a descriptor that was not opened by a call of the table, and is this thread's now. */
export function enterDescriptor(fd: number): void {
  record()[RECORD.DESCRIPTORS + (fd >>> 5)]! |= 1 << fd;
}

/** The same functions; those that open and close descriptors keep the record. */
export function recording<T extends CTable>(table: T, functions: Functions<T>): Functions<T> {
  record();
  const recorded: Record<string, unknown> = { ...functions };
  for (const [key, { opens, closes }] of Object.entries(table)) {
    const call = functions[key] as (...values: unknown[]) => number;
    if (opens) {
      recorded[key] = (...values: unknown[]) => {
        const fd = call(...values);
        if (fd !== -1) words![RECORD.DESCRIPTORS + (fd >>> 5)]! |= 1 << fd;
        return fd;
      };
    }
    if (closes) {
      recorded[key] = (fd: number) => {
        words![RECORD.DESCRIPTORS + (fd >>> 5)]! &= ~(1 << fd);
        return call(fd);
      };
    }
  }
  return recorded as Functions<T>;
}

/** What is entered, in ascending order. */
export function descriptorsIn(shared: Int32Array): number[] {
  const found: number[] = [];
  for (let index = RECORD.DESCRIPTORS; index < shared.length; index++) {
    for (let bits = shared[index]!; bits !== 0; bits &= bits - 1) {
      const lowest = 31 - Math.clz32(bits & -bits);
      found.push((index - RECORD.DESCRIPTORS) * 32 + lowest);
    }
  }
  return found;
}

/** Takes a descriptor out. */
export function forgetDescriptor(shared: Int32Array, fd: number): void {
  shared[RECORD.DESCRIPTORS + (fd >>> 5)]! &= ~(1 << fd);
}

/** The call that a thread has parked in the runtime's pool: what ends it, and its memory. */
export interface Parked {
  /** An eventfd(2). */
  bell: number;
  /** The address of its pollfds. */
  place: bigint;
}

/** Enters the parked call of this thread. There is room for one: that of the reactor. */
export function enterParked({ bell, place }: Parked): void {
  const own = record();
  if (parkedIn(own) !== undefined) return;
  own[RECORD.BELL] = bell;
  own[RECORD.PLACE_LOW] = Number(BigInt.asIntN(32, place));
  own[RECORD.PLACE_HIGH] = Number(BigInt.asIntN(32, place >> 32n));
}

/** Takes the parked call of this thread out, before its bell is closed. */
export function forgetParked({ place }: Parked): void {
  const own = record();
  if (parkedIn(own)?.place !== place) return;
  own[RECORD.PLACE_LOW] = 0;
  own[RECORD.PLACE_HIGH] = 0;
}

/** The parked call that is entered, if there is one. */
export function parkedIn(shared: Int32Array): Parked | undefined {
  const low = BigInt.asUintN(32, BigInt(shared[RECORD.PLACE_LOW]!));
  const high = BigInt.asUintN(32, BigInt(shared[RECORD.PLACE_HIGH]!));
  const place = high << 32n | low;
  return place === 0n ? undefined : { bell: shared[RECORD.BELL]!, place };
}
