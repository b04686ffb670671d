/*
 * The other end of a ring, in C (ring_test.ts says what is in its records):
 *
 *   ring_peer MEMORY produce LANE FIRST LAST     blocked while the lane is full
 *   ring_peer MEMORY consume FIRST LAST          of a ring with one lane, blocked while it is empty
 */
#include "ring.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

static void fail(const char *what, uint32_t number) {
  fprintf(stderr, "%s, record %u\n", what, number);
  exit(1);
}

static uint32_t length_of(uint32_t number, uint32_t capacity) {
  return 4 + (number * 2654435761u >> 8) % (capacity / 2 - RECORD_HEADER_BYTES - 3);
}

static void produce(struct ring *ring, uint32_t index, uint32_t first, uint32_t last) {
  struct lane *lane = lane_of(ring, index);
  if (!take_role(&lane->producer)) fail("the lane has a producer", first);
  struct end end = producer_of(lane, ring->capacity);
  unsigned char *data = malloc(ring->capacity);
  for (uint32_t number = first; number < last; number++) {
    uint32_t length = length_of(number, ring->capacity);
    memcpy(data, &number, sizeof number);
    for (uint32_t i = sizeof number; i < length; i++) data[i] = (unsigned char)(number + i);
    while (!append(&end, data, length)) {
      uint32_t changes = arm(&lane->not_full);
      if (append(&end, data, length)) break;
      await_change(&lane->not_full, changes);
    }
    publish(&end, ring);
  }
  free(data);
  give_role_back(&lane->producer);
}

static void consume(struct ring *ring, uint32_t first, uint32_t last) {
  if (!take_role(&ring->consumer)) fail("the ring has a consumer", first);
  struct end end = consumer_of(lane_of(ring, 0), ring->capacity);
  for (uint32_t number = first; number < last; number++) {
    uint32_t length = 0, found;
    const unsigned char *data;
    while ((data = peek(&end, &length)) == NULL) {
      uint32_t changes = arm(&ring->not_empty);
      if ((data = peek(&end, &length)) != NULL) break;
      await_change(&ring->not_empty, changes);
    }
    if (length != length_of(number, ring->capacity)) fail("another length", number);
    memcpy(&found, data, sizeof found);
    if (found != number) fail("another number", number);
    for (uint32_t i = sizeof number; i < length; i++) {
      if (data[i] != (unsigned char)(number + i)) fail("another byte", number);
    }
    skip(&end, length);
    give_back(&end);
  }
  give_role_back(&ring->consumer);
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  int fd = shm_open(argv[1], O_RDWR, 0);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) return 3;
  void *memory = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED || !is_ring(memory)) return 4;
  uint32_t numbers[3] = {0};
  for (int i = 3; i < argc && i < 6; i++) numbers[i - 3] = (uint32_t)strtoul(argv[i], NULL, 10);
  if (argv[2][0] == 'p') produce(memory, numbers[0], numbers[1], numbers[2]);
  else consume(memory, numbers[0], numbers[1]);
  return 0;
}
