/**
 * What this thread has open, one bit per descriptor: in memory of its own, or in memory that it
 * shares with a thread that closes what is left when this one was ended from outside.
 *
 * Rule: a descriptor is entered right after the call that opens it and taken out right before the
 * call that closes it, with no loop and no call of JavaScript in between. An engine ends a thread
 * only there and where a function begins, so nothing is ever open and not entered.
 *
 * ```text
 * byte   0        4        8                16               24
 *        +--------+--------+----------------+----------------+---------- ... ----------+
 *        | magic  | bell   | thread         | place          | one bit per descriptor  |
 *        +--------+--------+----------------+----------------+---------- ... ----------+
 *          once     of the   whose it is,     of the parked    descriptor 0 is the lowest
 *                   parked   src/life says    call; 0: there   bit of the first word
 *                   call                      is none
 * ```
 */

import type { Functions } from "./port.ts";
import type { CTable } from "./symbols.ts";

/** Says that memory is a record, and of which layout. */
export const RECORD_MAGIC = 0x70626401;

/** Where things are, in words of 32 bits. */
const MAGIC = 0, BELL = 1, BITS = 6;

/** Where things are, in words of 64 bits. */
const THREAD = 1, PLACE = 2;

/**
 * Descriptors from here on are not entered. The kernel gives the lowest free number, and lets no
 * process have more unless it is told to (/proc/sys/fs/nr_open).
 */
const MAX_DESCRIPTORS = 2 ** 20;

/** How long a record is. What is never written takes no memory. */
export const RECORD_BYTES = BITS * 4 + MAX_DESCRIPTORS / 8;

/** What one thread has open. */
export interface DescriptorRecord {
  readonly words: Int32Array;
  /** The same memory. */
  readonly longs: BigInt64Array;
}

/** A record in memory that is one, or is all zeros. */
export function recordOn(buffer: ArrayBufferLike): DescriptorRecord {
  return { words: new Int32Array(buffer), longs: new BigInt64Array(buffer) };
}

/** Makes zeros a record. */
export function formatRecord({ words }: DescriptorRecord): void {
  words[MAGIC] = RECORD_MAGIC;
}

/** What stands where {@linkcode RECORD_MAGIC} should. */
export function magicOf({ words }: DescriptorRecord): number {
  return words[MAGIC]!;
}

/** Puts a thread in the place of another, when that is there; gives who was there before. */
export function exchangeThread({ longs }: DescriptorRecord, from: bigint, to: bigint): bigint {
  return Atomics.compareExchange(longs, THREAD, from, to);
}

/** What is entered, in ascending order. */
export function descriptorsIn({ words }: DescriptorRecord): number[] {
  const found: number[] = [];
  for (let index = BITS; index < words.length; index++) {
    for (let bits = words[index]!; bits !== 0; bits &= bits - 1) {
      found.push((index - BITS) * 32 + 31 - Math.clz32(bits & -bits));
    }
  }
  return found;
}

/** Takes a descriptor out. */
export function forgetDescriptor({ words }: DescriptorRecord, fd: number): void {
  words[BITS + (fd >>> 5)]! &= ~(1 << fd);
}

/** The call that a thread has parked in the runtime's pool. */
export interface Parked {
  /** The eventfd(2) that ends it. */
  bell: number;
  /** The address of its memory: parking.ts. */
  place: bigint;
}

/** The parked call that is entered, if there is one. */
export function parkedIn({ words, longs }: DescriptorRecord): Parked | undefined {
  const place = longs[PLACE]!;
  return place === 0n ? undefined : { bell: words[BELL]!, place };
}

/** That of this thread, once it has one. */
let own: DescriptorRecord | undefined;

function ownRecord(): DescriptorRecord {
  return own ??= recordOn(new ArrayBuffer(RECORD_BYTES));
}

/** Keeps the record of this thread in shared memory from now on; what is open is entered. */
export function recordIn(shared: DescriptorRecord): void {
  const { words, longs } = ownRecord();
  shared.words[BELL] = words[BELL]!;
  shared.longs[PLACE] = longs[PLACE]!;
  for (let index = BITS; index < words.length; index++) {
    // Not the zeros: what is not written takes no memory.
    if (words[index] !== 0) shared.words[index] = words[index]!;
  }
  own = shared;
}

/** Enters a descriptor that no call of the table opened and that is this thread's now. */
export function enterDescriptor(fd: number): void {
  ownRecord().words[BITS + (fd >>> 5)]! |= 1 << fd;
}

/** Enters the parked call of this thread. There is room for one: that of the reactor. */
export function enterParked({ bell, place }: Parked): void {
  const { words, longs } = ownRecord();
  if (longs[PLACE] !== 0n) return;
  words[BELL] = bell;
  longs[PLACE] = place;
}

/** Takes the parked call of this thread out, before its bell is closed. */
export function forgetParked({ place }: Parked): void {
  const { longs } = ownRecord();
  if (longs[PLACE] === place) longs[PLACE] = 0n;
}

/** The same functions; those that open and close descriptors keep this thread's record. */
export function recording<T extends CTable>(table: T, functions: Functions<T>): Functions<T> {
  ownRecord();
  const recorded: Record<string, unknown> = {};
  for (const [key, { opens, closes }] of Object.entries(table)) {
    const call = functions[key] as (...values: unknown[]) => number;
    recorded[key] = call;
    if (opens) {
      recorded[key] = (...values: unknown[]) => {
        const fd = call(...values);
        if (fd !== -1) own!.words[BITS + (fd >>> 5)]! |= 1 << fd;
        return fd;
      };
    } else if (closes) {
      recorded[key] = (fd: number) => {
        own!.words[BITS + (fd >>> 5)]! &= ~(1 << fd);
        return call(fd);
      };
    }
  }
  // As a driver does it: as a prototype it is no hash table.
  return Object.create(recorded) as Functions<T>;
}
