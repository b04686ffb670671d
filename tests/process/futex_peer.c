/*
 * Waits and notifies on an event count from C, by its layout alone (src/wait/event_layout.ts).
 *
 *   futex_peer MEMORY SELF LAST    plays one side of the game of futex_test.ts, blocked
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <limits.h>
#include <mqueue.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BELL_SLOTS = 6, SLEEPERS_BIT = 1, WAITING_MASK = 0xff, ARMED_STEP = 0x100 };

struct event_count {
  _Atomic uint32_t changes, armed, format, zero;
  _Atomic uint64_t bells[BELL_SLOTS];
};

static void ring(uint64_t bell) {
  char name[32];
  snprintf(name, sizeof name, "/postbox-bell-%016llx", (unsigned long long)bell);
  mqd_t mqd = mq_open(name, O_WRONLY | O_NONBLOCK);
  if (mqd == -1) return;
  mq_send(mqd, "", 1, 0); /* a full one has been rung already */
  mq_close(mqd);
}

static void notify(struct event_count *events) {
  uint32_t armed = events->armed;
  if ((armed & WAITING_MASK) == 0) return;
  if (armed & SLEEPERS_BIT) {
    events->changes++;
    syscall(SYS_futex, &events->changes, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
  }
  for (int slot = 0; slot < BELL_SLOTS; slot++) {
    uint64_t bell = events->bells[slot];
    if ((armed & (2u << slot)) && bell != 0) ring(bell);
  }
  atomic_compare_exchange_strong(&events->armed, &armed, armed & ~(uint32_t)WAITING_MASK);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  uint32_t self = atoi(argv[2]), last = atoi(argv[3]);
  int fd = shm_open(argv[1], O_RDWR, 0);
  if (fd < 0) return 3;
  char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return 4;
  _Atomic uint32_t *values = (void *)memory;
  struct event_count *events = (void *)(memory + 64);

  for (;;) {
    uint32_t token = values[0];
    while (token < last && (token & 1) != self) {
      uint32_t changes = events->changes;
      events->armed += ARMED_STEP;
      events->armed |= SLEEPERS_BIT;
      token = values[0];
      if (token >= last || (token & 1) == self) break;
      syscall(SYS_futex, &events->changes, FUTEX_WAIT, changes, NULL, NULL, 0);
      token = values[0];
    }
    if (token >= last) return 0;
    values[1 + self]++;
    values[0] = token + 1;
    notify(events);
  }
}
