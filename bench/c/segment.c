/* segment NAME: shm_open, fstat, mmap, one byte touched, munmap, close of an object that exists. */
#include "loop.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *name;
static volatile unsigned char first;

static void loop(long iterations) {
  for (long i = 0; i < iterations; i++) {
    struct stat status;
    int fd = shm_open(name, O_RDWR, 0);
    must(fd != -1, "shm_open");
    must(fstat(fd, &status) == 0, "fstat");
    size_t length = (size_t)status.st_size;
    unsigned char *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    must(bytes != MAP_FAILED, "mmap");
    first = bytes[0];
    must(munmap(bytes, length) == 0, "munmap");
    must(close(fd) == 0, "close");
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  name = argv[1];
  serve(loop);
  return 0;
}
