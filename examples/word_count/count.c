/*
 * The counter in C, with libc alone: it takes pieces from a queue, writes their words into shared
 * memory and answers how many bytes that are.
 *
 *   count QUEUE MEMORY PARENT     the paths of the files on standard input, each with a zero behind it
 *
 * A word in the memory, little-endian: its count (u32), its length (u32), its bytes.
 * Rule: it does not outlive the program that started it, and leaves no name behind.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "postbox_frame.h"

/* As the structs of protocol.ts lie. */
struct piece { uint32_t file; double offset, byte_length; };
struct written { uint32_t byte_length; };

struct word { const unsigned char *bytes; uint32_t length; };

enum { MESSAGE_BYTES = 1024, LONGEST_WORD = 65535, LOOK_NS = 100 * 1000 * 1000 };

static char **paths; /* of `files` files */
static size_t files;
static unsigned char *memory;
static size_t memory_bytes;

static void read_paths(void) {
  char *path = NULL;
  size_t room = 0;
  while (getdelim(&path, &room, '\0', stdin) > 0) {
    paths = realloc(paths, (files + 1) * sizeof *paths);
    if (paths == NULL) exit(3);
    paths[files++] = path;
    path = NULL;
  }
}

static int by_bytes(const void *a, const void *b) {
  const struct word *one = a, *other = b;
  if (one->length != other->length) return one->length < other->length ? -1 : 1;
  return memcmp(one->bytes, other->bytes, one->length);
}

/* What a byte counts as inside a word, or 0. */
static unsigned char fold(unsigned char byte) {
  if (byte >= 'A' && byte <= 'Z') return byte + ('a' - 'A');
  int inside = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_';
  return inside || byte >= 0x80 ? byte : 0;
}

/* Finds the words; there is room for all of them. Gives how many there are. */
static size_t split(unsigned char *bytes, size_t length, struct word *words) {
  size_t count = 0;
  for (size_t at = 0; at < length; at++) bytes[at] = fold(bytes[at]);
  for (size_t at = 0; at < length;) {
    size_t start = at;
    while (at < length && bytes[at] != 0) at++;
    if (at > start && at - start <= LONGEST_WORD) {
      words[count++] = (struct word){ bytes + start, (uint32_t)(at - start) };
    }
    if (at == start) at++;
  }
  return count;
}

/* Writes each word once. Gives how many bytes that are, or -1 where there is no room. */
static int64_t write_words(const struct word *words, size_t count) {
  size_t at = 0;
  for (size_t first = 0; first < count;) {
    size_t next = first + 1;
    while (next < count && by_bytes(&words[first], &words[next]) == 0) next++;
    uint32_t head[2] = { (uint32_t)(next - first), words[first].length };
    if (memory_bytes - at < sizeof head + words[first].length) return -1;
    memcpy(memory + at, head, sizeof head);
    memcpy(memory + at + sizeof head, words[first].bytes, words[first].length);
    at += sizeof head + words[first].length;
    first = next;
  }
  return (int64_t)at;
}

/* Counts a piece; NULL, or what went wrong. */
static const char *count_piece(const struct piece *piece, struct written *written) {
  if (piece->file >= files) return "there is no such file";
  size_t length = (size_t)piece->byte_length;
  unsigned char *bytes = malloc(length + 1);
  struct word *words = malloc((length / 2 + 1) * sizeof *words);
  int fd = open(paths[piece->file], O_RDONLY | O_CLOEXEC);
  const char *problem = bytes == NULL || words == NULL ? "out of memory" : "cannot read the file";
  if (bytes != NULL && words != NULL && fd != -1) {
    ssize_t got = pread(fd, bytes, length, (off_t)piece->offset);
    if (got >= 0 && (size_t)got == length) {
      size_t count = split(bytes, length, words);
      qsort(words, count, sizeof *words, by_bytes);
      int64_t byte_length = write_words(words, count);
      written->byte_length = (uint32_t)byte_length;
      problem = byte_length == -1 ? "the memory is too small for its words" : NULL;
    }
  }
  if (fd != -1) close(fd);
  free(words);
  free(bytes);
  return problem;
}

/* Answers an ask, in the queue that it names. */
static void answer(const struct postbox_frame *ask, uint8_t kind, uint8_t codec,
                   const void *payload, size_t length) {
  struct postbox_header header = {
    .kind = kind, .codec = codec, .tag = ask->header.tag,
    .to = ask->header.from_actor, .epoch = ask->header.epoch, .sequence = ask->header.sequence,
  };
  char name[256] = { 0 };
  unsigned char frame[MESSAGE_BYTES];
  memcpy(name, ask->reply_name, ask->header.reply_name_bytes);
  size_t bytes = postbox_write(frame, sizeof frame, header, NULL, payload, length);
  mqd_t queue = mq_open(name, O_WRONLY);
  if (queue == (mqd_t)-1) return; /* who asked is gone */
  while (mq_send(queue, (char *)frame, bytes, POSTBOX_REPLY_PRIORITY) == -1 && errno == EINTR);
  mq_close(queue);
}

static void handle(const struct postbox_frame *frame) {
  const struct postbox_header *header = &frame->header;
  struct piece piece;
  if (header->kind != POSTBOX_ASK || !(header->flags & POSTBOX_REPLY_NAME)) return;
  if (header->tag != postbox_tag("shared-word-counter.count")) return;
  if (header->codec != POSTBOX_STRUCT || header->payload_bytes != sizeof piece) return;
  memcpy(&piece, frame->payload, sizeof piece);

  struct written written;
  const char *problem = count_piece(&piece, &written);
  if (problem == NULL) {
    answer(frame, POSTBOX_REPLY, POSTBOX_STRUCT, &written, sizeof written);
    return;
  }
  char error[256];
  int length = snprintf(error, sizeof error, "{\"class\":\"Error\",\"message\":\"Cannot count: %s\"}",
                        problem);
  answer(frame, POSTBOX_FAILED, POSTBOX_JSON, error, (size_t)length);
}

/* Waits for a message, a little. Gives its length, or -1. */
static ssize_t receive(mqd_t queue, unsigned char *bytes) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += LOOK_NS;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  return mq_timedreceive(queue, (char *)bytes, MESSAGE_BYTES, NULL, &until);
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fputs("usage: count QUEUE MEMORY PARENT < PATHS\n", stderr);
    return 2;
  }
  pid_t parent = (pid_t)atol(argv[3]);
  mqd_t queue = mq_open(argv[1], O_RDONLY);
  int fd = shm_open(argv[2], O_RDWR, 0);
  struct stat status;
  if (queue == (mqd_t)-1 || fd == -1 || fstat(fd, &status) == -1) return 3;
  memory_bytes = (size_t)status.st_size;
  memory = mmap(NULL, memory_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return 3;
  read_paths();
  puts("ready");
  fflush(stdout);

  while (getppid() == parent) { /* the kernel gives orphans a new one */
    unsigned char bytes[MESSAGE_BYTES];
    ssize_t length = receive(queue, bytes);
    if (length == -1 && errno != EINTR && errno != ETIMEDOUT) return 4;
    if (length == -1) continue;
    struct postbox_frame frame;
    const char *problem = postbox_read(bytes, (size_t)length, &frame);
    if (problem == NULL) handle(&frame);
    else fprintf(stderr, "count: no frame: %s\n", problem);
  }
  mq_unlink(argv[1]);
  shm_unlink(argv[2]);
  return 1;
}
