/*
 * One of the parties of mixed_test.ts, in C: what mixed_party.js says, it does too.
 *
 * usage: mixed_peer ID MESSAGES MEMORY OWN_QUEUE OTHER_QUEUE OTHER_QUEUE
 */
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PARTIES 3
#define OTHERS (PARTIES - 1)

static void must(int done, const char *what) {
  if (done) return;
  perror(what);
  exit(1);
}

/* LAYOUT: byte 0 sender, 1 to 4 its count, 5 to 8 that times 2654435761, little-endian. */
struct __attribute__((packed)) message {
  uint8_t sender;
  uint32_t count, check;
};

/* LAYOUT: the words of the segment, by byte. */
struct words {
  _Atomic uint64_t sum64;
  _Atomic uint32_t sum32, ready;
};

int main(int argc, char **argv) {
  must(argc == 4 + PARTIES, "arguments");
  uint8_t id = atoi(argv[1]);
  uint32_t messages = atoi(argv[2]);
  int fd = shm_open(argv[3], O_RDWR, 0);
  must(fd != -1, "shm_open");
  struct words *words = mmap(NULL, sizeof *words, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  must(words != MAP_FAILED, "mmap");
  mqd_t own = mq_open(argv[4], O_RDONLY | O_NONBLOCK), others[OTHERS];
  must(own != -1, "mq_open");
  for (int i = 0; i < OTHERS; i++) {
    others[i] = mq_open(argv[5 + i], O_WRONLY | O_NONBLOCK);
    must(others[i] != -1, "mq_open");
  }

  words->ready++;
  struct pollfd ready = {.fd = own, .events = POLLIN};
  while (words->ready < PARTIES) poll(NULL, 0, 1);

  uint32_t sent[OTHERS] = {0}, received[PARTIES] = {0}, total = 0;
  int sending = OTHERS;
  while (sending > 0 || total < OTHERS * messages) {
    int progress = 0;
    sending = 0;
    for (int i = 0; i < OTHERS; i++) {
      if (sent[i] == messages) continue;
      sending++;
      struct message message = {id, sent[i], sent[i] * 2654435761u};
      if (mq_send(others[i], (char *)&message, sizeof message, 0) != 0) continue;
      sent[i]++;
      progress = 1;
      words->sum64++;
      words->sum32++;
    }
    struct message message;
    unsigned priority;
    ssize_t length = mq_receive(own, (char *)&message, sizeof message, &priority);
    if (length != -1) {
      progress = 1;
      total++;
      must(length == sizeof message && message.sender < PARTIES && priority == 0, "a message");
      must(message.count == received[message.sender]++, "the order of a sender");
      must(message.check == message.count * 2654435761u, "the bytes of a message");
    }
    if (!progress) poll(&ready, 1, 1);
  }
  printf("[%u,%u,%u]\n", received[0], received[1], received[2]);
  return 0;
}
