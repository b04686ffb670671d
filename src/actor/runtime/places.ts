/**
 * What an actor has in the kernel: the inbox of its endpoint, the queue of its mailbox.
 *
 * Rule: a name is written into the journal of the system before the object is made, and taken out
 * after it is unlinked.
 */

import { PosixError } from "../../errors.ts";
import { MessageQueue } from "../../mq/mod.ts";
import { SharedMemory } from "../../shm/mod.ts";
import { createQueueInbox, inboxSize } from "../carriers/queue.ts";
import { createRingInbox } from "../carriers/ring.ts";
import type { Directory } from "../memory/directory.ts";
import type { ObjectKind } from "../memory/journal.ts";

/**
 * Makes a queue of a system; it stays when this process ends.
 *
 * @throws {PosixError} `EEXIST` if there is one of that name, `EMFILE` and others if a limit is hit:
 * the error names it.
 * @throws {RangeError} If no queue of this user can have that capacity.
 */
export function makeQueue(directory: Directory, name: string, capacity?: number): void {
  const size = inboxSize();
  try {
    make(directory, "queue", name, () => {
      createQueueInbox(name, { ...size, maxMessages: capacity ?? size.maxMessages }).close();
    });
  } catch (error) {
    throw error instanceof PosixError ? inTermsOfSpawn(error, name, capacity) : error;
  }
}

/** What refuses a queue, as it looks to who spawns an actor. */
function inTermsOfSpawn(error: PosixError, name: string, capacity: number | undefined): Error {
  if (error.code === "EINVAL" && capacity !== undefined) {
    return new RangeError(`Cannot spawn: capacity is ${capacity}: ${error.hint}`, { cause: error });
  }
  if (error.code !== "EEXIST") return error;
  return new PosixError({
    action: "make mailbox",
    target: name,
    syscall: error.syscall,
    code: error.code,
    errno: error.errno,
    description: "it exists already",
    hint: "an actor has it, of this system or of a program that uses its names: stop that one " +
      "first, or spawn with another mailbox",
  });
}

/** Takes the name of a queue away. Once it is gone, that is fine. */
export function removeQueue(directory: Directory, name: string): void {
  ifThere(() => MessageQueue.unlink(name));
  directory.forget(name);
}

/** Makes the ring of an endpoint; it stays when this process ends. */
export function makeRing(directory: Directory, name: string): void {
  makeMemory(directory, name, () => createRingInbox(name).close());
}

/** Makes some memory of a system; it stays when this process ends. */
export function makeMemory<T>(directory: Directory, name: string, create: () => T): T {
  return make(directory, "memory", name, create);
}

/** Records a name and makes what has it; what another has made and recorded stays recorded. */
function make<T>(directory: Directory, kind: ObjectKind, name: string, create: () => T): T {
  const isNew = directory.record(kind, name);
  try {
    return create();
  } catch (error) {
    if (isNew) directory.forget(name);
    throw error;
  }
}

/** Takes the name of memory away. Once it is gone, that is fine. */
export function removeMemory(directory: Directory, name: string): void {
  ifThere(() => SharedMemory.unlink(name));
  directory.forget(name);
}

/** Does something to what may not be there; undefined when it is not. */
export function ifThere<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof PosixError && error.code === "ENOENT") return undefined;
    throw error;
  }
}
