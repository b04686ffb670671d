/** What C has to be told of records: their layout, and the protocol of record_layout.ts. */

import { once } from "./c_locks.ts";
import { type Declaration, RECORD_SUFFIXES } from "./declarations.ts";
import {
  RECORD_ALIGN_BYTES,
  RECORD_BEGUN_OFFSET,
  RECORD_COPIES_OFFSET,
  RECORD_SEQUENCE_OFFSET,
  recordBytes,
  recordStrideBytes,
} from "./record_layout.ts";

/** What the text needs. */
export const RECORD_INCLUDES: readonly string[] = ["errno.h", "pthread.h", "string.h"];

/** So often C reads again a record that it was overtaken at, before it says so. */
const MAX_TRIES = 65536;

/** What all records have in common. Needs `struct postbox_mutex`. */
export const RECORD_HEAD_TEXT: string = once(
  "POSTBOX_RECORD",
  `#ifndef __cplusplus
/* -std=c11 alone hides it. */
int pthread_mutex_consistent(pthread_mutex_t *mutex);
#endif

/* A record has two copies, of which sequence & 1 is in force; update sequence + 1 is written into
 * the other, after its number was written into begun. */
struct postbox_record {
  struct postbox_mutex mutex;
  uint32_t sequence;
  uint32_t begun;
} __attribute__((aligned(${RECORD_ALIGN_BYTES})));
POSTBOX_ASSERT(offsetof(struct postbox_record, sequence) == ${RECORD_SEQUENCE_OFFSET}, "sequence is elsewhere");
POSTBOX_ASSERT(offsetof(struct postbox_record, begun) == ${RECORD_BEGUN_OFFSET}, "begun is elsewhere");
POSTBOX_ASSERT(sizeof(struct postbox_record) == ${RECORD_COPIES_OFFSET}, "struct postbox_record has another size");

static inline int postbox_record_read(const struct postbox_record *record, const void *copies,
                                      size_t stride, void *copy, size_t size) {
  for (int tries = 0; tries < ${MAX_TRIES}; tries++) {
    uint32_t sequence = __atomic_load_n(&record->sequence, __ATOMIC_ACQUIRE);
    memcpy(copy, (const char *)copies + (sequence & 1) * stride, size);
    /* What was copied was read before begun is. */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n(&record->begun, __ATOMIC_RELAXED) - sequence <= 1) return 0;
  }
  return EAGAIN;
}

static inline void *postbox_record_update_begin(struct postbox_record *record, void *copies,
                                                size_t stride, size_t size) {
  int error = pthread_mutex_lock(&record->mutex.mutex);
  /* A dead owner leaves the copy in force whole; what it had begun is begun again. */
  if (error == EOWNERDEAD) error = pthread_mutex_consistent(&record->mutex.mutex);
  if (error != 0) {
    errno = error;
    return NULL;
  }
  uint32_t sequence = __atomic_load_n(&record->sequence, __ATOMIC_RELAXED);
  __atomic_store_n(&record->begun, sequence + 1, __ATOMIC_RELAXED);
  /* begun is seen before anything of the copy is. */
  __atomic_thread_fence(__ATOMIC_RELEASE);
  char *next = (char *)copies + ((sequence + 1) & 1) * stride;
  memcpy(next, (const char *)copies + (sequence & 1) * stride, size);
  return next;
}

static inline int postbox_record_update_commit(struct postbox_record *record) {
  uint32_t sequence = __atomic_load_n(&record->sequence, __ATOMIC_RELAXED);
  __atomic_store_n(&record->sequence, sequence + 1, __ATOMIC_RELEASE);
  return pthread_mutex_unlock(&record->mutex.mutex);
}`,
);

/** Declares a record of a struct that is declared, and the functions on it. */
export function recordText({ cName, struct }: Declaration): string {
  const type = `struct ${cName}${RECORD_SUFFIXES.struct}`;
  const { read, begin, commit, abort } = RECORD_SUFFIXES;
  return `${type} {
  struct postbox_record head;
  struct {
    struct ${cName} value;
  } __attribute__((aligned(${RECORD_ALIGN_BYTES}))) copies[2];
};
POSTBOX_ASSERT(offsetof(${type}, copies[1]) == ${
    RECORD_COPIES_OFFSET + recordStrideBytes(struct.byteLength)
  }, "${type}.copies[1] is elsewhere");
POSTBOX_ASSERT(sizeof(${type}) == ${recordBytes(struct.byteLength)}, "${type} has another size");

/* Copies the record as one update left it. 0, or EAGAIN when it was always overtaken. */
static inline int ${cName}${read}(const ${type} *record, struct ${cName} *copy) {
  return postbox_record_read(&record->head, record->copies, sizeof record->copies[0], copy,
                             sizeof *copy);
}

/* Locks the record and gives its next copy, filled with the present one, to be changed; or NULL
 * and errno. Nobody sees the changes before ${cName}${commit}(). */
static inline struct ${cName} *${cName}${begin}(${type} *record) {
  return (struct ${cName} *)postbox_record_update_begin(
      &record->head, record->copies, sizeof record->copies[0], sizeof(struct ${cName}));
}

/* Puts the next copy in force and unlocks the record. 0, or what pthread_mutex_unlock() says. */
static inline int ${cName}${commit}(${type} *record) {
  return postbox_record_update_commit(&record->head);
}

/* Leaves the present copy in force and unlocks the record. */
static inline int ${cName}${abort}(${type} *record) {
  return pthread_mutex_unlock(&record->head.mutex.mutex);
}`;
}
