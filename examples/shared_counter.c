/*
 * The other side of shared_counter.ts: counts in the region of that name.
 *
 * counter.h is made of the schema by toCHeader(). It is all that this program knows of Postbox.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "counter.h"

int main(int argc, char **argv) {
  struct stat status;
  if (argc != 3) return 2;
  int fd = shm_open(argv[1], O_RDWR, 0);
  if (fd == -1 || fstat(fd, &status) == -1) return 3;
  size_t bytes = (size_t)status.st_size;
  void *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (region == MAP_FAILED) return 4;
  struct counter *counter = postbox_region_counter(region, bytes);
  if (counter == NULL) return 5;

  /* JavaScript waits for this in its event loop. */
  __atomic_store_n(&counter->ready, 1, __ATOMIC_SEQ_CST);
  postbox_changed(region);
  while (!__atomic_load_n(&counter->start, __ATOMIC_SEQ_CST)) usleep(100);

  for (long rounds = atol(argv[2]); rounds > 0; rounds--) {
    __atomic_fetch_add(&counter->hits, 1, __ATOMIC_SEQ_CST);
  }

  struct counter_last *last = counter_last_update_begin(&counter->last);
  if (last == NULL) return 6;
  last->by.length = 1;
  memcpy(last->by.text, "C", 1);
  last->hits = __atomic_load_n(&counter->hits, __ATOMIC_SEQ_CST);
  return counter_last_update_commit(&counter->last) == 0 ? 0 : 7;
}
