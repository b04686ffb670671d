/*
 * Uses a region from C, by the header that is made of its schema and nothing else.
 *
 *   region_peer NAME add COUNT         adds 1 to each integer, so many times
 *   region_peer NAME store VALUE       stores into ready by a plain store, and tells nobody
 *   region_peer NAME changed VALUE     stores into ready, and calls postbox_changed()
 *   region_peer NAME play COUNT        makes ready odd whenever it is even, so many times
 *   region_peer NAME write             updates the record until stop is set
 *   region_peer NAME read              reads the record until stop is set; prints how many reads were
 *                                      made, torn, and given up because they were overtaken
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared.h"

static void add_to_all(struct shared *shared, long count) {
  __atomic_fetch_add(&shared->started, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST) == 0) usleep(100);
  for (long i = 0; i < count; i++) {
    __atomic_fetch_add(&shared->u8, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&shared->u16, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&shared->u32, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&shared->u64, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&shared->i8, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&shared->i16, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&shared->i32, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&shared->i64, 1, __ATOMIC_SEQ_CST);
  }
}

static void play(struct shared *shared, void *region, long count) {
  for (long turn = 0; turn < count; turn++) {
    uint32_t ready;
    while ((ready = __atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST)) & 1) sched_yield();
    usleep(100); /* the other one falls asleep, mostly */
    __atomic_store_n(&shared->ready, ready + 1, __ATOMIC_RELEASE);
    postbox_changed(region);
  }
}

/* All members say the same number. */
static void fill(struct shared_last *last, uint64_t number) {
  last->number = number;
  last->tag.length = (uint32_t)snprintf(last->tag.text, sizeof last->tag.text, "%llu",
                                        (unsigned long long)(number % 10000000000u));
  for (uint32_t i = 0; i < 13; i++) last->words[i] = (uint32_t)number * (i + 1);
}

static int is_torn(const struct shared_last *last) {
  struct shared_last expected;
  memset(&expected, 0, sizeof expected);
  if (last->number == 0) return 0;
  fill(&expected, last->number);
  return last->tag.length != expected.tag.length ||
         memcmp(last->tag.text, expected.tag.text, expected.tag.length) != 0 ||
         memcmp(last->words, expected.words, sizeof expected.words) != 0;
}

static int write_records(struct shared *shared, void *region) {
  __atomic_fetch_add(&shared->started, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&shared->stop, __ATOMIC_SEQ_CST) == 0) {
    struct shared_last *last = shared_last_update_begin(&shared->last);
    if (last == NULL) return 5;
    fill(last, last->number + 1);
    if (shared_last_update_commit(&shared->last) != 0) return 6;
    postbox_changed(region);
  }
  return 0;
}

static int read_records(struct shared *shared) {
  long reads = 0, torn = 0, overtaken = 0;
  uint64_t number = 0;
  for (; __atomic_load_n(&shared->stop, __ATOMIC_SEQ_CST) == 0; reads++) {
    struct shared_last last;
    if (shared_last_read(&shared->last, &last) != 0) {
      overtaken++;
      continue;
    }
    if (is_torn(&last) || last.number < number) torn++;
    number = last.number;
  }
  printf("%ld %ld %ld\n", reads, torn, overtaken);
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int fd = shm_open(argv[1], O_RDWR, 0);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) return 3;
  void *region = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (region == MAP_FAILED) return 4;
  struct shared *shared = postbox_region_shared(region, (size_t)status.st_size);
  if (shared == NULL) return 7;
  long number = argc > 3 ? atol(argv[3]) : 0;

  if (strcmp(argv[2], "add") == 0) add_to_all(shared, number);
  else if (strcmp(argv[2], "play") == 0) play(shared, region, number);
  else if (strcmp(argv[2], "store") == 0) *(volatile uint32_t *)&shared->ready = (uint32_t)number;
  else if (strcmp(argv[2], "changed") == 0) {
    __atomic_store_n(&shared->ready, (uint32_t)number, __ATOMIC_RELAXED);
    postbox_changed(region);
  } else if (strcmp(argv[2], "write") == 0) return write_records(shared, region);
  else if (strcmp(argv[2], "read") == 0) return read_records(shared);
  else return 2;
  return 0;
}
