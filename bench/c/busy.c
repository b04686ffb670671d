/* busy: counts until its standard input ends, as a stranger that wants the processor for itself. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void *until_the_end(void *unused) {
  (void)unused;
  while (getchar() != EOF) continue;
  _exit(0);
}

int main(void) {
  pthread_t thread;
  puts("ready");
  fflush(stdout);
  if (pthread_create(&thread, NULL, until_the_end, NULL) != 0) return 1;
  for (volatile unsigned long count = 0;; count++) continue;
}
