/*
 * Which descriptors shm_open gives, in a process that opens nothing else: prints three numbers.
 * Usage: lowest_fd NAME, with 0, 1 and 2 open. A gap is made at 4 and at 6.
 */

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  for (int fd = 3; fd < 32; fd++) close(fd); /* whatever the parent left open */
  if (dup2(0, 3) != 3 || dup2(0, 5) != 5) return 3;
  int first = shm_open(argv[1], O_RDWR, 0);
  int second = shm_open(argv[1], O_RDONLY, 0);
  int third = shm_open(argv[1], O_RDWR, 0);
  if (first < 0 || second < 0 || third < 0) {
    perror("shm_open");
    return 1;
  }
  printf("%d %d %d\n", first, second, third);
  return 0;
}
