/** `postbox mq ls` */

import { MessageQueue } from "../../src/mq/mod.ts";
import type { Flags } from "../parser.ts";
import { note } from "../note.ts";
import { print, printJson } from "../stdio.ts";
import { table } from "../table.ts";
import { octal } from "../values.ts";

/** Flags of `mq ls`. */
export interface ListFlags extends Flags {
  readonly json: boolean | undefined;
}

export default function ls({ json }: ListFlags): number {
  const list = MessageQueue.list();
  const { queues, source, complete, userBytes } = list;
  if (json) {
    printJson({ queues: queues.map(fact), source, complete, userBytes });
    return 0;
  }
  if (queues.length > 0) {
    print(table(
      ["NAME", "LENGTH", "MAX MESSAGES", "MAX BYTES", "MODE", "UID"],
      queues.map(fact).map(({ name, length, maxMessages, maxMessageBytes, mode, uid }) => [
        name,
        length ?? undefined,
        maxMessages ?? undefined,
        maxMessageBytes ?? undefined,
        mode ?? undefined,
        uid ?? undefined,
      ]),
    ));
  }
  note(`${queues.length} ${queues.length === 1 ? "queue" : "queues"}, found by ${PLACES[source]}`);
  if (!complete) {
    note(
      "Incomplete: only queues that processes of yours have open are shown. To see all: as root, " +
        "or after mount -t mqueue none /dev/mqueue",
    );
  }
  return 0;
}

const PLACES = {
  "/dev/mqueue": "reading /dev/mqueue",
  "private mount": "mounting the queue file system for a moment",
  "processes": "looking at the descriptors of processes in /proc",
};

/** What may not be known is null, so that the keys are always there. */
function fact(entry: ReturnType<typeof MessageQueue.list>["queues"][number]) {
  const { name, length, maxMessages, maxMessageBytes, mode, uid } = entry;
  return {
    name,
    length: length ?? null,
    maxMessages: maxMessages ?? null,
    maxMessageBytes: maxMessageBytes ?? null,
    mode: mode === undefined ? null : octal(mode & 0o777),
    uid: uid ?? null,
  };
}
