/**
 * The record functions of a C header, while their writers are killed.
 *
 * Goal: a reader never sees half of an update, whenever the writers run and whenever they die; no
 * update is lost or counted twice; and nobody waits for a dead one. Method: a C program forks
 * readers, who judge every copy, and one writer after the other, each killed after a while. Each
 * update adds 1 to every number of the record, so a copy in which two differ is torn.
 */

import { assert, assertEquals, assertGreater } from "../assert.ts";
import { test } from "../harness.ts";
import { array, record, struct, toCHeader, u32, u64 } from "../../src/layout/mod.ts";
import { compileC, run } from "../support/process.ts";
import { scaled } from "../support/scale.ts";

const WORDS = 200;

/** `abandoned` is written by updates that are then given up, and so by none. */
const Shared = struct("shared", {
  last: record({ first: u64, words: array(u64, WORDS), abandoned: u32, constant: u32 }),
});

const HEADER = `#define _GNU_SOURCE\n${toCHeader(Shared)}`;

/** Shared memory with a record whose mutex is as JavaScript makes it. */
const MEMORY = `
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS ${WORDS}
#define CHECK(condition) \\
  do { if (!(condition)) { fprintf(stderr, "%s:%d: not %s\\n", __FILE__, __LINE__, #condition); exit(1); } } while (0)

static struct shared *make_shared(void) {
  struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(shared != MAP_FAILED);
  pthread_mutexattr_t attributes;
  CHECK(pthread_mutexattr_init(&attributes) == 0);
  CHECK(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0);
  CHECK(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
  CHECK(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK) == 0);
  CHECK(pthread_mutex_init(&shared->last.head.mutex.mutex, &attributes) == 0);
  return shared;
}
`;

const ONE_BY_ONE = `${HEADER}${MEMORY}
int main(void) {
  struct shared *shared = make_shared();
  struct shared_last_record *record = &shared->last;
  struct shared_last copy;

  CHECK(shared_last_read(record, &copy) == 0 && copy.first == 0);

  struct shared_last *draft = shared_last_update_begin(record);
  CHECK(draft == &record->copies[1].value);
  draft->first = 1;
  CHECK(shared_last_read(record, &copy) == 0 && copy.first == 0);
  CHECK(shared_last_update_begin(record) == NULL && errno == EDEADLK);
  CHECK(shared_last_update_commit(record) == 0);
  CHECK(shared_last_read(record, &copy) == 0 && copy.first == 1);
  CHECK(record->head.sequence == 1 && record->head.begun == 1);

  /* The next one begins with what is in force, not with what it finds. */
  draft = shared_last_update_begin(record);
  CHECK(draft == &record->copies[0].value && draft->first == 1);
  draft->first = 2;
  CHECK(shared_last_update_abort(record) == 0);
  CHECK(shared_last_read(record, &copy) == 0 && copy.first == 1);
  CHECK(record->head.sequence == 1 && record->head.begun == 2);
  draft = shared_last_update_begin(record);
  CHECK(draft == &record->copies[0].value && draft->first == 1);
  CHECK(shared_last_update_commit(record) == 0);
  CHECK(record->head.sequence == 2 && record->head.begun == 2);
  CHECK(shared_last_update_commit(record) == EPERM);
  record->head.sequence = 2;

  /* The numbers wrap around. */
  record->head.sequence = record->head.begun = UINT32_MAX;
  draft = shared_last_update_begin(record);
  CHECK(draft == &record->copies[0].value && record->head.begun == 0);
  draft->first = 7;
  CHECK(shared_last_read(record, &copy) == 0 && copy.first == record->copies[1].value.first);
  CHECK(shared_last_update_commit(record) == 0);
  CHECK(record->head.sequence == 0);
  CHECK(shared_last_read(record, &copy) == 0 && copy.first == 7);

  /* Overtaken for ever, or said to be. */
  record->head.begun = 2;
  CHECK(shared_last_read(record, &copy) == EAGAIN);
  record->head.begun = UINT32_MAX;
  CHECK(shared_last_read(record, &copy) == EAGAIN);
  /* The next writer puts it right. */
  CHECK(shared_last_update_begin(record) != NULL && shared_last_update_commit(record) == 0);
  CHECK(shared_last_read(record, &copy) == 0 && copy.first == 7);

  /* A writer dies in its update. */
  pid_t writer = fork();
  if (writer == 0) {
    shared_last_update_begin(record)->first = 8;
    raise(SIGKILL);
  }
  CHECK(waitpid(writer, NULL, 0) == writer);
  CHECK(shared_last_read(record, &copy) == 0 && copy.first == 7);
  draft = shared_last_update_begin(record);
  CHECK(draft != NULL && draft->first == 7);
  draft->first = 9;
  CHECK(shared_last_update_commit(record) == 0);
  CHECK(shared_last_read(record, &copy) == 0 && copy.first == 9);
  return 0;
}
`;

