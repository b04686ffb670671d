/*
 * One of the parties of soak_test.ts, in C: what soak_party.js says, it does too, with calls that
 * block, in a thread for each queue and direction.
 *
 * usage: soak_peer SELF EACH COUNTS RECEIVES QUEUE QUEUE QUEUE QUEUE
 */
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* LAYOUT: as soak_test.ts draws it; soak_party.js has the same numbers. */
#define PARTIES 8
#define QUEUES 4
#define LEVELS 4
#define LEVEL_STEP 8192
#define END_PRIORITY 0
#define HASH 2654435761u

struct message {
  uint32_t sender, priority, sequence, check;
};

static uint32_t self, each;
static _Atomic uint8_t *counts;
static mqd_t queues[QUEUES];
static _Atomic uint32_t sent, received;

static void must(int done, const char *what) {
  if (done) return;
  perror(what);
  exit(1);
}

/* Judges a message that was received. */
static void must_be(int done, const char *what, uint32_t queue, const struct message *message) {
  if (done) return;
  fprintf(stderr, "%s (%u, %u, %u, %u)\n", what, queue, message->sender, message->priority,
          message->sequence);
  exit(1);
}

static uint32_t stream_of(uint32_t queue, uint32_t sender, uint32_t level) {
  return (queue * PARTIES + sender) * LEVELS + level;
}

static uint32_t check_of(uint32_t index) { return (index + 1) * HASH; }

/* Sends the streams of a queue, a message of one, then of another. */
static void *send_all(void *argument) {
  uint32_t queue = (uintptr_t)argument, next[LEVELS] = {0}, random = self * QUEUES + queue;
  for (uint32_t left = LEVELS * each; left > 0; left--) {
    random = random * 1664525 + 1013904223;
    uint32_t level = random >> 30;
    while (next[level] == each) level = (level + 1) % LEVELS;
    uint32_t priority = 1 + LEVEL_STEP * level, sequence = next[level]++;
    uint32_t check = check_of(stream_of(queue, self, level) * each + sequence);
    struct message message = {self, priority, sequence, check};
    must(mq_send(queues[queue], (char *)&message, sizeof message, priority) == 0, "mq_send");
    sent++;
  }
  return NULL;
}

/* Receives from a queue until the end comes, and hands it on to the next. */
static void *receive_all(void *argument) {
  uint32_t queue = (uintptr_t)argument, newest[PARTIES * LEVELS] = {0}; /* sequence + 1 */
  for (;;) {
    struct message message;
    unsigned priority;
    ssize_t length = mq_receive(queues[queue], (char *)&message, sizeof message, &priority);
    must(length != -1, "mq_receive");
    if (priority == END_PRIORITY) break;
    must_be(length == sizeof message, "not the length of a message", queue, &message);
    must_be(priority == message.priority, "not the priority it was sent with", queue, &message);
    uint32_t stream = stream_of(queue, message.sender, (priority - 1) / LEVEL_STEP);
    uint32_t index = stream * each + message.sequence;
    must_be(message.check == check_of(index), "not the bytes of a message here", queue, &message);
    uint32_t here = stream - stream_of(queue, 0, 0);
    must_be(message.sequence >= newest[here], "out of order", queue, &message);
    newest[here] = message.sequence + 1;
    counts[index]++;
    received++;
  }
  must(mq_send(queues[queue], "", 0, END_PRIORITY) == 0, "mq_send");
  return NULL;
}

static pthread_t start(void *(*run)(void *), uintptr_t queue) {
  pthread_t thread;
  must(pthread_create(&thread, NULL, run, (void *)queue) == 0, "pthread_create");
  return thread;
}

static void join(pthread_t thread) { must(pthread_join(thread, NULL) == 0, "pthread_join"); }

int main(int argc, char **argv) {
  must(argc == 5 + QUEUES, "arguments");
  self = atoi(argv[1]);
  each = atoi(argv[2]);
  int fd = shm_open(argv[3], O_RDWR, 0);
  must(fd != -1, "shm_open");
  size_t bytes = (size_t)QUEUES * PARTIES * LEVELS * each;
  counts = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  must(counts != MAP_FAILED, "mmap");
  for (int i = 0; i < QUEUES; i++) {
    queues[i] = mq_open(argv[5 + i], O_RDWR);
    must(queues[i] != -1, "mq_open");
  }
  setlinebuf(stdout);
  puts("ready");
  must(getchar() != EOF, "standard input");

  pthread_t receivers[QUEUES], senders[QUEUES];
  int receiving = 0;
  for (char *rest = argv[4], *word; (word = strsep(&rest, ",")) != NULL;) {
    must(receiving < QUEUES, "arguments");
    receivers[receiving++] = start(receive_all, atoi(word));
  }
  for (int i = 0; i < QUEUES; i++) senders[i] = start(send_all, i);
  for (int i = 0; i < QUEUES; i++) join(senders[i]);
  puts("sent");
  for (int i = 0; i < receiving; i++) join(receivers[i]);
  printf("{\"sent\":%u,\"received\":%u,\"cancelled\":0}\n", sent, received);
  return 0;
}
