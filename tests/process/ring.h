/*
 * Rings from C, by their layout alone (src/ring/ring_layout.ts).
 *
 * It trusts the memory, as a program that others attack must not (src/ring/lane_reader.ts).
 */
#ifndef POSTBOX_RING_H
#define POSTBOX_RING_H

#include "event_count.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

enum { RING_MAGIC = 0x47524250, RING_VERSION = 1, ROBUST_LOCKS = 1 };
enum { RECORD_HEADER_BYTES = 8, PADDING = -1 };

struct lock {
  _Alignas(64) pthread_mutex_t mutex;
  _Alignas(64) struct event_count events;
};

struct lane {
  _Alignas(64) _Atomic uint32_t tail;
  _Alignas(64) char unused[64];
  _Alignas(64) _Atomic uint32_t head;
  _Alignas(64) struct event_count not_full;
  _Alignas(64) struct lock producer;
  _Alignas(64) char records[];
};

struct ring {
  _Alignas(64) _Atomic uint32_t magic;
  uint32_t version, lanes, capacity, locks;
  _Alignas(64) struct event_count not_empty;
  _Alignas(64) struct lock consumer;
  _Alignas(64) char lanes_begin[];
};

static inline int is_ring(struct ring *ring) {
  return ring->magic == RING_MAGIC && ring->version == RING_VERSION && ring->locks == ROBUST_LOCKS;
}

static inline struct lane *lane_of(struct ring *ring, uint32_t index) {
  return (void *)(ring->lanes_begin + index * (sizeof(struct lane) + ring->capacity));
}

/* Takes a role; 0 when somebody has it. */
static inline int take_role(struct lock *lock) {
  int error = pthread_mutex_trylock(&lock->mutex);
  return error == 0 || (error == EOWNERDEAD && pthread_mutex_consistent(&lock->mutex) == 0);
}

static inline void give_role_back(struct lock *lock) {
  pthread_mutex_unlock(&lock->mutex);
  notify(&lock->events);
}

static inline uint32_t record_bytes(uint32_t length) {
  return (length + RECORD_HEADER_BYTES + 7) & ~7u;
}

/* One side of a lane: where it is, and how far it has seen the other. */
struct end {
  struct lane *lane;
  uint32_t capacity, at, other;
};

static inline struct end producer_of(struct lane *lane, uint32_t capacity) {
  return (struct end){lane, capacity, lane->tail, lane->head};
}

static inline struct end consumer_of(struct lane *lane, uint32_t capacity) {
  return (struct end){lane, capacity, lane->head, lane->tail};
}

/* Writes a record behind the last; 0 when the lane is full. Nobody sees it before publish(). */
static inline int append(struct end *end, const void *data, uint32_t length) {
  uint32_t place = end->at & (end->capacity - 1), to_end = end->capacity - place;
  uint32_t bytes = record_bytes(length), padding = bytes > to_end ? to_end : 0;
  if (end->at - end->other + padding + bytes > end->capacity) {
    end->other = end->lane->head;
    if (end->at - end->other + padding + bytes > end->capacity) return 0;
  }
  if (padding > 0) {
    *(int32_t *)(end->lane->records + place) = PADDING;
    place = 0;
  }
  *(int32_t *)(end->lane->records + place) = (int32_t)length;
  memcpy(end->lane->records + place + RECORD_HEADER_BYTES, data, length);
  end->at += padding + bytes;
  return 1;
}

static inline void publish(struct end *end, struct ring *ring) {
  end->lane->tail = end->at;
  notify(&ring->not_empty);
}

/* The next record, in place; NULL when there is none. */
static inline const void *peek(struct end *end, uint32_t *length) {
  if (end->at == end->other) end->other = end->lane->tail;
  if (end->at == end->other) return NULL;
  uint32_t place = end->at & (end->capacity - 1);
  if (*(int32_t *)(end->lane->records + place) == PADDING) {
    end->at += end->capacity - place;
    place = 0;
  }
  *length = *(uint32_t *)(end->lane->records + place);
  return end->lane->records + place + RECORD_HEADER_BYTES;
}

/* Goes behind the record that peek() gave. The producer sees that after give_back(). */
static inline void skip(struct end *end, uint32_t length) {
  end->at += record_bytes(length);
}

static inline void give_back(struct end *end) {
  end->lane->head = end->at;
  notify(&end->lane->not_full);
}

#endif
