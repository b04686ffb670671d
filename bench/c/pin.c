/* pin CPU[,CPU] COMMAND…: runs a command on the processors of these numbers. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  cpu_set_t chosen;
  if (argc < 3) return 2;
  CPU_ZERO(&chosen);
  char *at = argv[1];
  CPU_SET(strtoul(at, &at, 10), &chosen);
  if (*at == ',') CPU_SET(strtoul(at + 1, &at, 10), &chosen);
  if (sched_setaffinity(0, sizeof chosen, &chosen) == 0) execvp(argv[2], argv + 2);
  perror(argv[2]);
  return 1;
}
