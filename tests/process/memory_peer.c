/*
 * A peer that has never heard of Postbox: plain shm_open and mmap, C11 atomics, told by lines what
 * to do.
 *
 * Usage: memory_peer NAME. Each line of standard input is one command and gives one line of output:
 * what was asked for, or the name of the error number. Bytes are written in hexadecimal.
 *
 *   create BYTES          ok     shm_open, ftruncate, mmap: no page is allocated
 *   open                  BYTES  maps all there is
 *   adopt DESCRIPTOR      BYTES  maps what was inherited
 *   grow BYTES            ok     ftruncate, and maps all there is
 *   write OFFSET HEX      ok     through the mapping
 *   read OFFSET BYTES     HEX    through the mapping
 *   add32 OFFSET TIMES    ok     adds 1 at OFFSET, together with the test: start() tells how
 *   add64 OFFSET TIMES    ok     the same on 64 bits
 *   unlink                ok
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char line[65536];
static int fd = -1;
static unsigned char *memory;
static size_t size;

static int refused(void) {
  return printf("%s\n", strerrorname_np(errno));
}

/* Maps all there is now; the mapping from before is given back. */
static int map(void) {
  struct stat status;
  if (fstat(fd, &status) == -1) return -1;
  if (memory != NULL) munmap(memory, size);
  size = (size_t)status.st_size;
  memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory != MAP_FAILED) return 0;
  memory = NULL;
  return -1;
}

static int print_size(int result) {
  return result == -1 ? refused() : printf("%zu\n", size);
}

static int print_ok(int result) {
  return result == -1 ? refused() : puts("ok");
}

/* The first words of the memory are a starting gun: 1 from us is "ready", 1 from the test "go". */
static void start(void) {
  _Atomic uint32_t *words = (_Atomic uint32_t *)(void *)memory;
  pid_t parent = getppid();
  atomic_store(&words[1], 1);
  while (atomic_load(&words[0]) == 0) {
    if (getppid() != parent) exit(3); /* the test died, nobody will say go */
    sched_yield();
  }
}

/* 2 is "done": the other side goes on until it sees this, so the two do overlap. */
static void finish(void) {
  atomic_store((_Atomic uint32_t *)(void *)(memory + 4), 2);
  puts("ok");
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  const char *name = argv[1];
  setvbuf(stdout, NULL, _IOLBF, 0);

  while (fgets(line, sizeof line, stdin) != NULL) {
    char command[16];
    int at = 0;
    size_t first = 0, second = 0;
    if (sscanf(line, "%15s %n", command, &at) < 1) return 2;
    char *rest = line + at;
    sscanf(rest, "%zu %zu", &first, &second);

    if (strcmp(command, "create") == 0) {
      fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
      print_ok(fd == -1 || ftruncate(fd, (off_t)first) == -1 ? -1 : map());
    } else if (strcmp(command, "open") == 0) {
      fd = shm_open(name, O_RDWR, 0);
      print_size(fd == -1 ? -1 : map());
    } else if (strcmp(command, "adopt") == 0) {
      fd = (int)first;
      print_size(map());
    } else if (strcmp(command, "grow") == 0) {
      print_ok(ftruncate(fd, (off_t)first) == -1 ? -1 : map());
    } else if (strcmp(command, "write") == 0) {
      const char *hex = strchr(rest, ' ') + 1;
      unsigned value;
      for (; sscanf(hex, "%2x", &value) == 1; hex += 2) memory[first++] = (unsigned char)value;
      puts("ok");
    } else if (strcmp(command, "read") == 0) {
      for (size_t i = first; i < first + second; i++) printf("%02x", memory[i]);
      putchar('\n');
    } else if (strcmp(command, "add32") == 0) {
      _Atomic uint32_t *word = (_Atomic uint32_t *)(void *)(memory + first);
      start();
      for (size_t i = 0; i < second; i++) atomic_fetch_add(word, 1);
      finish();
    } else if (strcmp(command, "add64") == 0) {
      _Atomic uint64_t *word = (_Atomic uint64_t *)(void *)(memory + first);
      start();
      for (size_t i = 0; i < second; i++) atomic_fetch_add(word, 1);
      finish();
    } else if (strcmp(command, "unlink") == 0) {
      print_ok(shm_unlink(name));
    } else {
      return 2;
    }
  }
  return 0;
}
