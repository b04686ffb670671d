/* pin CPU COMMAND…: runs a command on one processor, given by its place among those allowed. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  cpu_set_t allowed, one;
  if (argc < 3 || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 2;
  int skip = atoi(argv[1]);
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &allowed) || skip-- > 0) continue;
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) break;
    execvp(argv[2], argv + 2);
    break;
  }
  perror(argv[2]);
  return 1;
}
