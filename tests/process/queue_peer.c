/*
 * A peer that has never heard of Postbox: plain mq_* calls, told by lines what to do.
 *
 * Usage: queue_peer NAME. Each line of standard input is one command and gives one line of output:
 * what was asked for, or the name of the error number. Bytes are written in hexadecimal, none as "-".
 *
 *   create MESSAGES BYTES   ok        send PRIORITY HEX   ok
 *   open                    ok        receive             PRIORITY HEX
 *   attributes              MESSAGES BYTES LENGTH
 *   unlink                  ok        close               ok
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char line[2 * 65536 + 64];
static unsigned char bytes[65536];

static int refused(void) {
  return printf("%s\n", strerrorname_np(errno));
}

static size_t from_hex(const char *hex) {
  size_t length = 0;
  unsigned value;
  while (sscanf(hex + 2 * length, "%2x", &value) == 1) bytes[length++] = (unsigned char)value;
  return length;
}

static void print_hex(size_t length) {
  if (length == 0) putchar('-');
  for (size_t i = 0; i < length; i++) printf("%02x", bytes[i]);
  putchar('\n');
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  const char *name = argv[1];
  mqd_t queue = -1;
  setvbuf(stdout, NULL, _IOLBF, 0);

  while (fgets(line, sizeof line, stdin) != NULL) {
    char command[16];
    int at = 0;
    if (sscanf(line, "%15s %n", command, &at) < 1) return 2;
    const char *rest = line + at;

    if (strcmp(command, "create") == 0) {
      struct mq_attr attr = { 0 };
      if (sscanf(rest, "%ld %ld", &attr.mq_maxmsg, &attr.mq_msgsize) != 2) return 2;
      queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
      if (queue == -1) refused(); else puts("ok");
    } else if (strcmp(command, "open") == 0) {
      queue = mq_open(name, O_RDWR);
      if (queue == -1) refused(); else puts("ok");
    } else if (strcmp(command, "send") == 0) {
      unsigned priority;
      int hex = 0;
      if (sscanf(rest, "%u %n", &priority, &hex) != 1) return 2;
      size_t length = from_hex(rest + hex);
      if (mq_send(queue, (const char *)bytes, length, priority) == -1) refused(); else puts("ok");
    } else if (strcmp(command, "receive") == 0) {
      unsigned priority = 0;
      ssize_t length = mq_receive(queue, (char *)bytes, sizeof bytes, &priority);
      if (length == -1) {
        refused();
      } else {
        printf("%u ", priority);
        print_hex((size_t)length);
      }
    } else if (strcmp(command, "attributes") == 0) {
      struct mq_attr attr;
      if (mq_getattr(queue, &attr) == -1) refused();
      else printf("%ld %ld %ld\n", attr.mq_maxmsg, attr.mq_msgsize, attr.mq_curmsgs);
    } else if (strcmp(command, "unlink") == 0) {
      if (mq_unlink(name) == -1) refused(); else puts("ok");
    } else if (strcmp(command, "close") == 0) {
      if (mq_close(queue) == -1) refused(); else puts("ok");
    } else {
      return 2;
    }
  }
  return 0;
}
