/**
 * Counting one piece so that being killed at any instruction spoils nothing, and settling what a
 * killed process left.
 *
 * Rule: one step is one state on the way below, and each step may be the last of its process.
 *
 * ```text
 *                step            shared memory afterwards            killed here: settle()
 *   (received)                   state FREE                          it is sent again
 *   claim        one CAS         state CLAIMED                       frees it; it is sent again
 *   count        CAS a new word  keys that nobody counted yet        frees it; such keys are harmless
 *   write        plain stores    journal: slot, new absolute count   frees it; nobody reads those
 *   commit       one store       COMMIT = piece + 1                  copies the journal, state DONE
 *   apply        a store a word  own column: the new counts          copies the journal, state DONE
 *   done         one store       state DONE                          copies the journal, state DONE
 *   clear        one store       COMMIT = 0                          nothing to do
 * ```
 *
 * The counts in the journal are absolute and nobody else writes the column, so copying it twice
 * is copying it once. Two processes can get the same piece (one was sent again while its first
 * message was still on the way): the CAS of `claim` lets one of them have it.
 */

import { FOLD, MAX_WORD_BYTES } from "./pieces.ts";
import { claimedBy, COMMIT, doneBy, FREE, JOURNAL_LENGTH, type Table } from "./table.ts";

/** Where the words are: the bytes of a file, mapped. */
export type BytesOf = (file: number) => Uint8Array;

/** How many words or entries one step takes: the process looks around in between. */
const BATCH = 4096;

/** How many slots are tried for a word. A table where that is not enough is as good as full. */
const MAX_PROBES = 4096;

/** There is no slot for one more word. */
export class TableFullError extends RangeError {
  override readonly name = "TableFullError";

  constructor(slots: number) {
    super(
      `Cannot count: no slot is free for one more word in a table of ${slots}, expected fewer ` +
        `different words or a larger table: --slots ${slots * 2}`,
    );
  }
}

type Step = "claim" | "count" | "write" | "commit" | "apply" | "done" | "clear" | "end";

/** Counts pieces into one column of a table. */
export class Counter {
  readonly #table: Table;
  readonly #column: number;
  readonly #bytesOf: BytesOf;
  readonly #batch: number;

  readonly #states: Int32Array;
  readonly #control: Int32Array;
  readonly #counts: BigUint64Array;
  readonly #journalSlots: Uint32Array;
  readonly #journalCounts: BigUint64Array;

  // What this process has seen of the keys. A key never changes once it is there, so this copy
  // cannot be wrong, only incomplete: length 0 means that the slot was not looked at yet.
  readonly #lengths: Uint16Array;
  readonly #hashes: Int32Array;
  readonly #files: Uint32Array;
  readonly #offsets: Float64Array;

  /** Per slot, how often its word came in the present piece. */
  readonly #pieceCounts: Uint32Array;
  /** The slots whose words came in the present piece. */
  readonly #touched: Uint32Array;
  #touchedCount = 0;

  #step: Step = "end";
  #piece = 0;
  #file = 0;
  #bytes: Uint8Array = new Uint8Array();
  /** The next byte to look at, and the end of the piece. */
  #at = 0;
  #end = 0;
  /** The next entry to write or to apply. */
  #entry = 0;

  /**
   * @param column Whose owner the caller is; nobody else may be.
   * @param batch How many words or entries one step takes; tests take 1.
   */
  constructor(table: Table, column: number, bytesOf: BytesOf, batch: number = BATCH) {
    const { slots, journalEntries } = table.size;
    this.#table = table;
    this.#column = column;
    this.#bytesOf = bytesOf;
    this.#batch = batch;
    this.#states = table.states;
    this.#control = table.control(column);
    this.#counts = table.counts(column);
    this.#journalSlots = table.journalSlots(column);
    this.#journalCounts = table.journalCounts(column);
    this.#lengths = new Uint16Array(slots);
    this.#hashes = new Int32Array(slots);
    this.#files = new Uint32Array(slots);
    this.#offsets = new Float64Array(slots);
    this.#pieceCounts = new Uint32Array(slots);
    this.#touched = new Uint32Array(journalEntries);
  }

  /** What {@linkcode Counter.step} does next. */
  get next(): Step {
    return this.#step;
  }

