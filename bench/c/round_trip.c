/*
 * round_trip ask|echo THERE BACK: blocking mq_send and mq_receive. `ask` sends and waits for the
 * answer; `echo` answers until it gets an empty message, which `ask` sends at its end.
 */
#include "loop.h"
#include <fcntl.h>
#include <mqueue.h>
#include <string.h>

static mqd_t there, back;
static char message[64];

static void ask(long iterations) {
  for (long i = 0; i < iterations; i++) {
    must(mq_send(there, message, sizeof message, 0) == 0, "mq_send");
    must(mq_receive(back, message, sizeof message, NULL) == sizeof message, "mq_receive");
  }
}

static void echo(void) {
  puts("ready");
  fflush(stdout);
  for (;;) {
    ssize_t length = mq_receive(there, message, sizeof message, NULL);
    must(length != -1, "mq_receive");
    if (length == 0) return;
    must(mq_send(back, message, (size_t)length, 0) == 0, "mq_send");
  }
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  there = mq_open(argv[2], O_RDWR | O_CLOEXEC);
  back = mq_open(argv[3], O_RDWR | O_CLOEXEC);
  must(there != (mqd_t)-1 && back != (mqd_t)-1, "mq_open");
  if (strcmp(argv[1], "echo") == 0) {
    echo();
    return 0;
  }
  serve(ask);
  must(mq_send(there, message, 0, 0) == 0, "mq_send");
  return 0;
}
