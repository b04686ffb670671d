/** `postbox limits` */

import { MessageQueue } from "../../src/mq/mod.ts";
import { SharedMemory } from "../../src/shm/mod.ts";
import type { Flags } from "../parser.ts";
import { note } from "../note.ts";
import { print, printJson } from "../stdio.ts";
import { table } from "../table.ts";

/** Flags of `limits`. */
export interface LimitsFlags extends Flags {
  readonly json: boolean | undefined;
}

interface Row {
  what: string;
  used?: number;
  value?: number;
  hard?: number;
  raise: string;
}

export default function show({ json }: LimitsFlags): number {
  const limits = MessageQueue.limits();
  const { queues, complete, userBytes } = MessageQueue.list();
  const objects = SharedMemory.list();
  const { soft, hard } = limits.maxUserBytes;
  const sysctl = (name: string) => `as root: sysctl -w fs.mqueue.${name}=N`;
  const rows: Record<string, Row> = {
    msg_max: {
      what: "messages in a queue",
      value: limits.maxMessages,
      raise: sysctl("msg_max"),
    },
    msgsize_max: {
      what: "bytes in a message",
      value: limits.maxMessageBytes,
      raise: sysctl("msgsize_max"),
    },
    queues_max: {
      what: "queues in this IPC namespace",
      used: queues.length,
      value: limits.maxQueues,
      raise: sysctl("queues_max"),
    },
    RLIMIT_MSGQUEUE: {
      what: "bytes of all queues of this user",
      used: userBytes,
      value: soft,
      hard,
      raise: `ulimit -q N (to ${amount(hard)}; as root: prlimit --msgqueue=N)`,
    },
    msg_default: {
      what: "messages in a queue, if not told",
      value: limits.defaultMessages,
      raise: sysctl("msg_default"),
    },
    msgsize_default: {
      what: "bytes in a message, if not told",
      value: limits.defaultMessageBytes,
      raise: sysctl("msgsize_default"),
    },
    "/dev/shm": {
      what: "bytes of all shared memory (df -h /dev/shm)",
      used: objects.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0),
      raise: "as root: mount -o remount,size=N /dev/shm",
    },
  };
  if (json) {
    printJson({ limits: rows, complete });
    return 0;
  }
  print(table(
    ["LIMIT", "ON", "USED", "ALLOWED", "TO RAISE IT"],
    Object.entries(rows).map(([name, { what, used, value, raise }]) => [
      name,
      what,
      used === undefined ? "-" : amount(used),
      value === undefined ? "-" : amount(value),
      raise,
    ]),
  ));
  if (!complete) {
    note("Incomplete: more queues may be in use than this user can see (see postbox mq ls)");
  }
  return 0;
}

function amount(value: number): string {
  return value === Infinity ? "unlimited" : String(value);
}
