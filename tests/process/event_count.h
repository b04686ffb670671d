/*
 * Event counts from C, by their layout alone (src/wait/event_layout.ts): waiting blocked, and
 * waking whoever waits.
 */
#ifndef POSTBOX_EVENT_COUNT_H
#define POSTBOX_EVENT_COUNT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BELL_SLOTS = 6, SLEEPERS_BIT = 1, WAITING_MASK = 0xff, ARMED_STEP = 0x100 };

struct event_count {
  _Atomic uint32_t changes, armed, format, zero;
  _Atomic uint64_t bells[BELL_SLOTS];
};

static void ring_bell(uint64_t bell) {
  char name[32];
  snprintf(name, sizeof name, "/postbox-bell-%016llx", (unsigned long long)bell);
  mqd_t mqd = mq_open(name, O_WRONLY | O_NONBLOCK);
  if (mqd == -1) return;
  mq_send(mqd, "", 1, 0); /* a full one has been rung already */
  mq_close(mqd);
}

static void wake(struct event_count *events, uint32_t armed) {
  if (armed & SLEEPERS_BIT) {
    events->changes++;
    syscall(SYS_futex, &events->changes, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
  }
  for (int slot = 0; slot < BELL_SLOTS; slot++) {
    uint64_t bell = events->bells[slot];
    if ((armed & (2u << slot)) && bell != 0) ring_bell(bell);
  }
  atomic_compare_exchange_strong(&events->armed, &armed, armed & ~(uint32_t)WAITING_MASK);
}

/* After each store that somebody may wait for. */
static inline void notify(struct event_count *events) {
  uint32_t armed = events->armed;
  if (armed & WAITING_MASK) wake(events, armed);
}

/* Says that a thread is about to sleep: look again then, and sleep by await_change(). */
static inline uint32_t arm(struct event_count *events) {
  uint32_t changes = events->changes;
  events->armed += ARMED_STEP;
  events->armed |= SLEEPERS_BIT;
  return changes;
}

static inline void await_change(struct event_count *events, uint32_t changes) {
  syscall(SYS_futex, &events->changes, FUTEX_WAIT, changes, NULL, NULL, 0);
}

#endif
