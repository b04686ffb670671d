/** `postbox mq unlink` */

import { MessageQueue } from "../../src/mq/mod.ts";
import type { Flags } from "../parser.ts";
import { forEach } from "../each.ts";

export default async function unlink(_flags: Flags, ...names: string[]): Promise<number> {
  return await forEach(names, MessageQueue.unlink);
}
