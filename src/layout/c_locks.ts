/**
 * What C has to be told of locks: who they are to its own functions, and their size.
 *
 * ```text
 * struct postbox_mutex      mutex: a pthread_mutex_t in 64 bytes; event_count
 * struct postbox_semaphore  sem: a sem_t in 64 bytes; event_count
 * struct postbox_event      state; event_count          )
 * struct postbox_barrier    state; event_count          ) for JavaScript alone
 * struct postbox_rw_lock    state; event_count; mutexes )
 * ```
 */

import { LOCK_ALIGN_BYTES, LOCK_BYTES } from "./lock_fields.ts";
import type { LockKind } from "./types.ts";

/** A part of a header that may be in several, and counts once. */
export function once(macro: string, text: string): string {
  return `#ifndef ${macro}\n#define ${macro}\n${text}\n#endif`;
}

/** Each part of a lock has 64 bytes: what C's own lock needs, and some room. */
const PART_BYTES = LOCK_ALIGN_BYTES;

const EVENT_COUNT = `  uint32_t event_count[${
  PART_BYTES / 4
}]; /* who waits for it in JavaScript */`;
const STATE = `  uint32_t state[${PART_BYTES / 4}];`;

function inPart(type: string, name: string): string {
  return `  union {
    ${type} ${name};
    unsigned char ${name}_bytes[${PART_BYTES}];
  };`;
}

interface LockText {
  /** Behind `postbox_`. */
  readonly cName: string;
  readonly includes?: readonly string[];
  readonly about: string;
  readonly members: readonly string[];
}

const JAVASCRIPT_ALONE = "For JavaScript alone.";

const LOCKS: Readonly<Record<LockKind, LockText>> = {
  mutex: {
    cName: "mutex",
    includes: ["pthread.h"],
    about:
      `Robust, shared between processes, error-checking; JavaScript has initialised it. Take it with
 * pthread_mutex_lock(&x->mutex), and on EOWNERDEAD repair what it guards, then call
 * pthread_mutex_consistent(&x->mutex).`,
    members: [inPart("pthread_mutex_t", "mutex"), EVENT_COUNT],
  },
  semaphore: {
    cName: "semaphore",
    includes: ["semaphore.h"],
    about:
      "Shared between processes; JavaScript has initialised it: sem_wait(&x->sem), sem_post(&x->sem).",
    members: [inPart("sem_t", "sem"), EVENT_COUNT],
  },
  event: { cName: "event", about: JAVASCRIPT_ALONE, members: [STATE, EVENT_COUNT] },
  barrier: { cName: "barrier", about: JAVASCRIPT_ALONE, members: [STATE, EVENT_COUNT] },
  rwLock: {
    cName: "rw_lock",
    about: JAVASCRIPT_ALONE,
    members: [
      STATE,
      EVENT_COUNT,
      `  unsigned char mutexes[${LOCK_BYTES.rwLock - 2 * PART_BYTES}];`,
    ],
  },
};

/** How C calls the type of a lock. */
export function lockCType(kind: LockKind): string {
  return `struct postbox_${LOCKS[kind].cName}`;
}

/** The headers that the type of a lock needs. */
export function lockIncludes(kind: LockKind): readonly string[] {
  return LOCKS[kind].includes ?? [];
}

/** Declares the type of a lock. */
export function lockText(kind: LockKind): string {
  const { cName, about, members } = LOCKS[kind];
  const type = lockCType(kind);
  return once(
    `POSTBOX_${cName.toUpperCase()}`,
    `/* ${about} */
${type} {
${members.join("\n")}
} __attribute__((aligned(${LOCK_ALIGN_BYTES})));
POSTBOX_ASSERT(sizeof(${type}) == ${LOCK_BYTES[kind]}, "${type} has another size");`,
  );
}
