/*
 * lock NAME measured|busy: locks the robust mutex at the beginning of a shared memory, adds 1, and
 * unlocks; `busy` does so while it is told to. bench/ts/lock.ts is the same in TypeScript.
 */
#include "loop.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* As bench/ts/lock_memory.ts. */
enum { COUNT_OFFSET = 128, STATE_OFFSET = 192, MEMORY_BYTES = 256 };
enum { BUSY = 1, OVER = 2 };

static unsigned char *memory;

static void loop(long iterations) {
  pthread_mutex_t *mutex = (pthread_mutex_t *)memory;
  volatile int32_t *count = (volatile int32_t *)(memory + COUNT_OFFSET);
  for (long i = 0; i < iterations; i++) {
    must(pthread_mutex_lock(mutex) == 0, "pthread_mutex_lock");
    *count = *count + 1;
    must(pthread_mutex_unlock(mutex) == 0, "pthread_mutex_unlock");
  }
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  int fd = shm_open(argv[1], O_RDWR, 0);
  must(fd != -1, "shm_open");
  memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  must(memory != MAP_FAILED, "mmap");
  if (strcmp(argv[2], "measured") == 0) {
    serve(loop);
    return 0;
  }
  puts("ready");
  fflush(stdout);
  for (int now; (now = atomic_load((_Atomic int32_t *)(memory + STATE_OFFSET))) != OVER;) {
    if (now == BUSY) loop(1000);
    else usleep(1000);
  }
  return 0;
}
