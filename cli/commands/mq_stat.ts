/** `postbox mq stat` */

import { MessageQueue } from "../../src/mq/mod.ts";
import type { Flags } from "../parser.ts";
import { print, printJson } from "../stdio.ts";
import { octal } from "../values.ts";

/** Flags of `mq stat`. */
export interface StatFlags extends Flags {
  readonly json: boolean | undefined;
}

export default function stat({ json }: StatFlags, name: string): number {
  // Whoever owns it: nothing here depends on what it holds.
  const queue = MessageQueue.open(name, { access: "r", owner: "any" });
  try {
    const facts = describe(queue);
    if (json) {
      printJson(facts);
      return 0;
    }
    const { queuedBytes, notify, signo, notifyPid, ...attributes } = facts;
    print(`QSIZE:${queuedBytes} NOTIFY:${notify} SIGNO:${signo} NOTIFY_PID:${notifyPid}`);
    const { length, maxMessages, maxMessageBytes, mode, uid, gid } = attributes;
    print(
      `messages  ${length} of ${maxMessages}, of at most ${maxMessageBytes} bytes\n` +
        `mode      ${mode}\n` +
        `owner     ${uid}:${gid}`,
    );
  } finally {
    queue.close();
  }
  return 0;
}

/** What there is to tell of a queue. */
export function describe(queue: MessageQueue) {
  const { name, length, maxMessages, maxMessageBytes } = queue;
  const { mode, ...status } = queue.status();
  return { name, length, maxMessages, maxMessageBytes, ...status, mode: octal(mode) };
}
