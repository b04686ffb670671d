/* memory_read NAME: pread of 64 bytes at 0 into one buffer. */
#include "loop.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static int fd;
static char into[64];

static void loop(long iterations) {
  for (long i = 0; i < iterations; i++) {
    must(pread(fd, into, sizeof into, 0) == sizeof into, "pread");
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  fd = shm_open(argv[1], O_RDWR, 0);
  must(fd != -1, "shm_open");
  serve(loop);
  return 0;
}