  /** Begins with a piece. The one before must be at its end. */
  begin(piece: number): void {
    this.#piece = piece;
    this.#step = "claim";
  }

  /**
   * Goes one step on.
   *
   * @returns False when the piece is done, or was somebody else's from the beginning.
   * @throws {TableFullError} If a new word found no slot.
   */
  step(): boolean {
    switch (this.#step) {
      case "claim":
        return this.#claim();
      case "count":
        return this.#count();
      case "write":
        return this.#write();
      case "commit":
        return this.#commit();
      case "apply":
        return this.#apply();
      case "done":
        return this.#done();
      case "clear":
        return this.#clear();
      case "end":
        return false;
    }
  }

  #claim(): boolean {
    const mine = claimedBy(this.#column);
    if (Atomics.compareExchange(this.#states, this.#piece, FREE, mine) !== FREE) {
      this.#step = "end";
      return false;
    }
    const { file, offset, byteLength } = this.#table.piece(this.#piece);
    this.#file = file;
    this.#bytes = this.#bytesOf(file);
    this.#at = offset;
    this.#end = offset + byteLength;
    this.#step = "count";
    return true;
  }

  #count(): boolean {
    const bytes = this.#bytes, end = this.#end;
    let at = this.#at;
    for (let words = 0; words < this.#batch; words++) {
      while (at < end && FOLD[bytes[at]!] === 0) at++;
      if (at === end) break;
      const start = at;
      let hash = HASH_SEED;
      for (; at < end; at++) {
        const byte = FOLD[bytes[at]!]!;
        if (byte === 0) break;
        hash = Math.imul(hash ^ byte, HASH_PRIME);
      }
      if (at - start <= MAX_WORD_BYTES) this.#add(start, at - start, hash);
    }
    this.#at = at;
    if (at === end) {
      this.#entry = 0;
      this.#step = "write";
    }
    return true;
  }

  /** Counts one word of the present piece. */
  #add(offset: number, length: number, hash: number): void {
    const lengths = this.#lengths, hashes = this.#hashes;
    const mask = lengths.length - 1;
    const probes = Math.min(lengths.length, MAX_PROBES);
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (let probe = 0; probe < probes; probe++) {
      if (lengths[slot] === 0) this.#learn(slot, offset, length, hash);
      if (
        hashes[slot] === hash && lengths[slot] === length && this.#isAt(slot, offset, length)
      ) {
        if (this.#pieceCounts[slot]!++ === 0) this.#touched[this.#touchedCount++] = slot;
        return;
      }
      slot = (slot + 1) & mask;
    }
    throw new TableFullError(lengths.length);
  }

  /** Takes a slot for a word, or finds out which word has it. */
  #learn(slot: number, offset: number, length: number, hash: number): void {
    const key = this.#table.keyOf(this.#file, offset, length);
    // SYNC: the only store to a key there ever is. Whoever comes second gets the first one's key
    // from the same instruction, and the word behind it is in a file, complete since before.
    const before = Atomics.compareExchange(this.#table.keys, slot, 0n, key);
    if (before === 0n) {
      this.#remember(slot, { file: this.#file, offset, length }, hash);
    } else {
      const found = this.#table.locate(before);
      this.#remember(slot, found, hashOf(this.#bytesOf(found.file), found.offset, found.length));
    }
  }

