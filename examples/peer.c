/*
 * A sensor that is an actor to Postbox, written in C with libc alone.
 *
 *   peer serve QUEUE         makes the queue and answers what is asked there, until it is told to stop
 *   peer tell QUEUE COUNT    tells so many readings to the actor that takes from the queue
 *   peer bare QUEUE COUNT    the same without frames: each message is the struct
 *
 * Its protocols, and a system that speaks to it, are in peer.ts.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "postbox_frame.h"

/* As the structs of the protocol lie. */
struct unit { uint32_t unit; };
struct offset { double celsius; };
struct reading { int64_t at; double celsius; };

enum { MESSAGES = 10, MESSAGE_BYTES = 1024, SENSORS = 3 };

static double calibration;

/* CLOCK_REALTIME in milliseconds, as frames have it. */
static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Sends the answer to an ask, to the queue that the ask names. */
static void answer(const struct postbox_frame *ask, uint8_t kind, uint8_t codec,
                   const void *payload, size_t length) {
  const struct postbox_header *asked = &ask->header;
  struct postbox_header header = {
    .kind = kind, .codec = codec, .tag = asked->tag,
    .to = asked->from_actor, .epoch = asked->epoch, .sequence = asked->sequence,
  };
  char name[256] = { 0 };
  unsigned char frame[MESSAGE_BYTES];
  memcpy(name, ask->reply_name, asked->reply_name_bytes);
  size_t bytes = postbox_write(frame, sizeof frame, header, NULL, payload, length);
  mqd_t queue = mq_open(name, O_WRONLY);
  if (queue == (mqd_t)-1) return; /* who asked is gone */
  while (mq_send(queue, (char *)frame, bytes, POSTBOX_REPLY_PRIORITY) == -1 && errno == EINTR);
  mq_close(queue);
}

static void fail(const struct postbox_frame *ask, const char *code, const char *message) {
  char error[256];
  int length = snprintf(error, sizeof error, "{\"class\":\"RangeError\",\"message\":\"%s\",\"code\":\"%s\"}",
                        message, code);
  answer(ask, POSTBOX_FAILED, POSTBOX_JSON, error, (size_t)length);
}

static void answer_read(const struct postbox_frame *ask) {
  struct unit wanted;
  if (ask->header.codec != POSTBOX_STRUCT || ask->header.payload_bytes != sizeof wanted) {
    fail(ask, "EINVAL", "a unit is a struct of 4 bytes");
    return;
  }
  memcpy(&wanted, ask->payload, sizeof wanted);
  if (wanted.unit >= SENSORS) {
    fail(ask, "ENOENT", "no such sensor");
    return;
  }
  struct reading reading = { (int64_t)now_ms(), 20.0 + wanted.unit + calibration };
  answer(ask, POSTBOX_REPLY, POSTBOX_STRUCT, &reading, sizeof reading);
}

/* Handles one frame; 0 when it says to stop. */
static int handle(const struct postbox_frame *frame) {
  const struct postbox_header *header = &frame->header;
  if (header->expires != 0 && header->expires < now_ms()) return 1; /* nobody waits for it */
  if (header->flags & POSTBOX_BY_REFERENCE) return 1; /* a payload of that size is not for us */

  if (header->kind == POSTBOX_TELL) {
    if (header->tag == postbox_tag("sensor.stop")) return 0;
    struct offset offset;
    if (header->tag == postbox_tag("sensor.calibrate") && header->payload_bytes == sizeof offset) {
      memcpy(&offset, frame->payload, sizeof offset);
      calibration += offset.celsius;
    }
  } else if (header->kind == POSTBOX_ASK && (header->flags & POSTBOX_REPLY_NAME)) {
    if (header->tag == postbox_tag("sensor.read")) answer_read(frame);
    else if (header->tag == postbox_tag("sensor.name")) {
      answer(frame, POSTBOX_REPLY, POSTBOX_JSON, "\"cellar\"", 8);
    } else fail(frame, "EKIND", "a sensor knows read and name");
  }
  return 1;
}

static int serve(const char *name) {
  struct mq_attr size = { .mq_maxmsg = MESSAGES, .mq_msgsize = MESSAGE_BYTES };
  mqd_t queue = mq_open(name, O_RDONLY | O_CREAT | O_EXCL, 0600, &size);
  if (queue == (mqd_t)-1) return 3;
  puts("ready");
  fflush(stdout);

  unsigned char bytes[MESSAGE_BYTES];
  for (int goes_on = 1; goes_on;) {
    ssize_t length = mq_receive(queue, (char *)bytes, sizeof bytes, NULL);
    if (length == -1 && errno != EINTR) return 4;
    if (length == -1) continue;
    struct postbox_frame frame;
    const char *problem = postbox_read(bytes, (size_t)length, &frame);
    if (problem != NULL) fprintf(stderr, "peer: no frame: %s\n", problem);
    else goes_on = handle(&frame);
  }
  mq_close(queue);
  return mq_unlink(name) == -1 ? 5 : 0;
}

/* Sends readings, the first at 1 ms after the epoch; blocks while the queue is full. */
static int tell(const char *name, long count, int bare) {
  mqd_t queue = mq_open(name, O_WRONLY);
  if (queue == (mqd_t)-1) return 3;
  for (long at = 1; at <= count; at++) {
    struct reading reading = { at, 20.0 + (double)at };
    struct postbox_header header = {
      .kind = POSTBOX_TELL, .codec = POSTBOX_STRUCT, .tag = postbox_tag("readings.add"),
    };
    unsigned char frame[MESSAGE_BYTES];
    size_t bytes = postbox_write(frame, sizeof frame, header, NULL, &reading, sizeof reading);
    const char *message = bare ? (const char *)&reading : (const char *)frame;
    if (mq_send(queue, message, bare ? sizeof reading : bytes, 0) == -1) return 4;
  }
  return mq_close(queue) == -1 ? 5 : 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "serve") == 0) return serve(argv[2]);
  if (argc == 4 && strcmp(argv[1], "tell") == 0) return tell(argv[2], atol(argv[3]), 0);
  if (argc == 4 && strcmp(argv[1], "bare") == 0) return tell(argv[2], atol(argv[3]), 1);
  fputs("usage: peer serve QUEUE | peer tell QUEUE COUNT | peer bare QUEUE COUNT\n", stderr);
  return 2;
}
