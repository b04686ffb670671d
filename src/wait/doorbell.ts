/**
 * Doorbells: how another process wakes the event loop of this thread.
 *
 * A bell is a message queue for one message of one byte, one per thread, made when the thread first
 * waits for shared memory. Memory names it by a number; the queue's name is made from that, so
 * memory that somebody else wrote cannot name any other queue.
 *
 * ```text
 *   ring(number) ──► /postbox-bell-0123456789abcdef ──► Waiters ──► all that this thread waits for
 * ```
 *
 * Its owner holds a lock on the open queue as long as it lives, so others can tell that it is dead:
 * a killed process leaves the name of its bell, and its number in the tables where it was armed.
 * The first one who rings it takes the name away, and so does a waiter who finds the table full,
 * and a thread that makes a bell of its own, where /dev/mqueue is mounted. A thread that ends by
 * itself takes the name of its bell away where the runtime tells it of its end: Deno does not for
 * an uncaught error, and no runtime does for a worker that is terminated.
 */

import { PosixError } from "../errors.ts";
import {
  C,
  checkOwner,
  mqClose,
  mqOpen,
  mqReceive,
  mqSend,
  mqUnlink,
  readDirectory,
  readLink,
  statfs,
  statx,
  tryLock,
} from "../sys/mod.ts";
import { answerBell, type Listener, type Rung } from "./event_steps.ts";
import { Waiters } from "./waiters.ts";

const NAME_PREFIX = "postbox-bell-";
const NAME = /^postbox-bell-[0-9a-f]{16}$/;

/** Where the kernel shows its queues, if somebody mounted it. */
const QUEUES_FOLDER = "/dev/mqueue";

/** The name of the queue that stands behind a number. */
export function bellName(bell: bigint): string {
  return `/${NAME_PREFIX}${bell.toString(16).padStart(16, "0")}`;
}

/** Something that waits for this thread's bell. Nothing of it throws. */
export interface BellListener extends Listener {
  /** The bell cannot be heard any more. */
  deafen(): void;
}

/** What ends a wait for the bell that nobody needs any more. */
const NOBODY_LISTENS = new Error("nobody listens");

/** The bell of a thread. */
export class Doorbell {
  /** Its number; never 0. */
  readonly id: bigint;
  readonly #name: string;
  readonly #mqd: number;
  readonly #waiters: Waiters;
  readonly #listeners = new Set<BellListener>();
  readonly #byte = new Uint8Array(1);
  /** Ends the wait that is under way. */
  #stop: AbortController | undefined;
  #answering = false;

  /** Makes a bell that nobody has. */
  constructor() {
    for (;;) {
      const id = crypto.getRandomValues(new BigUint64Array(1))[0]!;
      const name = bellName(id);
      const mqd = id === 0n ? undefined : makeQueue(name);
      if (mqd === undefined) continue;
      this.id = id;
      this.#name = name;
      this.#mqd = mqd;
      this.#waiters = new Waiters(mqd, name, false);
      return;
    }
  }

