/* mq_send NAME TEXT: one message, as `postbox mq send NAME TEXT --nonblock` sends it. */
#include "loop.h"
#include <fcntl.h>
#include <mqueue.h>
#include <string.h>

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  mqd_t queue = mq_open(argv[1], O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  must(queue != (mqd_t)-1, "mq_open");
  must(mq_send(queue, argv[2], strlen(argv[2]), 0) == 0, "mq_send");
  must(mq_close(queue) == 0, "mq_close");
  return 0;
}
