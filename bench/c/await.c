/*
 * await round-trip|one-way|stream|peer THERE BACK: blocking mq_send and mq_receive, beside
 * bench/ts/await_queue.ts; both can be each other's peer. What a message says stands in
 * bench/ts/await_message.ts. The measured process prints what a round gave as JSON.
 */
#include "loop.h"
#include <fcntl.h>
#include <mqueue.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

enum { MESSAGE_BYTES = 64, NUMBER_OFFSET = 8, PACE_NS = 1000000 };

static mqd_t out, in;
static char message[MESSAGE_BYTES];

static void say_and_number(char kind, int64_t number) {
  message[0] = kind;
  memcpy(message + NUMBER_OFFSET, &number, sizeof number);
}

static int64_t number(void) {
  int64_t value;
  memcpy(&value, message + NUMBER_OFFSET, sizeof value);
  return value;
}

static void send_message(void) {
  must(mq_send(out, message, sizeof message, 0) == 0, "mq_send");
}

static void receive_message(void) {
  must(mq_receive(in, message, sizeof message, NULL) == sizeof message, "mq_receive");
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(const double *sorted, long count, double fraction) {
  double at = (double)(count - 1) * fraction;
  long below = (long)at, above = below + 1 < count ? below + 1 : below;
  return sorted[below] + (sorted[above] - sorted[below]) * (at - (double)below);
}

static double cpu_ns(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return 1e9 * (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         1e3 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static double *ns;

static void print_percentiles(long count) {
  qsort(ns, (size_t)count, sizeof *ns, by_value);
  printf("{\"ns\":%f,\"p99Ns\":%f", quantile(ns, count, 0.5), quantile(ns, count, 0.99));
}

static void round_trip(long iterations) {
  for (long i = 0; i < iterations; i++) {
    say_and_number('e', 0);
    long long start = now_ns();
    send_message();
    receive_message();
    ns[i] = (double)(now_ns() - start);
  }
  print_percentiles(iterations);
  puts("}");
}

static void one_way(long iterations) {
  say_and_number('p', iterations);
  double cpu = cpu_ns();
  long long start = now_ns();
  send_message();
  for (long i = 0; i < iterations; i++) {
    receive_message();
    ns[i] = (double)(now_ns() - number());
  }
  double share = (cpu_ns() - cpu) / (double)(now_ns() - start);
  print_percentiles(iterations);
  printf(",\"cpu\":%f}\n", share);
}

static void stream(long iterations) {
  say_and_number('s', iterations);
  long long start = now_ns();
  send_message();
  for (long i = 0; i < iterations; i++) receive_message();
  printf("{\"ns\":%f}\n", (double)(now_ns() - start) / (double)iterations);
}

static void send_paced(long count) {
  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  for (long i = 0; i < count; i++) {
    next.tv_nsec += PACE_NS;
    if (next.tv_nsec >= 1000000000) {
      next.tv_nsec -= 1000000000;
      next.tv_sec++;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    say_and_number('e', now_ns());
    send_message();
  }
}

static void peer(void) {
  puts("ready");
  fflush(stdout);
  for (;;) {
    receive_message();
    long count = (long)number();
    switch (message[0]) {
      case 'e': send_message(); break;
      case 'p': send_paced(count); break;
      case 's':
        for (long i = 0; i < count; i++) send_message();
        break;
      default: return;
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  const char *role = argv[1];
  int is_peer = strcmp(role, "peer") == 0;
  out = mq_open(argv[is_peer ? 3 : 2], O_WRONLY | O_CLOEXEC);
  in = mq_open(argv[is_peer ? 2 : 3], O_RDONLY | O_CLOEXEC);
  must(out != (mqd_t)-1 && in != (mqd_t)-1, "mq_open");
  memset(message, 'x', sizeof message);
  if (is_peer) {
    peer();
    return 0;
  }
  void (*measure)(long) = strcmp(role, "round-trip") == 0 ? round_trip
                        : strcmp(role, "one-way") == 0    ? one_way
                        : strcmp(role, "stream") == 0     ? stream
                                                          : NULL;
  if (measure == NULL) return 2;
  char line[32];
  puts("ready");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    long iterations = atol(line);
    ns = realloc(ns, sizeof *ns * (size_t)iterations);
    must(ns != NULL, "realloc");
    measure(iterations);
    fflush(stdout);
  }
  say_and_number('q', 0);
  send_message();
  return 0;
}
