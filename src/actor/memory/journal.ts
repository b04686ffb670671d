/**
 * The journal of a directory: the names of all that a system makes in the kernel, so that whoever
 * comes after a killed one can take it away.
 *
 * Rule: works on the memory that it is given. Whoever is killed here leaves a name too many, or a
 * place that the next one takes over; never a name too few.
 */

import {
  CLAIM_WORD,
  CLAIMED,
  INFO_WORD,
  JOURNAL_OFFSET,
  MAX_NAME_BYTES,
  MAX_NAMES,
  NAME_BYTES,
  NAME_TEXT_OFFSET,
} from "./directory_layout.ts";
import { bodyIn, type Owner, wordOf } from "./owner.ts";

/** What is recorded: message queues and shared memory have names of their own each. */
export type ObjectKind = "queue" | "memory";

/** One name. */
export interface SystemObject {
  /** What it is the name of. */
  readonly kind: ObjectKind;
  /** As the kernel has it, with the slash. */
  readonly name: string;
}

const KINDS: Record<ObjectKind, number> = { queue: 1, memory: 2 };

const NAME_WORDS = NAME_BYTES / 4;

const encoder = new TextEncoder();

/** The journal of a directory. */
export class Journal {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  /** @param buffer A directory. */
  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer, JOURNAL_OFFSET, MAX_NAMES * NAME_WORDS);
    this.#bytes = new Uint8Array(buffer, JOURNAL_OFFSET, MAX_NAMES * NAME_BYTES);
  }

  /**
   * Writes a name down. One that is there already stays, as after a restart.
   *
   * @returns False when there is no place left.
   * @throws {RangeError} If the name is too long.
   */
  record(recorded: SystemObject, self: Owner, isRunning: (owner: Owner) => boolean): boolean {
    const text = encoder.encode(recorded.name),
      info = infoOf(KINDS[recorded.kind], text.byteLength);
    if (text.byteLength > MAX_NAME_BYTES) {
      throw new RangeError(
        `Cannot record ${JSON.stringify(recorded.name)}: it has ${text.byteLength} bytes, ` +
          `expected at most ${MAX_NAME_BYTES}`,
      );
    }
    if (this.#find(info, text, 0) !== undefined) return true;
    const place = this.#claim(self, isRunning);
    if (place === undefined) return false;
    this.#bytes.set(text, place * NAME_BYTES + NAME_TEXT_OFFSET);
    // SYNC: publishes the name to the loads of #infoAt(), in whoever cleans up after us too.
    Atomics.store(this.#words, place * NAME_WORDS + INFO_WORD, info);
    return true;
  }

  #claim(self: Owner, isRunning: (owner: Owner) => boolean): number | undefined {
    for (let place = 0; place < MAX_NAMES; place++) {
      const at = place * NAME_WORDS + CLAIM_WORD, word = Atomics.load(this.#words, at);
      const isFree = word === 0 || (this.#infoAt(place) === 0 && !isRunning(bodyIn(word)));
      if (!isFree) continue;
      const taken = wordOf(CLAIMED, self);
      if (Atomics.compareExchange(this.#words, at, word, taken) === word) return place;
    }
    return undefined;
  }

  /** Whether a name is written down. */
  has({ kind, name }: SystemObject): boolean {
    const text = encoder.encode(name);
    return this.#find(infoOf(KINDS[kind], text.byteLength), text, 0) !== undefined;
  }

  /** Takes a name out, wherever it stands. */
  forget(name: string): void {
    const text = encoder.encode(name);
    for (const kind of Object.values(KINDS)) this.#forget(infoOf(kind, text.byteLength), text);
  }

  #forget(info: number, text: Uint8Array): void {
    for (let place = this.#find(info, text, 0); place !== undefined;) {
      const at = place * NAME_WORDS;
      const claim = Atomics.load(this.#words, at + CLAIM_WORD);
      // Only one of those who take it out gets further, and frees the place only as long as it is
      // the same owner's: one that was taken over meanwhile has another's word.
      if (Atomics.compareExchange(this.#words, at + INFO_WORD, info, 0) === info) {
        Atomics.compareExchange(this.#words, at + CLAIM_WORD, claim, 0);
      }
      place = this.#find(info, text, place + 1);
    }
  }

  /**
   * All names that begin so, as far as they are names.
   *
   * @param isWanted Judges who recorded it.
   */
  names(prefix: string, isWanted: (owner: Owner) => boolean = () => true): SystemObject[] {
    const names: SystemObject[] = [];
    for (let place = 0; place < MAX_NAMES; place++) {
      const claim = Atomics.load(this.#words, place * NAME_WORDS + CLAIM_WORD);
      const recorded = this.#at(place);
      if (recorded?.name.startsWith(prefix) && isWanted(bodyIn(claim))) names.push(recorded);
    }
    return names;
  }

  #at(place: number): SystemObject | undefined {
    const info = this.#infoAt(place), byteLength = info & 0xffff, number = info >>> 16;
    const kind = (Object.keys(KINDS) as ObjectKind[]).find((kind) => KINDS[kind] === number);
    if (kind === undefined || byteLength === 0 || byteLength > MAX_NAME_BYTES) return undefined;
    const start = place * NAME_BYTES + NAME_TEXT_OFFSET;
    // A copy: decoders do not take shared memory everywhere, and it may change meanwhile.
    const text = this.#bytes.slice(start, start + byteLength);
    const name = new TextDecoder("utf-8", { ignoreBOM: true }).decode(text);
    return name.includes("\0") || name.includes("\ufffd") ? undefined : { kind, name };
  }

  #infoAt(place: number): number {
    return Atomics.load(this.#words, place * NAME_WORDS + INFO_WORD);
  }

  #find(info: number, text: Uint8Array, from: number): number | undefined {
    for (let place = from; place < MAX_NAMES; place++) {
      if (this.#infoAt(place) !== info) continue;
      const start = place * NAME_BYTES + NAME_TEXT_OFFSET;
      if (text.every((byte, index) => this.#bytes[start + index] === byte)) return place;
    }
    return undefined;
  }

  /** Takes all names out. */
  clear(): void {
    this.#words.fill(0);
  }
}

function infoOf(kind: number, byteLength: number): number {
  return kind << 16 | byteLength;
}
