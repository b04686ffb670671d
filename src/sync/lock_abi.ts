/** What two programs must have in common to use one lock. */

import { architecture, machine, mutexKind, STRUCTS } from "../sys/mod.ts";

/**
 * What of this machine and its C library decides what is in the memory of a lock, as a text to
 * compare: two C libraries have mutexes of one size and do not understand each other's.
 */
export function lockAbi(): string {
  const { index, value } = mutexKind();
  const mutex =
    `pthread_mutex_t ${machine().pthread_mutex_t.bytes}, kind ${value} in word ${index}`;
  return `${architecture()}; ${mutex}; sem_t ${STRUCTS.sem_t.bytes}`;
}
