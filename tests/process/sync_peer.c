/*
 * Uses locks of Postbox from C, by what their documentation says: a mutex and a semaphore begin with
 * what C knows. One command a line, one answer a line.
 *
 *   sync_peer MEMORY
 *
 *   lock AT          pthread_mutex_lock           the error's number, 0 for none
 *   trylock AT       pthread_mutex_trylock
 *   timedlock AT MS  pthread_mutex_timedlock
 *   consistent AT    pthread_mutex_consistent
 *   unlock AT        pthread_mutex_unlock
 *   wait AT          sem_wait
 *   trywait AT       sem_trywait                  0 or errno
 *   post AT          sem_post
 *   value AT         sem_getvalue                 the value
 *   open NAME        sem_open; AT is -1 for it from then on
 *   store AT VALUE   stores a word
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

static int timedlock(pthread_mutex_t *mutex, long ms) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += ms % 1000 * 1000000;
  until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  return pthread_mutex_timedlock(mutex, &until);
}

static int result(int returned) {
  return returned == 0 ? 0 : errno;
}

int main(int argc, char **argv) {
  int fd = argc == 2 ? shm_open(argv[1], O_RDWR, 0) : -1;
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) return 2;
  char *memory = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return 3;
  setvbuf(stdout, NULL, _IOLBF, 0);

  sem_t *named = NULL;
  char line[512], command[32], word[400];
  long number;
  while (fgets(line, sizeof line, stdin)) {
    number = 0;
    if (sscanf(line, "%31s %399s %ld", command, word, &number) < 2) return 4;
    long at = strtol(word, NULL, 10);
    pthread_mutex_t *mutex = (void *)(memory + at);
    sem_t *sem = at < 0 ? named : (void *)(memory + at);
    int answer;
    if (!strcmp(command, "lock")) answer = pthread_mutex_lock(mutex);
    else if (!strcmp(command, "trylock")) answer = pthread_mutex_trylock(mutex);
    else if (!strcmp(command, "timedlock")) answer = timedlock(mutex, number);
    else if (!strcmp(command, "consistent")) answer = pthread_mutex_consistent(mutex);
    else if (!strcmp(command, "unlock")) answer = pthread_mutex_unlock(mutex);
    else if (!strcmp(command, "wait")) answer = result(sem_wait(sem));
    else if (!strcmp(command, "trywait")) answer = result(sem_trywait(sem));
    else if (!strcmp(command, "post")) answer = result(sem_post(sem));
    else if (!strcmp(command, "value")) sem_getvalue(sem, &answer);
    else if (!strcmp(command, "open")) answer = (named = sem_open(word, 0)) == SEM_FAILED ? errno : 0;
    else if (!strcmp(command, "store")) {
      *(_Atomic uint32_t *)(memory + at) = (uint32_t)number;
      answer = 0;
    } else return 5;
    printf("%d\n", answer);
  }
  return 0;
}
