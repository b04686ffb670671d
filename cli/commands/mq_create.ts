/** `postbox mq create` */

import { MessageQueue, type Owner } from "../../src/mq/mod.ts";
import type { Flags } from "../parser.ts";
import { given } from "../values.ts";

/** Flags of `mq create`. */
export interface CreateFlags extends Flags {
  readonly maxMessages: number | undefined;
  readonly maxBytes: number | undefined;
  readonly mode: number | undefined;
  readonly ifMissing: boolean | undefined;
  readonly owner: Owner | undefined;
  readonly json: boolean | undefined;
}

export default async function create(flags: CreateFlags, name: string): Promise<number> {
  const { maxMessages, maxBytes: maxMessageBytes, mode, owner } = flags;
  const options = given({ maxMessages, maxMessageBytes, mode, owner });
  const queue = flags.ifMissing
    ? MessageQueue.openOrCreate(name, options)
    : MessageQueue.create(name, options);
  try {
    if (flags.json) {
      const [{ printJson }, { describe }] = await Promise.all([
        import("../stdio.ts"),
        import("./mq_stat.ts"),
      ]);
      printJson(describe(queue));
    }
  } finally {
    queue.close();
  }
  return 0;
}
