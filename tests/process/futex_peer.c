/*
 * Waits and notifies on an event count from C, by its layout alone (src/wait/event_layout.ts).
 *
 *   futex_peer MEMORY SELF LAST    plays one side of the game of futex_test.ts, blocked
 */

#include "event_count.h"
#include <stdlib.h>
#include <sys/mman.h>

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
      uint32_t changes = arm(events);
      token = values[0];
      if (token >= last || (token & 1) == self) break;
      await_change(events, changes);
      token = values[0];
    }
    if (token >= last) return 0;
    values[1 + self]++;
    values[0] = token + 1;
    notify(events);
  }
}
