/**
 * The table of endpoints in a directory: who has which number, started how often, in which process.
 *
 * Rule: works on the memory that it is given and knows no locks: who is alive is asked of the
 * caller. Every word is read once and bounded.
 */

import type { ProcessIdentity } from "../../life/inside.ts";
import {
  ALLOCATED,
  BEGUN,
  BELL_HIGH_WORD,
  BELL_LOW_WORD,
  ENDPOINT_BYTES,
  ENDPOINT_WORD,
  ENDPOINTS_OFFSET,
  HAND_OVERS_WORD,
  INCARNATION_WORD,
  MAX_ENDPOINTS,
  NAMESPACE_WORD,
  PID_WORD,
  START_HIGH_WORD,
  START_LOW_WORD,
} from "./directory_layout.ts";
import { bodyIn, type Owner, stateIn, wordOf } from "./owner.ts";

const ENDPOINT_WORDS = ENDPOINT_BYTES / 4;

/** What the table says of one endpoint. */
export interface EndpointEntry {
  readonly id: number;
  /** How often it was started; 0 before the first time. */
  readonly incarnation: number;
  /** The endpoint that took its number, and starts it. */
  readonly parent: Owner;
}

/** The table of endpoints. */
export class EndpointTable {
  readonly #words: Int32Array;

  /** @param buffer A directory. */
  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer, ENDPOINTS_OFFSET, MAX_ENDPOINTS * ENDPOINT_WORDS);
  }

  /**
   * Takes a free number, of these the one that was started least, for somebody may still send to
   * who had it last; or else one that nobody can start any more: it does not run, and neither does
   * its parent.
   *
   * @returns `undefined` when there is none.
   */
  allocate(
    parent: Owner,
    isAlive: (id: number) => boolean,
    isRunning: (owner: Owner) => boolean,
  ): number | undefined {
    const ids = Array.from({ length: MAX_ENDPOINTS - 1 }, (_, index) => index + 1)
      .sort((one, other) => this.incarnationOf(one) - this.incarnationOf(other));
    return this.#take(ids, parent, (word) => word === 0) ??
      this.#take(ids, parent, (word, id) => !isAlive(id) && !isRunning(bodyIn(word)));
  }

  #take(
    ids: readonly number[],
    parent: Owner,
    isFree: (word: number, id: number) => boolean,
  ): number | undefined {
    for (const id of ids) {
      const at = wordAt(id, ENDPOINT_WORD), word = Atomics.load(this.#words, at);
      if (!isFree(word, id)) continue;
      // The word that was judged, or nothing: another owner's word is another one.
      const taken = wordOf(ALLOCATED, parent);
      if (Atomics.compareExchange(this.#words, at, word, taken) === word) return id;
    }
    return undefined;
  }

  /** Takes the number of the main endpoint, for whoever makes the system. */
  allocateMain(self: Owner): void {
    Atomics.store(this.#words, wordAt(0, ENDPOINT_WORD), wordOf(ALLOCATED, self));
  }

  /** Gives a number back. */
  free(id: number): void {
    Atomics.store(this.#words, wordAt(id, ENDPOINT_WORD), 0);
  }

  /** The incarnation of an endpoint that would begin next. */
  nextIncarnationOf(id: number): number {
    return (this.incarnationOf(id) + 1) >>> 0 || 1; // 0 is none
  }

  /** Writes down that an incarnation of an endpoint began, by itself. */
  begin(id: number, process: ProcessIdentity, incarnation: number): void {
    this.setProcess(id, process);
    this.#store(id, INCARNATION_WORD, incarnation);
    const handOvers = this.handOversOf(id);
    if (handOvers & 1) this.#store(id, HAND_OVERS_WORD, handOvers + 1); // its predecessor's last
    const parent = bodyIn(this.#load(id, ENDPOINT_WORD));
    this.#store(id, ENDPOINT_WORD, wordOf(BEGUN, parent));
  }

  /** Writes down which process an endpoint is in. */
  setProcess(id: number, { pid, pidNamespace, startTicks }: ProcessIdentity): void {
    this.#store(id, PID_WORD, 0); // whoever reads in between finds no process
    this.#store(id, NAMESPACE_WORD, pidNamespace);
    this.#store(id, START_LOW_WORD, Number(BigInt.asIntN(32, startTicks)));
    this.#store(id, START_HIGH_WORD, Number(BigInt.asIntN(32, startTicks >> 32n)));
    this.#store(id, PID_WORD, pid);
  }

  /** Writes down the doorbell of an endpoint's thread; 0 for none. */
  setBell(id: number, bell: bigint): void {
    this.#store(id, BELL_LOW_WORD, Number(BigInt.asIntN(32, bell)));
    this.#store(id, BELL_HIGH_WORD, Number(BigInt.asIntN(32, bell >> 32n)));
  }

  /** The doorbell of an endpoint's thread, as it says; 0 for none. */
  bellOf(id: number): bigint {
    const low = this.#load(id, BELL_LOW_WORD) >>> 0, high = this.#load(id, BELL_HIGH_WORD) >>> 0;
    return BigInt(high) << 32n | BigInt(low);
  }

  /** Which process an endpoint is or was in, as it says; undefined when it says none. */
  processOf(id: number): ProcessIdentity | undefined {
    const pid = this.#load(id, PID_WORD);
    if (pid <= 0) return undefined;
    const low = this.#load(id, START_LOW_WORD) >>> 0, high = this.#load(id, START_HIGH_WORD) >>> 0;
    const startTicks = BigInt(high) << 32n | BigInt(low);
    return { pid, startTicks, pidNamespace: this.#load(id, NAMESPACE_WORD) >>> 0 };
  }

  /** How often an endpoint was started. */
  incarnationOf(id: number): number {
    return this.#load(id, INCARNATION_WORD) >>> 0;
  }

  /** An endpoint, or undefined when nobody has the number. */
  entryOf(id: number): EndpointEntry | undefined {
    const word = this.#load(id, ENDPOINT_WORD), state = stateIn(word);
    if (state !== ALLOCATED && state !== BEGUN) return undefined;
    return { id, incarnation: this.incarnationOf(id), parent: bodyIn(word) };
  }

  /** All that have a number. */
  entries(): EndpointEntry[] {
    return Array.from({ length: MAX_ENDPOINTS }, (_, id) => this.entryOf(id))
      .filter((entry) => entry !== undefined);
  }

  /** The count of an endpoint's hand-overs; odd while one may be under way. */
  handOversOf(id: number): number {
    return this.#load(id, HAND_OVERS_WORD);
  }

  /** Counts on: a hand-over of an endpoint's own begins, or has ended. */
  countHandOver(id: number): void {
    Atomics.add(this.#words, wordAt(id, HAND_OVERS_WORD), 1);
  }

  /** Forgets all endpoints, but not how often each was started. */
  clear(): void {
    for (let id = 0; id < MAX_ENDPOINTS; id++) {
      this.#store(id, ENDPOINT_WORD, 0);
      this.#store(id, PID_WORD, 0);
      this.setBell(id, 0n);
    }
  }

  #load(id: number, word: number): number {
    return Atomics.load(this.#words, wordAt(id, word));
  }

  #store(id: number, word: number, value: number): void {
    Atomics.store(this.#words, wordAt(id, word), value);
  }
}

function wordAt(id: number, word: number): number {
  return id * ENDPOINT_WORDS + word;
}
