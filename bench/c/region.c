/*
 * region NAME attach|read|update: what is done with a region, by the header that the library makes
 * of its schema. bench/ts/region.ts is the same in TypeScript.
 */
#include "loop.h"
#include "region_schema.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *name;
static struct bench *fields;

static void *map(size_t *bytes) {
  struct stat status;
  int fd = shm_open(name, O_RDWR, 0);
  must(fd != -1, "shm_open");
  must(fstat(fd, &status) == 0, "fstat");
  *bytes = (size_t)status.st_size;
  void *memory = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  must(memory != MAP_FAILED, "mmap");
  must(close(fd) == 0, "close");
  return memory;
}

static void attach(long iterations) {
  for (long i = 0; i < iterations; i++) {
    size_t bytes;
    void *memory = map(&bytes);
    struct bench *found = postbox_region_bench(memory, bytes);
    must(found != NULL && __atomic_load_n(&found->hits, __ATOMIC_SEQ_CST) == 0, "attach");
    must(munmap(memory, bytes) == 0, "munmap");
  }
}

static volatile uint64_t sum;

static void read_record(long iterations) {
  struct bench_last copy;
  for (long i = 0; i < iterations; i++) {
    must(bench_last_read(&fields->last, &copy) == 0, "read");
    sum += copy.c3;
  }
}

static void update(long iterations) {
  for (long i = 0; i < iterations; i++) {
    struct bench_last *next = bench_last_update_begin(&fields->last);
    must(next != NULL, "update");
    next->a0 = (double)i;
    next->c3 = (uint32_t)i;
    must(bench_last_update_commit(&fields->last) == 0, "commit");
  }
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  name = argv[1];
  size_t bytes;
  void *memory = map(&bytes);
  fields = postbox_region_bench(memory, bytes);
  must(fields != NULL, "region");
  serve(argv[2][0] == 'a' ? attach : argv[2][0] == 'r' ? read_record : update);
  return 0;
}
