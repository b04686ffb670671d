/**
 * Which queues there are. The kernel has no call for it, so they are looked up where it shows
 * them, the most complete place first.
 */

import { PosixError } from "../errors.ts";
import {
  C,
  close,
  geteuid,
  mountPrivately,
  mqClose,
  mqGetattr,
  mqOpen,
  readDirectory,
  readDirectoryOf,
  readLink,
  statfs,
  statPath,
  statx,
} from "../sys/mod.ts";
import { queueBytes } from "./limits.ts";

/** Where {@linkcode MessageQueue.list} found its queues. */
export type QueueListSource =
  /** The mounted file system: every queue. */
  | "/dev/mqueue"
  /** The same file system, mounted for a moment where only we see it: every queue. */
  | "private mount"
  /** The descriptors in /proc: only queues that a process of ours (for root: any) has open. */
  | "processes";

/** One queue of a {@linkcode QueueList}. What may not be looked at is undefined. */
export interface QueueEntry {
  /** With its slash. Bytes that are no UTF-8 are U+FFFD in it. */
  name: string;
  /** User that owns it. */
  uid: number | undefined;
  /** Permission bits. */
  mode: number | undefined;
  /** How many messages it can hold. */
  maxMessages: number | undefined;
  /** How many bytes a message can have. */
  maxMessageBytes: number | undefined;
  /** How many messages are waiting. */
  length: number | undefined;
}

/** What {@linkcode MessageQueue.list} found. */
export interface QueueList {
  /** Sorted by name. */
  queues: QueueEntry[];
  /** Where they were found. */
  source: QueueListSource;
  /** Whether that place shows all queues of this IPC namespace. */
  complete: boolean;
  /**
   * What those of this user take from RLIMIT_MSGQUEUE, in bytes. Queues that are unlinked but still
   * open take their share too, and are in no list.
   */
  userBytes: number;
}

/** Where the queue file system is mounted by custom. */
const MOUNT_POINT = "/dev/mqueue";

/** Looks in the mounted file system, else mounts it privately, else asks the processes. */
export function listQueues(): QueueList {
  const [source, names] = mounted() ?? privatelyMounted() ?? heldByProcesses();
  const ours = ownDescriptors();
  const queues: QueueEntry[] = [];
  for (const name of [...names].sort()) {
    const entry = look(name, ours.get(name));
    if (entry !== undefined) queues.push(entry);
  }
  const self = geteuid();
  const userBytes = queues.reduce((sum, { uid, maxMessages, maxMessageBytes }) => {
    if (uid !== self || maxMessages === undefined || maxMessageBytes === undefined) return sum;
    return sum + queueBytes({ maxMessages, maxMessageBytes });
  }, 0);
  return { queues, source, complete: source !== "processes", userBytes };
}

type Found = [QueueListSource, Iterable<string>];

function mounted(): Found | undefined {
  return ifAllowed(() => {
    if (statfs(MOUNT_POINT).type !== C.MQUEUE_MAGIC) return undefined;
    return ["/dev/mqueue", readDirectory(MOUNT_POINT).map(({ name }) => `/${name}`)];
  });
}

function privatelyMounted(): Found | undefined {
  return ifAllowed(() => {
    const fd = mountPrivately("mqueue");
    try {
      return ["private mount", readDirectoryOf(fd, "mqueue").map(({ name }) => `/${name}`)];
    } finally {
      close(fd, "mqueue");
    }
  });
}

function heldByProcesses(): Found {
  const names = new Set<string>();
  for (const { name: pid } of readDirectory("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const directory = `/proc/${pid}/fd`;
    for (const { name: fd } of ifAllowed(() => readDirectory(directory)) ?? []) {
      const path = `${directory}/${fd}`;
      const name = ifAllowed(() => nameOfQueueAt(path));
      if (name !== undefined) names.add(name);
    }
  }
  return ["processes", names];
}

/** The name of the queue behind a link of /proc, if there is one and it is not unlinked. */
function nameOfQueueAt(path: string): string | undefined {
  const target = readLink(path);
  // Cheap first: sockets, pipes and most files never get further.
  if (target.lastIndexOf("/") !== 0 || statfs(path).type !== C.MQUEUE_MAGIC) return undefined;
  return statPath(path, { follow: true }).linkCount === 0 ? undefined : target;
}

/** The queues that this process has open already, with one descriptor each. */
function ownDescriptors(): Map<string, number> {
  const found = new Map<string, number>();
  for (const { name: fd } of ifAllowed(() => readDirectory("/proc/self/fd")) ?? []) {
    const name = ifAllowed(() => nameOfQueueAt(`/proc/self/fd/${fd}`));
    if (name !== undefined) found.set(name, Number(fd));
  }
  return found;
}

function look(name: string, ownDescriptor: number | undefined): QueueEntry | undefined {
  // LINUX: closing any descriptor of a queue takes back what its process asked for by mq_notify,
  // so a queue that we hold is looked at through what is open, not opened once more.
  if (ownDescriptor !== undefined) {
    const entry = ifAllowed(() => entryOf(ownDescriptor, name));
    if (entry !== undefined) return entry; // else another thread has closed it
  }
  let mqd: number;
  try {
    mqd = mqOpen(name, C.O_RDONLY | C.O_NONBLOCK | C.O_CLOEXEC, 0, undefined, () => undefined);
  } catch (error) {
    if (!(error instanceof PosixError)) throw error;
    // Unlinked meanwhile; or a name that is no UTF-8, which nobody can open by its text.
    if (error.code === "ENOENT" && !name.includes("\ufffd")) return undefined;
    const nothing = { uid: undefined, mode: undefined, length: undefined };
    return { name, ...nothing, maxMessages: undefined, maxMessageBytes: undefined };
  }
  try {
    return entryOf(mqd, name);
  } finally {
    mqClose(mqd, name);
  }
}

function entryOf(mqd: number, name: string): QueueEntry {
  const { uid, mode } = statx(mqd, name);
  return { name, uid, mode, ...mqGetattr(mqd, name) };
}

/** What a place shows, or undefined when it is not there or the system does not let us look. */
function ifAllowed<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    // Out of descriptors or memory is trouble of ours, not of the place's.
    if (error instanceof PosixError && !OUT_OF_EVERYTHING.has(error.code)) return undefined;
    throw error;
  }
}

const OUT_OF_EVERYTHING = new Set(["EMFILE", "ENFILE", "ENOMEM"]);
