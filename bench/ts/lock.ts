/**
 * lock NAME measured|busy: locks the mutex at the beginning of a shared memory, adds 1, and unlocks;
 * `busy` does so while it is told to. bench/c/lock.c is the same in C.
 */

import { Mutex, SharedMemory } from "../../mod.ts";
import { COUNT_OFFSET, State, STATE_OFFSET } from "./lock_memory.ts";
import { args, say, serve } from "./loop.ts";

const [name, role] = args("NAME", "ROLE") as [string, string];
const memory = SharedMemory.open(name);
const mutex = Mutex.attach(memory.bytes);
const count = new Int32Array(memory.buffer, COUNT_OFFSET, 1);
const state = new Int32Array(memory.buffer, STATE_OFFSET, 1);
const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));

function loop(iterations: number): void {
  for (let i = 0; i < iterations; i++) {
    const guard = mutex.lockSync()!;
    count[0]!++;
    guard.unlock();
  }
}

if (role === "measured") serve(loop);
else {
  say("ready");
  for (let now; (now = Atomics.load(state, 0)) !== State.over;) {
    if (now === State.busy) loop(1000);
    else Atomics.wait(nobodyWakes, 0, 0, 1);
  }
}
