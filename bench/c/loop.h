/*
 * What every C program of the benchmarks shares: it prints `ready`, reads a number of iterations
 * from a line of standard input, runs its loop, prints the nanoseconds that took, and ends with its
 * input. bench/ts/loop.ts is the same in TypeScript.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline void must(int done, const char *what) {
  if (done) return;
  perror(what);
  exit(1);
}

static inline long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline void serve(void (*loop)(long iterations)) {
  char line[32];
  puts("ready");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    long iterations = atol(line);
    long long start = now_ns();
    loop(iterations);
    printf("%lld\n", now_ns() - start);
    fflush(stdout);
  }
}
