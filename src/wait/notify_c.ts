/**
 * Notifying from C: what a C program does that has changed something that others wait for.
 *
 * Rule: it does what `event_steps.ts` does, with the numbers of `event_layout.ts` and nothing but
 * libc. It keeps no bell open: C that rings often enough for that to matter may do so itself.
 */

import { C } from "../sys/mod.ts";
import { bellName } from "./doorbell.ts";
import {
  BELL_SLOTS,
  BELLS_OFFSET,
  EVENT_COUNT_BYTES,
  FIRST_BELL_BIT,
  FORMAT_MARK,
  SLEEPERS_BIT,
  WAITING_MASK,
} from "./event_layout.ts";

/** The name of a bell for printf(3): `/postbox-bell-%016llx`. */
const BELL_FORMAT = bellName(0n).replace(/0{16}$/, "%016llx");

/** The headers that {@linkcode NOTIFY_C} needs. */
export const NOTIFY_C_HEADERS: readonly string[] = [
  "errno.h",
  "fcntl.h",
  "limits.h",
  "linux/futex.h",
  "mqueue.h",
  "stddef.h",
  "stdint.h",
  "stdio.h",
  "string.h",
  "sys/stat.h",
  "sys/syscall.h",
  "unistd.h",
];

/**
 * C11 and C++11: `struct postbox_events` and `postbox_notify()`.
 *
 * Needs POSTBOX_ASSERT(condition, text), and before glibc 2.34 -lrt.
 */
export const NOTIFY_C = `\
#ifndef POSTBOX_EVENTS
#define POSTBOX_EVENTS

/* Where who waits says so: an event count, version 1, at a multiple of ${EVENT_COUNT_BYTES} bytes. */
struct postbox_events {
  uint32_t changes, armed, format, zero;
  uint64_t bells[${BELL_SLOTS}];
};

POSTBOX_ASSERT(sizeof(struct postbox_events) == ${EVENT_COUNT_BYTES}, "an event count has another size");
POSTBOX_ASSERT(offsetof(struct postbox_events, bells) == ${BELLS_OFFSET}, "its bells are elsewhere");

/* -std=c11 alone hides them. */
#ifndef O_CLOEXEC
#define O_CLOEXEC 0${C.O_CLOEXEC.toString(8)}
#endif
#ifndef F_OFD_SETLK
#define F_OFD_SETLK ${C.F_OFD_SETLK}
#endif
#ifndef __cplusplus
long syscall(long number, ...);
#endif

/* Rings the event loop that a slot names; true when nobody is left there who has to be woken. */
static inline int postbox_ring(uint64_t *slot) {
  uint64_t bell = __atomic_load_n(slot, __ATOMIC_SEQ_CST);
  if (bell == 0) return 1;
  char name[40];
  snprintf(name, sizeof name, "${BELL_FORMAT}", (unsigned long long)bell);
  mqd_t queue = mq_open(name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (queue != (mqd_t)-1) {
    struct stat status;
    struct flock lock;
    memset(&lock, 0, sizeof lock);
    lock.l_type = F_WRLCK;
    /* Anybody may use such a name: only this user's are rung. */
    int done = 0, is_ours = fstat((int)queue, &status) == 0 && status.st_uid == geteuid();
    if (is_ours && fcntl((int)queue, F_OFD_SETLK, &lock) == 0) {
      /* Its owner holds the lock as long as it lives. */
      mq_unlink(name);
      __atomic_compare_exchange_n(slot, &bell, (uint64_t)0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
      done = 1;
    } else if (is_ours && (errno == EAGAIN || errno == EACCES)) {
      /* A full one has been rung already. */
      done = mq_send(queue, "", 1, 0) == 0 || errno == EAGAIN;
    }
    mq_close(queue);
    return done;
  }
  if (errno != ENOENT) return 0;
  __atomic_compare_exchange_n(slot, &bell, (uint64_t)0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return 1;
}

static inline void postbox_wake(struct postbox_events *events, uint32_t armed) {
  uint32_t woken = 0, expected = armed;
  if (armed & ${SLEEPERS_BIT}u) {
    /* The change comes first: a thread that has not fallen asleep yet sees it and stays awake. */
    __atomic_fetch_add(&events->changes, 1u, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &events->changes, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    woken |= ${SLEEPERS_BIT}u;
  }
  for (int slot = 0; slot < ${BELL_SLOTS}; slot++) {
    uint32_t bit = ${FIRST_BELL_BIT}u << slot;
    if ((armed & bit) && postbox_ring(&events->bells[slot])) woken |= bit;
  }
  /* Disarmed, if nobody armed meanwhile. */
  __atomic_compare_exchange_n(&events->armed, &expected, armed & ~woken, 0, __ATOMIC_SEQ_CST,
                              __ATOMIC_SEQ_CST);
}

/* Wakes who waits for a change, after any store. Costs a load while nobody waits. Keeps errno. */
static inline void postbox_notify(struct postbox_events *events) {
  if (__atomic_load_n(&events->format, __ATOMIC_RELAXED) != 0x${FORMAT_MARK.toString(16)}u) return;
  /* Who waits arms and then looks: it sees that store, or we see it armed. */
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  uint32_t armed = __atomic_load_n(&events->armed, __ATOMIC_SEQ_CST);
  if ((armed & ${WAITING_MASK}u) == 0) return;
  int saved = errno;
  postbox_wake(events, armed);
  errno = saved;
}

#endif
`;