  /** Calls a listener each time the bell is rung, until it leaves. Keeps the process running. */
  join(listener: BellListener): void {
    this.#listeners.add(listener);
    if (this.#stop === undefined) this.#listen();
  }

  /** Ends that. */
  leave(listener: BellListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0 || this.#answering) return;
    this.#stop?.abort(NOBODY_LISTENS);
    this.#stop = undefined;
  }

  /** Whether others can still find it: somebody may have removed the name. */
  hasName(): boolean {
    return statx(this.#mqd, this.#name).linkCount > 0;
  }

  /** Takes the name away and closes it; who listens is told. */
  close(): void {
    this.#waiters.end(new Error("the bell is gone"));
    unlinkIfThere(this.#name);
    mqClose(this.#mqd, this.#name);
  }

  /** One wait for all who listen. It goes on, ring after ring, until nobody does. */
  #listen(): void {
    const { signal } = this.#stop = new AbortController();
    this.#waiters.wait("readable", () => this.#answer() || undefined, { signal }).catch((error) => {
      if (error === NOBODY_LISTENS) return;
      this.#stop = undefined;
      for (const listener of [...this.#listeners]) listener.deafen();
    });
  }

  /** Lets who listens look; true when nobody is left. */
  #answer(): boolean {
    this.#answering = true;
    try {
      // Who comes meanwhile has armed and looked by itself.
      const listeners = [...this.#listeners];
      answerBell(() => mqReceive(this.#mqd, this.#byte, this.#name, noHint), listeners);
    } finally {
      this.#answering = false;
    }
    if (this.#listeners.size > 0) return false;
    this.#stop = undefined;
    return true;
  }
}

const noHint = () => undefined;

/** A new queue that this thread has locked; undefined when it has to be another one. */
function makeQueue(name: string): number | undefined {
  const flags = C.O_RDWR | C.O_CREAT | C.O_EXCL | C.O_NONBLOCK | C.O_CLOEXEC;
  const size = { maxMessages: 1, maxMessageBytes: 1 };
  const mqd = allowing("EEXIST", () => mqOpen(name, flags, 0o600, size, noHint));
  if (mqd === undefined) return undefined;
  try {
    // Who removes dead bells may have found this one before it was locked.
    if (tryLock(mqd, name) && statx(mqd, name).linkCount > 0) return mqd;
  } catch (error) {
    unlinkIfThere(name);
    mqClose(mqd, name);
    throw error;
  }
  mqClose(mqd, name);
  return undefined;
}

function unlinkIfThere(name: string): void {
  allowing("ENOENT", () => mqUnlink(name, noHint));
}

/** Does a call; undefined when the system refuses it for this reason. */
function allowing<T>(code: string, call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof PosixError && error.code === code) return undefined;
    throw error;
  }
}

/** How long a thread that could not make a bell does without one. */
const WITHOUT_BELL_MS = 1000;

let threadsBell: Doorbell | undefined;
let nextTryMs = -Infinity;
let isOver = false;

/** Gives up the bell of this thread if its name is gone; who listens is told, and makes another. */
export function checkBellOfThisThread(): void {
  if (threadsBell === undefined || threadsBell.hasName()) return;
  const bell = threadsBell;
  threadsBell = undefined;
  bell.close();
}

/**
 * The bell of this thread; made if it has none.
 *
 * @returns `undefined` when the system does not allow one: the user's queues are at a limit. Who
 * waits looks by a timer then.
 */
export function bellOfThisThread(): Doorbell | undefined {
  if (threadsBell !== undefined) return threadsBell;
  if (isOver || performance.now() < nextTryMs) return undefined;
  try {
    removeDeadBells();
    threadsBell = new Doorbell();
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    nextTryMs = performance.now() + WITHOUT_BELL_MS;
    return undefined;
  }
  closeAtTheEnd();
  return threadsBell;
}

/** Takes the bell of this thread away, and closes those of others. Both come back when needed. */
export function closeBellOfThisThread(): void {
  threadsBell?.close();
  threadsBell = undefined;
  for (const id of [...known.keys()]) forget(id);
}

let closesAtTheEnd = false;

/** No runtime tells of every end by `exit`: some tell `unload` instead, as of a test file's. */
function closeAtTheEnd(): void {
  if (closesAtTheEnd) return;
  closesAtTheEnd = true;
  const close = () => {
    isOver = true;
    closeBellOfThisThread();
  };
  // Not by importing node:process: in Node that makes the standard streams, and pipes nonblocking.
  globalThis.process.on("exit", close);
  (globalThis as Partial<EventTarget>).addEventListener?.("unload", close);
}

/** A bell of somebody, to be rung. */
interface KnownBell {
  readonly name: string;
  /** undefined when it may not be rung. */
  mqd: number | undefined;
  /** How often it was not rung since it was tried to open it. */
  skipped: number;
}

/** The bells that this thread rang last, in that order; at most {@linkcode MAX_KNOWN}. */
const known = new Map<bigint, KnownBell>();

const MAX_KNOWN = 16;

/** How often a bell that may not be rung is skipped before it is tried again. */
const MAX_SKIPPED = 64;

const RING = new Uint8Array(1);

/** Rings a bell. A full one has been rung already, and its owner has yet to answer. */
export function ring(id: bigint): Rung {
  const bell = knownBell(id);
  try {
    if (bell.mqd === undefined) {
      if (bell.skipped++ % MAX_SKIPPED > 0) return "refused";
      bell.mqd = openBell(bell.name);
    }
    if (!removeIfDead(bell.mqd, bell.name)) {
      mqSend(bell.mqd, RING, 0, bell.name, noHint);
      return "rung";
    }
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    // Notifying goes on: what is published is published, and who is not rung looks after a while.
    if (error.code !== "ENOENT") return "refused";
  }
  forget(id);
  return "gone";
}

function knownBell(id: bigint): KnownBell {
  const bell = known.get(id) ?? { name: bellName(id), mqd: undefined, skipped: 0 };
  if (!known.delete(id) && known.size === MAX_KNOWN) forget(known.keys().next().value!);
  known.set(id, bell); // as the one that was rung last
  return bell;
}

function forget(id: bigint): void {
  const { mqd, name } = known.get(id)!;
  known.delete(id);
  if (mqd !== undefined) mqClose(mqd, name);
}

/** Opens somebody's bell, if it belongs to this user: anybody may use such a name. */
function openBell(name: string): number {
  const mqd = mqOpen(name, C.O_WRONLY | C.O_NONBLOCK | C.O_CLOEXEC, 0, undefined, noHint);
  try {
    checkOwner(mqd, "self", "doorbell", name);
    return mqd;
  } catch (error) {
    mqClose(mqd, name);
    throw error;
  }
}

/** Takes the name of a bell away if nobody holds its lock, which is its owner's while it lives. */
function removeIfDead(mqd: number, name: string): boolean {
  // With the lock in hand: somebody who has just made it, and not locked it yet, then notices.
  if (!tryLock(mqd, name)) return false;
  unlinkIfThere(name);
  return true;
}

/**
 * The bell that a descriptor of this process stands for, somebody's or this thread's own: to be
 * asked before it is closed for a thread that has ended, and {@linkcode isDead} after.
 */
export function bellBehind(fd: number): bigint | undefined {
  const link = readLink(`/proc/self/fd/${fd}`);
  return NAME.test(link.slice(1)) ? BigInt(`0x${link.slice(1 + NAME_PREFIX.length)}`) : undefined;
}

/** Whether a bell's owner is dead; its name is taken away then. */
export function isDead(id: bigint): boolean {
  return isDeadByName(bellName(id));
}

function isDeadByName(name: string): boolean {
  let mqd;
  try {
    mqd = openBell(name);
    return removeIfDead(mqd, name);
  } catch (error) {
    if (error instanceof PosixError) return error.code === "ENOENT"; // otherwise nobody knows
    throw error;
  } finally {
    if (mqd !== undefined) mqClose(mqd, name);
  }
}

/** How many bells are judged at once. */
const MAX_JUDGED = 64;

/** Removes what killed processes left, as far as the kernel's queues can be seen. */
function removeDeadBells(): void {
  let names: string[];
  try {
    if (statfs(QUEUES_FOLDER).type !== C.MQUEUE_MAGIC) return;
    names = readDirectory(QUEUES_FOLDER).map(({ name }) => name);
  } catch (error) {
    if (error instanceof PosixError) return; // there is no such folder, or it is not for us
    throw error;
  }
  const bells = names.filter((name) => NAME.test(name)).slice(0, MAX_JUDGED);
  for (const name of bells) isDeadByName(`/${name}`);
}
