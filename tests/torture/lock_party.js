/**
 * One of the parties of locks.ts, in JavaScript: the same file runs under Deno, Node and Bun.
 *
 * Takes the locks in every form, changes what they guard, and checks that nobody else changed it
 * half, until it is killed or told to stop. Prints the number of its doorbell first, which whoever
 * kills it has to take away.
 *
 * Arguments: LIBRARY DOORBELL MEMORY SELF SEED   (the first two are modules of the library)
 */

import process from "node:process";

const [library, doorbell, name, self, seed] = process.argv.slice(2);
const { Mutex, MUTEX_BYTES, RW_LOCK_BYTES, RwLock, SharedMemory } = await import(library);
const { bellOfThisThread } = await import(doorbell);

// LAYOUT: as locks.ts draws it.
const memory = SharedMemory.open(name);
const mutex = Mutex.attach(memory.bytes.subarray(0, MUTEX_BYTES));
const rwLock = RwLock.attach(memory.bytes.subarray(MUTEX_BYTES));
const words = new Int32Array(memory.buffer, MUTEX_BYTES + RW_LOCK_BYTES);
const STOP = 0, VIOLATIONS = 1, OWNERS_DIED = 2, WRITERS_DIED = 3;
const MUTEX_PAIR = [16, 32], RW_PAIR = [48, 64];
const SECTIONS = 80 + Number(self) * 4, READS = SECTIONS + 1, WRITES = SECTIONS + 2;

let state = Number(seed);
function below(bound) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
}

/** Stays where it is for a moment, a time in eight for a longer one, so that it is killed there. */
function dawdle() {
  for (let left = below(8) === 0 ? 20_000 : 200; left > 0; left--) Atomics.load(words, STOP);
}

const load = (index) => Atomics.load(words, index);
const count = (index) => Atomics.add(words, index, 1);

/** Adds 1 to both of a pair, which only differ where an owner died in between. */
function change([one, other], { recovered }, died) {
  if (recovered) {
    count(died);
    Atomics.store(words, other, load(one));
  } else if (load(one) !== load(other)) {
    count(VIOLATIONS);
  }
  Atomics.store(words, one, load(one) + 1);
  dawdle();
  Atomics.store(words, other, load(one));
}

/** Changes what a lock guards, if there is a guard. */
function use(guard, pair, died, done) {
  if (!guard) return;
  change(pair, guard, died);
  guard.markConsistent();
  guard.unlock();
  count(done);
}

function read(guard) {
  if (!guard) return;
  const [one, other] = RW_PAIR;
  for (let times = 0; times < 2; times++) {
    if (!guard.recovered && load(one) !== load(other)) count(VIOLATIONS);
    dawdle();
  }
  guard.unlock();
  count(READS);
}

const lock = (guard) => use(guard, MUTEX_PAIR, OWNERS_DIED, SECTIONS);
const write = (guard) => use(guard, RW_PAIR, WRITERS_DIED, WRITES);

const ACTIONS = [
  () => lock(mutex.tryLock()),
  () => lock(mutex.lockSync()),
  () => lock(mutex.lockSync({ timeoutMs: below(3) })),
  async () => lock(await mutex.lock()),
  async () => lock(await mutex.lock({ timeoutMs: below(3) }).catch(() => undefined)),
  () => read(rwLock.tryRead()),
  () => read(rwLock.readSync()),
  async () => read(await rwLock.read()),
  async () => read(await rwLock.read({ timeoutMs: below(3) }).catch(() => undefined)),
  () => write(rwLock.tryWrite()),
  () => write(rwLock.writeSync()),
  () => write(rwLock.writeSync({ timeoutMs: below(3) })),
  async () => write(await rwLock.write()),
  async () => write(await rwLock.write({ timeoutMs: below(3) }).catch(() => undefined)),
];

console.log(String(bellOfThisThread()?.id ?? 0n));
while (load(STOP) === 0) {
  // Two at a time now and then, as tasks of one thread.
  const actions = below(4) === 0 ? [below(ACTIONS.length), 3, 12] : [below(ACTIONS.length)];
  await Promise.all(actions.map((index) => ACTIONS[index]()));
}
process.exit(0);
