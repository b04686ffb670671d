/**
 * One segment of a slab: the object of one size of blocks, its table and its bytes.
 *
 * Rule: the one place that reads and writes the words of blocks, each change of state by one
 * compare-and-exchange. Who may make which change is slab.ts's to say; what a peer wrote is bounded
 * here.
 */

import { LayoutError } from "../../errors.ts";
import type { SharedMemory } from "../../shm/mod.ts";
import { BODY_MASK, bodyIn, type Owner, stateIn, wordOf } from "./owner.ts";
import {
  blockBytesOf,
  blockOffset,
  COUNT_WORD,
  ENTRY_WORDS,
  FREE,
  GENERATION_WORD,
  growthOf,
  MAGIC,
  MAGIC_LONG,
  MAILBOX_HIGH_WORD,
  MAILBOX_LOW_WORD,
  maxBlocksOf,
  RUN_LONG,
  SENDER_WORD,
  STATE_WORD,
  TABLE_OFFSET,
  VERSION,
  VERSION_LONG,
  WRITING,
} from "./slab_layout.ts";

/** A mailbox in two words: endpoints by their number, names by a hash. */
export interface MailboxKey {
  readonly low: number;
  readonly high: number;
}

const TABLE_WORDS = TABLE_OFFSET / 4;

/** The open memory of a segment. */
export class SlabSegment {
  /** Which one it is. */
  readonly index: number;
  readonly #memory: SharedMemory;
  readonly #words: Int32Array;
  readonly #maxBlocks: number;
  /** Where the next search begins: what was free last is likely to be so again. */
  #hint = 0;

  /**
   * Uses the memory of a segment, and formats it where nobody has: that is the same few words for
   * everybody, so any number may do it at once, and be killed over it.
   *
   * @param memory At least its table.
   * @throws {LayoutError} If it is something else, or of another run of the system.
   */
  constructor(memory: SharedMemory, index: number, run: bigint) {
    this.index = index;
    this.#memory = memory;
    this.#maxBlocks = maxBlocksOf(index);
    const longs = new BigUint64Array(memory.buffer, 0, RUN_LONG + 1);
    const agree = (at: number, value: bigint) => {
      const found = Atomics.compareExchange(longs, at, 0n, value);
      if (found !== 0n && found !== value) throw this.#damaged("something else");
    };
    agree(MAGIC_LONG, MAGIC);
    agree(VERSION_LONG, versionOf(index));
    agree(RUN_LONG, run);
    this.#words = new Int32Array(memory.buffer, 0, TABLE_WORDS + this.#maxBlocks * ENTRY_WORDS);
  }

  /** How many blocks there are. */
  get count(): number {
    const count = Atomics.load(this.#words, COUNT_WORD);
    return count >= 0 && count <= this.#maxBlocks ? count : 0;
  }

  /** The word of a block: its state, and whose it is. */
  wordOf(block: number): number {
    return Atomics.load(this.#words, at(block, STATE_WORD));
  }

  /** Changes the word of a block; false when it is another one. */
  exchange(block: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, at(block, STATE_WORD), from, to) === from;
  }

  /** The generation of the payload in a block. */
  generationOf(block: number): number {
    return Atomics.load(this.#words, at(block, GENERATION_WORD)) & BODY_MASK;
  }

  /** Whether a block can be had, by taking or by adding one. */
  get hasRoom(): boolean {
    const count = this.count;
    if (count < this.#maxBlocks) return true;
    for (let block = 0; block < count; block++) {
      if (stateIn(this.wordOf(block)) === FREE) return true;
    }
    return false;
  }

  /**
   * Makes a free block somebody's, in a new generation.
   *
   * @returns `undefined` when there is none, and none can be added.
   * @throws {PosixError} `ENOSPC` or `ENOMEM` if there is no room in /dev/shm for more of them.
   * @throws {LayoutError} If somebody has written into its count.
   */
  claim(owner: Owner): number | undefined {
    const taken = wordOf(WRITING, owner);
    for (let count = this.count;;) {
      for (let step = 0; step < count; step++) {
        const block = (this.#hint + step) % count, word = this.wordOf(block);
        if (stateIn(word) !== FREE || !this.exchange(block, word, taken)) continue;
        const generation = (bodyIn(word) + 1) & BODY_MASK;
        Atomics.store(this.#words, at(block, GENERATION_WORD), generation);
        this.#hint = block;
        return block;
      }
      if (!this.#grow(count)) return undefined;
      this.#hint = count;
      const more = this.count;
      if (more <= count) throw this.#damaged(`a count of ${more} blocks where ${count} were`);
      count = more;
    }
  }

  /** Adds blocks; false when there are as many as there can be. */
  #grow(count: number): boolean {
    if (count >= this.#maxBlocks) return false;
    const more = Math.min(count + growthOf(this.index), this.#maxBlocks);
    this.#memory.grow(blockOffset(this.index, more));
    // SYNC: after their pages. Somebody else may have added them, or more, meanwhile.
    Atomics.compareExchange(this.#words, COUNT_WORD, count, more);
    return true;
  }

  /** Writes down who sends a block, and to whom, for recover(). */
  address(block: number, sender: Owner, { low, high }: MailboxKey): void {
    Atomics.store(this.#words, at(block, SENDER_WORD), sender);
    Atomics.store(this.#words, at(block, MAILBOX_LOW_WORD), low);
    Atomics.store(this.#words, at(block, MAILBOX_HIGH_WORD), high);
  }

  /** Who sent a block. */
  senderOf(block: number): Owner {
    return bodyIn(Atomics.load(this.#words, at(block, SENDER_WORD)));
  }

  /** Whether a block was sent to a mailbox. */
  isFor(block: number, { low, high }: MailboxKey): boolean {
    return Atomics.load(this.#words, at(block, MAILBOX_LOW_WORD)) === low &&
      Atomics.load(this.#words, at(block, MAILBOX_HIGH_WORD)) === high;
  }

  /**
   * A view of the first bytes of a block that was claimed.
   *
   * @throws {LayoutError} If they are not there, though they were counted.
   */
  claimedBytes(block: number, byteLength: number): Uint8Array<SharedArrayBuffer> {
    const bytes = this.bytesOf(block, byteLength);
    if (bytes !== undefined) return bytes;
    throw this.#damaged(`${this.#memory.status().byteLength} bytes without block ${block}`);
  }

  /**
   * A view of the first bytes of a block: valid until the block is given on.
   *
   * @returns `undefined` when they are not there, whatever the count says.
   */
  bytesOf(block: number, byteLength: number): Uint8Array<SharedArrayBuffer> | undefined {
    const offset = blockOffset(this.index, block);
    const end = offset + blockBytesOf(this.index);
    if (this.#memory.byteLength < end) {
      // Others have added it; what they have not is not added here, by a peer's word alone.
      const there = Math.min(this.#memory.status().byteLength, this.#memory.maxByteLength);
      if (there < end) return undefined;
      this.#memory.grow(there);
    }
    return new Uint8Array(this.#memory.buffer, offset, byteLength);
  }

  #damaged(found: string): LayoutError {
    const expected = `a segment of version ${VERSION} of this run of its system`;
    return new LayoutError({ action: "use slab", target: this.#memory.name, found, expected });
  }

  /** Closes the memory; the object stays. */
  close(): void {
    this.#memory.close();
  }
}

function at(block: number, word: number): number {
  return TABLE_WORDS + block * ENTRY_WORDS + word;
}

/** Version and segment in one word, so that no size of blocks is taken for another. */
function versionOf(index: number): bigint {
  return BigInt(index) << 32n | BigInt(VERSION);
}
