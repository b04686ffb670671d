/**
 * The kernel's limits on queues: what they are now, and which one a refusal came from.
 *
 * Rule: an error that a limit caused names the limit, its value and how to raise it. The kernel's
 * own answers mislead: EINVAL for a queue too deep, EMFILE for a spent RLIMIT_MSGQUEUE.
 */

import { PosixError } from "../errors.ts";
import {
  C,
  close,
  getrlimit,
  type Limit,
  type MqSize,
  nameHint,
  open,
  readText,
} from "../sys/mod.ts";

/**
 * The limits that apply to this process.
 *
 * @see mq_overview(7), getrlimit(2)
 */
export interface QueueLimits {
  /** Most messages a queue may be created for: /proc/sys/fs/mqueue/msg_max. */
  maxMessages: number;
  /** Most bytes a message may have: /proc/sys/fs/mqueue/msgsize_max. */
  maxMessageBytes: number;
  /** Depth of a queue that is created without one: the lower of msg_default and msg_max. */
  defaultMessages: number;
  /** Message size of a queue that is created without one: msgsize_default, at most msgsize_max. */
  defaultMessageBytes: number;
  /** Most queues in the IPC namespace: /proc/sys/fs/mqueue/queues_max. */
  maxQueues: number;
  /** Most bytes that all queues of the user may take: RLIMIT_MSGQUEUE. Infinity for none. */
  maxUserBytes: Limit;
}

/** Where the kernel tells its limits. */
const SYSCTL = "/proc/sys/fs/mqueue";

/** What no privilege and no sysctl goes beyond: HARD_MSGMAX and HARD_MSGSIZEMAX, mq_overview(7). */
const CEILINGS = { msg_max: 65_536, msgsize_max: 16_777_216 } as const;

/** The highest priority there is, MQ_PRIO_MAX - 1. */
const PRIORITY_MAX = 32767;

function sysctl(name: string): number {
  return Number(readText(`${SYSCTL}/${name}`));
}

/** Reads the limits. */
export function queueLimits(): QueueLimits {
  const maxMessages = sysctl("msg_max");
  const maxMessageBytes = sysctl("msgsize_max");
  return {
    maxMessages,
    maxMessageBytes,
    defaultMessages: Math.min(sysctl("msg_default"), maxMessages),
    defaultMessageBytes: Math.min(sysctl("msgsize_default"), maxMessageBytes),
    maxQueues: sysctl("queues_max"),
    maxUserBytes: getrlimit(C.RLIMIT_MSGQUEUE),
  };
}

/** The sizes of a queue that is created without; where /proc does not tell, as the kernel starts. */
export function defaultSize(): MqSize {
  try {
    const { defaultMessages, defaultMessageBytes } = queueLimits();
    return { maxMessages: defaultMessages, maxMessageBytes: defaultMessageBytes };
  } catch (error) {
    if (error instanceof PosixError) return { maxMessages: 10, maxMessageBytes: 8192 };
    throw error;
  }
}

/**
 * What a queue takes from RLIMIT_MSGQUEUE, from its creation on and whether it is full or empty.
 *
 * @see getrlimit(2): a message header and a tree node of 48 bytes each for every message
 */
export function queueBytes({ maxMessages, maxMessageBytes }: MqSize): number {
  const header = 48, treeNode = 48, priorities = PRIORITY_MAX + 1;
  return maxMessages * header + Math.min(maxMessages, priorities) * treeNode +
    maxMessages * maxMessageBytes;
}

/**
 * The way out when mq_open refused.
 *
 * @param usedBytes Tells what the user's queues take from RLIMIT_MSGQUEUE, as far as can be seen.
 */
export function openHint(
  name: string,
  size: MqSize | undefined,
  code: string,
  usedBytes: () => number,
): string | undefined {
  if (size !== undefined && code === "EINVAL") return sizeHint(size) ?? nameHint(name, code);
  if (code === "EMFILE") return noRoomHint(size, usedBytes);
  if (code === "ENOSPC") {
    return `queues_max allows ${sysctl("queues_max")} queues in this IPC namespace and all are ` +
      "there; unlink some (postbox mq ls shows them) or raise it as root: " +
      "sysctl -w fs.mqueue.queues_max=1024";
  }
  if (code === "EEXIST") return "open it, unlink it first, or use openOrCreate";
  return nameHint(name, code) ?? (code === "ENOENT" ? "openOrCreate makes it" : undefined);
}

function sizeHint({ maxMessages, maxMessageBytes }: MqSize): string | undefined {
  const limits = queueLimits();
  return rangeHint("maxMessages", maxMessages, "msg_max", limits.maxMessages) ??
    rangeHint("maxMessageBytes", maxMessageBytes, "msgsize_max", limits.maxMessageBytes);
}

function rangeHint(
  option: string,
  value: number,
  limit: "msg_max" | "msgsize_max",
  max: number,
): string | undefined {
  if (value >= 1 && value <= max) return undefined;
  const range = `${option} is ${value}, expected 1 to ${max}`;
  if (value < 1) return range;
  const ceiling = CEILINGS[limit];
  const raise = value > ceiling
    ? `the kernel allows ${ceiling} at most, for everybody`
    : `raise it as root: sysctl -w fs.mqueue.${limit}=${value}`;
  return `${range}: ${limit} is ${max}; ${raise}`;
}

/** EMFILE has two causes, and only trying tells them apart. */
function noRoomHint(
  size: MqSize | undefined,
  usedBytes: () => number,
): string | undefined {
  if (outOfDescriptors()) return undefined; // what every EMFILE says will do
  const bytes = queueBytes(size ?? defaultSize());
  const { soft } = getrlimit(C.RLIMIT_MSGQUEUE);
  return `this queue takes ${bytes} bytes and RLIMIT_MSGQUEUE allows ${soft} for all ` +
    `queues of this user, ${used(usedBytes)}; make it smaller, unlink others, or raise it: ` +
    "ulimit -q (as root: prlimit --msgqueue)";
}

/** Queues that are open and have no name take their share, and nothing shows them. */
function used(usedBytes: () => number): string {
  try {
    return `whose queues with a name take ${usedBytes()}`;
  } catch (error) {
    if (error instanceof PosixError) return `and what they take cannot be seen (${error.code})`;
    throw error;
  }
}

function outOfDescriptors(): boolean {
  try {
    close(open("/", C.O_RDONLY), "/");
    return false;
  } catch (error) {
    return error instanceof PosixError && error.code === "EMFILE";
  }
}

/** The way out when mq_send or mq_receive refused. */
export function transferHint(
  { access, maxMessageBytes }: { access: string; maxMessageBytes: number },
  code: string,
): string | undefined {
  switch (code) {
    case "EMSGSIZE":
      return `the queue was created for messages of at most ${maxMessageBytes} bytes, and a ` +
        "buffer to receive into, or the room of a batch for each, has at least as many";
    case "EINVAL":
      return `a priority goes from 0 to ${PRIORITY_MAX}`;
    case "EBADF":
      return `it was opened with access: "${access}"`;
  }
  return undefined;
}
