/**
 * One Mutex and one RwLock, whose owners and waiters are killed: in JavaScript and in C.
 *
 * What must hold: the two words that a lock guards are equal whenever somebody gets it and is not
 * told that an owner died; no change is lost; and everybody goes on, whoever dies.
 *
 * ```text
 * byte 0       128       1408
 *      +-------+---------+------------- ... --------------------------------------------+
 *      | mutex | rw lock | words                                                        |
 *      +-------+---------+------------- ... --------------------------------------------+
 *
 * word 0      1            2             3              16, 32       48, 64    80 + 4 × party
 *      stop | violations | owners died | writers died | mutex pair | rw pair | sections, reads, writes
 * ```
 */

import { Mutex, MUTEX_BYTES, RW_LOCK_BYTES, RwLock, SharedMemory } from "../../mod.ts";
import { isDead } from "../../src/wait/doorbell.ts";
import { memoryName } from "../support/names.ts";
import { Child, compileC, type Finished } from "../support/process.ts";
import { Random } from "../support/random.ts";
import { execPath, FFI_ONLY, fileArgs, moduleUrl, siblingUrl } from "../support/runtime.ts";
import { within } from "../support/until.ts";
import type { TortureOptions, TortureResult, TortureSubject } from "./subject.ts";

const MEMORY_BYTES = 4096;

/** Indexes of the words. */
const STOP = 0, VIOLATIONS = 1, OWNERS_DIED = 2, WRITERS_DIED = 3;
const MUTEX_PAIR = 16, RW_PAIR = 48, PARTIES = 80;

/** The words of one party. */
const SECTIONS = 0, READS = 1, WRITES = 2, PARTY_WORDS = 4;

/** The longest that a party makes no progress, unless it hangs. */
const HANG_MS = 20_000;

/** What everybody does, and what only JavaScript can. */
const IN_C = [SECTIONS], IN_JAVASCRIPT = [SECTIONS, READS, WRITES];

/** How a party is started; its place and its seed follow. */
interface PartyKind {
  command: string;
  args: readonly string[];
  /** What it counts. */
  counts: readonly number[];
}

/** The party in JavaScript, of this runtime. */
function ofThisRuntime(memory: string): PartyKind {
  const file = siblingUrl("./lock_party.js", import.meta.url);
  // To read is what the import of a file by its name needs.
  const args = fileArgs(file, { permissions: [...FFI_ONLY, "--allow-read"] });
  const counts = IN_JAVASCRIPT;
  const modules = [moduleUrl("mod.ts"), moduleUrl("src/wait/doorbell.ts")];
  return { command: execPath(), args: [...args, ...modules, memory], counts };
}

class Torture implements AsyncDisposable {
  readonly #random: Random;
  readonly #name = memoryName();
  readonly #memory: SharedMemory;
  readonly #words: Int32Array;
  readonly #kinds: readonly PartyKind[];
  readonly #parties: Child[];

  constructor(seed: number, cParty: string, nodeLibrary: string | undefined) {
    this.#random = new Random(seed);
    const { name } = this.#name;
    this.#memory = SharedMemory.create(name, { byteLength: MEMORY_BYTES });
    const { bytes, buffer } = this.#memory;
    Mutex.format(bytes.subarray(0, MUTEX_BYTES)).close();
    RwLock.format(bytes.subarray(MUTEX_BYTES)).close();
    this.#words = new Int32Array(buffer, MUTEX_BYTES + RW_LOCK_BYTES);
    const own = ofThisRuntime(name);
    this.#kinds = [own, own, { command: cParty, args: [name], counts: IN_C }];
    if (nodeLibrary !== undefined) {
      const file = new URL("./lock_party.js", import.meta.url).pathname;
      const doorbell = new URL("src/wait/doorbell.js", nodeLibrary).href;
      const args = [file, nodeLibrary, doorbell, name];
      this.#kinds = [...this.#kinds, { command: "node", args, counts: IN_JAVASCRIPT }];
    }
    this.#parties = this.#kinds.map((_, index) => this.#start(index));
  }

