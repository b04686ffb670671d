/*
 * ring ROLE MEMORY BYTES: one end of two rings, as bench/ts/ring.ts says, over the C of
 * tests/process/ring.h. Who has to wait spins for a while before it sleeps.
 */
#include "../../tests/process/ring.h"
#include "loop.h"
#include <sys/mman.h>
#include <sys/stat.h>

enum { NUMBER_OFFSET = 8, REQUEST_BYTES = 64, BATCH_RECORDS = 32, SPINS = 2000 };

static struct ring *out_ring, *in_ring;
static struct end out, in;
static uint32_t bytes;
static char request[REQUEST_BYTES], record[65536];

static inline void pause_processor(void) {
#ifdef __x86_64__
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void push(const void *data, uint32_t length) {
  for (int spins = 0; !append(&out, data, length); spins++) {
    publish(&out, out_ring); /* of a batch */
    if (spins < SPINS) {
      pause_processor();
      continue;
    }
    uint32_t changes = arm(&out.lane->not_full);
    if (append(&out, data, length)) return;
    await_change(&out.lane->not_full, changes);
  }
}

static const char *next(uint32_t *length) {
  const char *data;
  for (int spins = 0; (data = peek(&in, length)) == NULL; spins++) {
    if (spins < SPINS) {
      pause_processor();
      continue;
    }
    uint32_t changes = arm(&in_ring->not_empty);
    if ((data = peek(&in, length)) != NULL) return data;
    await_change(&in_ring->not_empty, changes);
  }
  return data;
}

static void push_now(const void *data, uint32_t length) {
  push(data, length);
  publish(&out, out_ring);
}

static void pop_into(void *data) {
  uint32_t length;
  const char *found = next(&length);
  memcpy(data, found, length);
  skip(&in, length);
  give_back(&in);
}

static void ask(char kind, double number) {
  request[0] = kind;
  memcpy(request + NUMBER_OFFSET, &number, sizeof number);
  push_now(request, sizeof request);
}

static long take_batches(long count) {
  long sum = 0;
  uint32_t length;
  while (count > 0) {
    const char *data = next(&length);
    for (int turn = 0; data != NULL && turn < 2 * BATCH_RECORDS; turn++) {
      sum += data[0];
      skip(&in, length);
      count--;
      data = peek(&in, &length);
    }
    give_back(&in);
  }
  return sum;
}

static long take_one_by_one(long count) {
  long sum = 0;
  for (long i = 0; i < count; i++) {
    pop_into(record);
    sum += record[0];
  }
  return sum;
}

static double stream(char kind, long (*take)(long), long count) {
  long long start = now_ns();
  ask(kind, (double)count);
  must(take(count) == count, "take");
  return (double)(now_ns() - start) / (double)count;
}

static int by_value(const void *a, const void *b) {
  long long x = *(const long long *)a, y = *(const long long *)b;
  return (x > y) - (x < y);
}

static double round_trip(long count) {
  long long *ns = malloc(sizeof *ns * (size_t)count);
  must(ns != NULL, "malloc");
  request[0] = 'e';
  for (long i = 0; i < count; i++) {
    long long start = now_ns();
    push_now(request, sizeof request);
    pop_into(record);
    ns[i] = now_ns() - start;
  }
  qsort(ns, (size_t)count, sizeof *ns, by_value);
  double median = (double)ns[count / 2];
  free(ns);
  return median;
}

static void push_records(long count, long at_once) {
  for (long i = 1; i <= count; i++) {
    push(record, bytes);
    if (i % at_once == 0 || i == count) publish(&out, out_ring);
  }
}

static void answer(void) {
  memset(record, 1, sizeof record);
  for (;;) {
    double number;
    pop_into(request);
    memcpy(&number, request + NUMBER_OFFSET, sizeof number);
    switch (request[0]) {
      case 'e': push_now(request, sizeof request); break;
      case 'b': push_records((long)number, BATCH_RECORDS); break;
      case 'o': push_records((long)number, 1); break;
      default: return;
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  const char *role = argv[1];
  bytes = (uint32_t)strtoul(argv[3], NULL, 10);
  struct stat status;
  int fd = shm_open(argv[2], O_RDWR, 0);
  must(fd >= 0 && fstat(fd, &status) == 0, "shm_open");
  char *memory = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  must(memory != MAP_FAILED, "mmap");
  int is_peer = strcmp(role, "peer") == 0;
  out_ring = (void *)(memory + (is_peer ? status.st_size / 2 : 0));
  in_ring = (void *)(memory + (is_peer ? 0 : status.st_size / 2));
  must(is_ring(out_ring) && is_ring(in_ring), "ring");
  must(take_role(&lane_of(out_ring, 0)->producer) && take_role(&in_ring->consumer), "role");
  out = producer_of(lane_of(out_ring, 0), out_ring->capacity);
  in = consumer_of(lane_of(in_ring, 0), in_ring->capacity);

  char line[32];
  puts("ready");
  fflush(stdout);
  if (is_peer) {
    answer();
    return 0;
  }
  while (fgets(line, sizeof line, stdin) != NULL) {
    long count = atol(line);
    double ns = strcmp(role, "round-trip") == 0 ? round_trip(count)
              : strcmp(role, "batches") == 0    ? stream('b', take_batches, count)
                                                : stream('o', take_one_by_one, count);
    printf("{\"ns\":%f}\n", ns);
    fflush(stdout);
  }
  ask('q', 0);
  return 0;
}