test("the record functions of a C header do as they say", async () => {
  using program = await compileC(ONE_BY_ONE);
  const { code, stderr } = await run(program.path);
  assertEquals([code, stderr], [0, ""]);
});

const TORTURE = `${HEADER}${MEMORY}
enum { READERS = 2, CONSTANT = 0x5eed };

static pid_t start(void (*run)(struct shared *), struct shared *shared) {
  pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid > 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  run(shared);
  exit(0);
}

static void write_for_ever(struct shared *shared) {
  for (unsigned round = 0;; round++) {
    struct shared_last *draft = shared_last_update_begin(&shared->last);
    CHECK(draft != NULL);
    if (round % 16 == 15) {
      draft->abandoned = round;
      CHECK(shared_last_update_abort(&shared->last) == 0);
      continue;
    }
    draft->first++;
    for (int i = 0; i < WORDS; i++) draft->words[i]++;
    CHECK(shared_last_update_commit(&shared->last) == 0);
  }
}

static void judge(const struct shared_last *copy) {
  for (int i = 0; i < WORDS; i++) CHECK(copy->words[i] == copy->first);
  CHECK(copy->abandoned == 0 && copy->constant == CONSTANT);
}

/** Counted by each reader: reads, and updates that were not the one before. */
static uint64_t *counts;
static int reader_number;

static void read_for_ever(struct shared *shared) {
  static struct shared_last copy;
  for (uint64_t last = 0;;) {
    int error = shared_last_read(&shared->last, &copy);
    if (error == EAGAIN) continue;
    CHECK(error == 0);
    judge(&copy);
    CHECK(copy.first >= last);
    counts[2 * reader_number]++;
    counts[2 * reader_number + 1] += copy.first != last;
    last = copy.first;
  }
}

/** While a writer is killed, or after it: the loop of the parent says when. */
static void wait_a_little(unsigned microseconds) {
  nanosleep(&(struct timespec){ .tv_nsec = microseconds * 1000L }, NULL);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  int kills = atoi(argv[1]);
  srand((unsigned)atoi(argv[2]));
  struct shared *shared = make_shared();
  struct shared_last_record *record = &shared->last;
  shared_last_update_begin(record)->constant = CONSTANT;
  CHECK(shared_last_update_commit(record) == 0);

  counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t readers[READERS];
  for (reader_number = 0; reader_number < READERS; reader_number++) {
    readers[reader_number] = start(read_for_ever, shared);
  }
  int unfinished = 0;
  for (int kill_number = 0; kill_number < kills; kill_number++) {
    pid_t writer = start(write_for_ever, shared);
    wait_a_little(200 + (unsigned)rand() % 3000);
    int status;
    CHECK(kill(writer, SIGKILL) == 0 && waitpid(writer, &status, 0) == writer);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    uint32_t ahead = record->head.begun - record->head.sequence;
    CHECK(ahead <= 1);
    unfinished += ahead == 1;
    for (int i = 0; i < READERS; i++) CHECK(waitpid(readers[i], &status, WNOHANG) == 0);
  }
  for (int i = 0; i < READERS; i++) {
    int status;
    CHECK(kill(readers[i], SIGKILL) == 0 && waitpid(readers[i], &status, 0) == readers[i]);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }
  /* Each update that was committed counts once, and the last writer's death locks nobody out. */
  struct shared_last *draft = shared_last_update_begin(record);
  CHECK(draft != NULL);
  judge(draft);
  CHECK(draft->first + 1 == record->head.sequence);
  printf("%u %d", record->head.sequence, unfinished);
  for (int i = 0; i < 2 * READERS; i++) printf(" %llu", (unsigned long long)counts[i]);
  printf("\\n");
  return 0;
}
`;

test("readers of a record see whole updates while its writers are killed", async () => {
  using program = await compileC(TORTURE);
  const kills = scaled(300), seed = 20_261_125;
  const { code, stdout, stderr } = await run(program.path, {
    args: [`${kills}`, `${seed}`],
    timeoutMs: 120_000,
  });
  assertEquals([code, stderr], [0, ""], `seed ${seed}`);
  const [updates, unfinished, ...counts] = stdout.trim().split(" ").map(Number);
  // Otherwise it showed nothing.
  assertGreater(updates!, kills);
  assertGreater(unfinished!, 0);
  // Each of the readers: on a busy machine one may hardly have run.
  assert(counts.every((count) => count > 0), stdout);
});
