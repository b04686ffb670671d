/*
 * One of the parties of locks.ts, in C: takes the mutex, changes what it guards, and checks that
 * nobody else changed it half, until it is killed or told to stop.
 *
 *   lock_party MEMORY SELF SEED
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* LAYOUT: as locks.ts draws it. */
enum { MUTEX_BYTES = 128, RW_LOCK_BYTES = 1280, MEMORY_BYTES = 4096 };
enum { STOP = 0, VIOLATIONS = 1, OWNERS_DIED = 2, ONE = 16, OTHER = 32, PARTIES = 80 };

int main(int argc, char **argv) {
  int fd = argc == 4 ? shm_open(argv[1], O_RDWR, 0) : -1;
  if (fd < 0) return 2;
  char *memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return 3;
  pthread_mutex_t *mutex = (void *)memory;
  _Atomic int32_t *words = (void *)(memory + MUTEX_BYTES + RW_LOCK_BYTES);
  _Atomic int32_t *sections = words + PARTIES + 4 * atoi(argv[2]);
  srand(atoi(argv[3]));

  while (!words[STOP]) {
    int error = rand() % 2 ? pthread_mutex_lock(mutex) : pthread_mutex_trylock(mutex);
    if (error == EBUSY) continue;
    if (error == EOWNERDEAD) {
      words[OWNERS_DIED]++;
      words[OTHER] = words[ONE];
    } else if (error != 0) {
      return 4;
    } else if (words[ONE] != words[OTHER]) {
      words[VIOLATIONS]++;
    }
    words[ONE] = words[ONE] + 1;
    for (int left = rand() % 8 == 0 ? 20000 : 200; left > 0; left--) (void)words[STOP];
    words[OTHER] = words[ONE];
    if (error == EOWNERDEAD && pthread_mutex_consistent(mutex) != 0) return 5;
    if (pthread_mutex_unlock(mutex) != 0) return 6;
    ++*sections;
    usleep(rand() % 100); /* a mutex is not fair: who takes it again at once keeps it */
  }
  return 0;
}