  #start(index: number): Child {
    const { command, args } = this.#kinds[index]!;
    return new Child(command, [...args, String(index), String(this.#random.below(2 ** 31))]);
  }

  /** Kills one that is at work, and puts another in its place; false when it hangs. */
  async killOne(): Promise<boolean> {
    const index = this.#random.below(this.#parties.length);
    if (!await this.#goesOn(index)) return false;
    // Somewhere in the next few milliseconds, which is anywhere in what it does.
    await new Promise((resolve) => setTimeout(resolve, this.#random.below(4)));
    const { signal, code, stderr } = await bury(this.#parties[index]!);
    if (signal !== "SIGKILL") throw new Error(`it had ended before, with ${code}: ${stderr}`);
    this.#parties[index] = this.#start(index);
    return true;
  }

  /** Lets all go on for a while and end, and counts what is lost; false when one hangs. */
  async end(kills: number): Promise<boolean> {
    for (const index of this.#parties.keys()) {
      if (!await this.#goesOn(index)) return false;
    }
    Atomics.store(this.#words, STOP, 1);
    const ends = this.#parties.map((party) => within("the end", party.finished()));
    for (const { code, stderr } of await Promise.all(ends)) {
      if (code !== 0 || stderr !== "") throw new Error(`it ended with ${code}: ${stderr}`);
    }
    // Who is killed has made at most one change that it did not count.
    for (const [pair, what] of [[MUTEX_PAIR, SECTIONS], [RW_PAIR, WRITES]] as const) {
      const changes = this.#words[pair]!, counted = this.#sum(what);
      if (changes < counted || changes > counted + kills) this.#words[VIOLATIONS]!++;
    }
    return true;
  }

  get violations(): number {
    return this.#words[VIOLATIONS]!;
  }

  get counts(): Record<string, number> {
    return {
      "mutex sections": this.#sum(SECTIONS),
      "owners found dead": this.#words[OWNERS_DIED]!,
      reads: this.#sum(READS),
      writes: this.#sum(WRITES),
      "writers found dead": this.#words[WRITERS_DIED]!,
    };
  }

  #sum(what: number): number {
    return this.#kinds.reduce((sum, _, index) => sum + this.#count(index, what), 0);
  }

  #count(index: number, what: number): number {
    return Atomics.load(this.#words, PARTIES + index * PARTY_WORDS + what);
  }

  /** Comes back when a party has done something more with each lock; false when it does not. */
  async #goesOn(index: number): Promise<boolean> {
    const { counts } = this.#kinds[index]!;
    const before = counts.map((what) => this.#count(index, what));
    const deadline = performance.now() + HANG_MS;
    while (counts.some((what, at) => this.#count(index, what) === before[at])) {
      if (performance.now() > deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const party of this.#parties) {
      await bury(party);
      await party[Symbol.asyncDispose]();
    }
    this.#memory.close();
    this.#name[Symbol.dispose]();
  }
}

/** Kills a party, if it lives, and takes away the name of its doorbell, which it printed. */
async function bury(party: Child): Promise<Finished> {
  party.kill("SIGKILL");
  const finished = await within("the end of who is killed", party.finished());
  const bell = BigInt(finished.stdout.trim());
  if (bell !== 0n) isDead(bell);
  return finished;
}

/** The locks. */
export const subject: TortureSubject = {
  what: "one mutex and one lock for readers and writers, in JavaScript and C",
  async run(options: TortureOptions): Promise<TortureResult> {
    using cParty = await compileC(new URL("lock_party.c", import.meta.url));
    const nodeLibrary = await options.nodeLibrary?.();
    await using torture = new Torture(options.seed, cParty.path, nodeLibrary);
    let kills = 0, hangs = 0;
    while (kills < options.kills && hangs === 0) {
      if (!await torture.killOne()) hangs++;
      else if (++kills % 100 === 0) options.progress?.(`${kills} kills`);
    }
    if (hangs === 0 && !await torture.end(kills)) hangs++;
    const { violations, counts } = torture;
    return { kills, violations, hangs, counts };
  },
};
