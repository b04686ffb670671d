/* create_unlink NAME: mq_open with O_CREAT|O_EXCL, mq_close, mq_unlink. */
#include "loop.h"
#include <fcntl.h>
#include <mqueue.h>

static const char *name;

static void loop(long iterations) {
  struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 64};
  for (long i = 0; i < iterations; i++) {
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK | O_CLOEXEC, 0600, &attr);
    must(queue != (mqd_t)-1, "mq_open");
    must(mq_close(queue) == 0, "mq_close");
    must(mq_unlink(name) == 0, "mq_unlink");
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  name = argv[1];
  serve(loop);
  return 0;
}
