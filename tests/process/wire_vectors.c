/*
 * Reads frames in hexadecimal, one a line, with the header that C programs are given, and prints the
 * fields of each, or what is wrong with it; then writes it again and compares.
 */
#include <stdio.h>

#include "../../examples/postbox_frame.h"

static char line[8192];
static unsigned char bytes[4096], again[4096];

static void print_hex(const void *data, size_t length) {
  if (length == 0) putchar('-');
  for (size_t i = 0; i < length; i++) printf("%02x", ((const unsigned char *)data)[i]);
}

static int is_same(const struct postbox_frame *frame, size_t length) {
  const struct postbox_header *header = &frame->header;
  char name[256] = { 0 };
  memcpy(name, frame->reply_name, header->reply_name_bytes);
  size_t written = postbox_write(again, sizeof again, *header, name, frame->payload,
                                 header->payload_bytes);
  return written == length && memcmp(again, bytes, length) == 0;
}

int main(void) {
  if (postbox_crc32c(0, "123456789", 9) != 0xe3069283u) return 2;
  while (fgets(line, sizeof line, stdin) != NULL) {
    size_t length = 0;
    unsigned value;
    while (sscanf(line + 2 * length, "%2x", &value) == 1) bytes[length++] = (unsigned char)value;
    struct postbox_frame frame;
    const char *problem = postbox_read(bytes, length, &frame);
    if (problem != NULL) {
      puts(problem);
      continue;
    }
    const struct postbox_header *h = &frame.header;
    printf("%u %u %u %u %u %u %u %u %u %u %llu %u %u ", h->kind, h->codec, h->flags, h->tag, h->to,
           h->to_incarnation, h->from, h->from_actor, h->epoch, h->sequence,
           (unsigned long long)h->expires, h->attempt, h->argument);
    print_hex(frame.reply_name, h->reply_name_bytes);
    putchar(' ');
    print_hex(frame.payload, h->payload_bytes);
    puts(is_same(&frame, length) ? " same" : " other");
  }
  return 0;
}