  #remember(
    slot: number,
    { file, offset, length }: { file: number; offset: number; length: number },
    hash: number,
  ): void {
    this.#files[slot] = file;
    this.#offsets[slot] = offset;
    this.#hashes[slot] = hash;
    this.#lengths[slot] = length;
  }

  /** Whether the word of a slot is the one at `offset` of the present file. */
  #isAt(slot: number, offset: number, length: number): boolean {
    const bytes = this.#bytes;
    const known = this.#bytesOf(this.#files[slot]!), knownOffset = this.#offsets[slot]!;
    for (let index = 0; index < length; index++) {
      if (FOLD[bytes[offset + index]!] !== FOLD[known[knownOffset + index]!]) return false;
    }
    return true;
  }

  #write(): boolean {
    const end = Math.min(this.#entry + this.#batch, this.#touchedCount);
    for (; this.#entry < end; this.#entry++) {
      const slot = this.#touched[this.#entry]!;
      const count = Atomics.load(this.#counts, slot) + BigInt(this.#pieceCounts[slot]!);
      this.#journalSlots[this.#entry] = slot;
      this.#journalCounts[this.#entry] = count;
      this.#pieceCounts[slot] = 0;
    }
    if (this.#entry === this.#touchedCount) {
      Atomics.store(this.#control, JOURNAL_LENGTH, this.#touchedCount);
      this.#step = "commit";
    }
    return true;
  }

  #commit(): boolean {
    // SYNC: publishes the entries and their number to the load in settle().
    Atomics.store(this.#control, COMMIT, this.#piece + 1);
    this.#entry = 0;
    this.#step = "apply";
    return true;
  }

  #apply(): boolean {
    const end = Math.min(this.#entry + this.#batch, this.#touchedCount);
    for (; this.#entry < end; this.#entry++) {
      const slot = this.#journalSlots[this.#entry]!;
      Atomics.store(this.#counts, slot, this.#journalCounts[this.#entry]!);
    }
    if (this.#entry === this.#touchedCount) this.#step = "done";
    return true;
  }

  #done(): boolean {
    // SYNC: publishes the counts to the parent's loads of states: what is DONE is in the column.
    Atomics.store(this.#states, this.#piece, doneBy(this.#column));
    this.#step = "clear";
    return true;
  }

  #clear(): boolean {
    // SYNC: the journal may be written again only after this: until then settle() would copy it.
    Atomics.store(this.#control, COMMIT, 0);
    this.#touchedCount = 0;
    this.#step = "end";
    return false;
  }
}

/**
 * Puts in order what the owner of a column left. Only for an owner that is dead for certain: it
 * takes over its column, its journal and its claims.
 *
 * @returns The pieces that have to be counted again.
 */
export function settle(table: Table, column: number): number[] {
  const control = table.control(column), states = table.states;
  // SYNC: pairs with the store in #commit(): with it come all entries, without it none counts.
  const committed = Atomics.load(control, COMMIT);
  if (committed !== 0) {
    const counts = table.counts(column);
    const slots = table.journalSlots(column), newCounts = table.journalCounts(column);
    const length = Atomics.load(control, JOURNAL_LENGTH);
    for (let entry = 0; entry < length; entry++) {
      Atomics.store(counts, slots[entry]!, newCounts[entry]!);
    }
    Atomics.store(states, committed - 1, doneBy(column));
    Atomics.store(control, COMMIT, 0);
  }
  const freed: number[] = [];
  for (let piece = 0; piece < states.length; piece++) {
    if (Atomics.compareExchange(states, piece, claimedBy(column), FREE) === claimedBy(column)) {
      freed.push(piece);
    }
  }
  return freed;
}

/** The words of a table with their counts, all columns together. Keys are bytes as Latin-1. */
export function totals(table: Table, bytesOf: BytesOf): Map<string, number> {
  const { slots, columns } = table.size;
  const counts = Array.from({ length: columns }, (_, column) => table.counts(column));
  const words = new Map<string, number>();
  for (let slot = 0; slot < slots; slot++) {
    const key = Atomics.load(table.keys, slot);
    if (key === 0n) continue;
    let count = 0n;
    for (const column of counts) count += Atomics.load(column, slot);
    if (count === 0n) continue; // the first who saw it died before it was counted in that slot
    const { file, offset, length } = table.locate(key);
    const word = textOf(bytesOf(file), offset, length);
    if (words.has(word)) {
      throw new Error(
        `Cannot count: the word ${JSON.stringify(word)} has two slots, expected one; a file has ` +
          "changed while it was counted",
      );
    }
    words.set(word, Number(count));
  }
  return words;
}

// FNV-1a, 32 bits.
const HASH_SEED = 0x811c9dc5 | 0;
const HASH_PRIME = 0x01000193;

function hashOf(bytes: Uint8Array, offset: number, length: number): number {
  let hash = HASH_SEED;
  for (let at = offset; at < offset + length; at++) {
    hash = Math.imul(hash ^ FOLD[bytes[at]!]!, HASH_PRIME);
  }
  return hash;
}

/** A word as a string with one character a byte. */
function textOf(bytes: Uint8Array, offset: number, length: number): string {
  let text = "";
  for (let at = offset; at < offset + length; at++) text += String.fromCharCode(FOLD[bytes[at]!]!);
  return text;
}
