/** What is in the memory of the `lock` benchmark behind the mutex; bench/c/lock.c has the same. */

export const COUNT_OFFSET = 128, STATE_OFFSET = 192, MEMORY_BYTES = 256;

/** What who locks beside the measured one does. */
export const State = { paused: 0, busy: 1, over: 2 } as const;
