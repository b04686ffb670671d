/*
 * What a JavaScript runtime cannot do to itself and live: fork, and run out of mappings or locks.
 * Usage: mapping fork | count | lock. Prints `key value` lines; exit code 1 when a call that had
 * to work did not.
 */

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(int works, const char *what) {
  if (works) return;
  perror(what);
  exit(1);
}

static const char *code(void *address) {
  if (address != MAP_FAILED) return "ok";
  switch (errno) {
    case ENOMEM: return "ENOMEM";
    case EAGAIN: return "EAGAIN";
    case EMFILE: return "EMFILE";
    case EPERM: return "EPERM";
    default: return strerror(errno);
  }
}

static void *anonymous(size_t bytes, int protection, int flags) {
  return mmap(NULL, bytes, protection, flags | MAP_ANONYMOUS, -1, 0);
}

/* A shared and a private mapping of one file, written on both sides of a fork. */
static void fork_with_mappings(size_t page) {
  FILE *file = tmpfile();
  must(file != NULL, "tmpfile");
  must(ftruncate(fileno(file), (off_t)page) == 0, "ftruncate");
  int protection = PROT_READ | PROT_WRITE;
  char *shared = mmap(NULL, page, protection, MAP_SHARED, fileno(file), 0);
  char *private = mmap(NULL, page, protection, MAP_PRIVATE, fileno(file), 0);
  must(shared != MAP_FAILED && private != MAP_FAILED, "mmap");
  private[0] = 'p'; /* ours from here on */
  shared[1] = 's';
  pid_t pid = fork();
  must(pid != -1, "fork");
  if (pid == 0) {
    if (private[0] != 'p' || shared[1] != 's') _exit(3); /* both mappings came along */
    private[0] = 'c';
    shared[1] = 'c';
    _exit(0);
  }
  int status;
  must(waitpid(pid, &status, 0) == pid, "waitpid");
  char in_file[2];
  must(pread(fileno(file), in_file, 2, 0) == 2, "pread");
  printf("child %d\nshared %c\nprivate %c\nfile0 %d\nfile1 %c\n", WEXITSTATUS(status), shared[1],
         private[0], in_file[0], in_file[1]);
}

/* Mappings that the kernel cannot merge, until it refuses one. */
static void run_out_of_mappings(size_t page) {
  long made = 0;
  void *address;
  void *last[64];
  do {
    address = anonymous(page, made % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE);
    if (address != MAP_FAILED) last[made++ % 64] = address;
  } while (address != MAP_FAILED && made < 8 * 1024 * 1024);
  const char *refusal = code(address);
  for (int i = 0; i < 64 && i < made; i++) munmap(last[i], page); /* room for printf */
  printf("code %s\nmade %ld\n", refusal, made);
}

/* More locked memory than RLIMIT_MEMLOCK allows, without the capability that lifts it. */
static void run_out_of_locks(size_t page) {
  struct rlimit limit = {page, page};
  must(setrlimit(RLIMIT_MEMLOCK, &limit) == 0, "setrlimit");
  if (geteuid() == 0) {
    must(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0, "setuid");
  }
  int protection = PROT_READ | PROT_WRITE;
  void *plain = anonymous(4 * page, protection, MAP_PRIVATE);
  must(plain != MAP_FAILED, "mmap");
  int locked = mlock(plain, 4 * page);
  printf("mlock %s\n", locked == 0 ? "ok" : code(MAP_FAILED));
  must(mlockall(MCL_FUTURE) == 0, "mlockall");
  void *refused = anonymous(4 * page, protection, MAP_PRIVATE);
  const char *refusal = code(refused);
  munlockall();
  printf("mmap %s\n", refusal);
}

int main(int argc, char **argv) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  if (argc != 2) return 2;
  if (strcmp(argv[1], "fork") == 0) fork_with_mappings(page);
  else if (strcmp(argv[1], "count") == 0) run_out_of_mappings(page);
  else if (strcmp(argv[1], "lock") == 0) run_out_of_locks(page);
  else return 2;
  return 0;
}
