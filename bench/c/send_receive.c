/* send_receive NAME BYTES: mq_send and mq_receive on one nonblocking descriptor. */
#include "loop.h"
#include <fcntl.h>
#include <mqueue.h>
#include <string.h>

static mqd_t queue;
static size_t bytes;
static char sent[8192], received[8192];

static void loop(long iterations) {
  unsigned priority;
  for (long i = 0; i < iterations; i++) {
    must(mq_send(queue, sent, bytes, 0) == 0, "mq_send");
    must(mq_receive(queue, received, bytes, &priority) == (ssize_t)bytes, "mq_receive");
  }
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  bytes = strtoul(argv[2], NULL, 10);
  if (bytes > sizeof sent) return 2;
  memset(sent, 'x', bytes);
  struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = (long)bytes};
  queue = mq_open(argv[1], O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK | O_CLOEXEC, 0600, &attr);
  must(queue != (mqd_t)-1, "mq_open");
  must(mq_unlink(argv[1]) == 0, "mq_unlink");
  serve(loop);
  return 0;
}
