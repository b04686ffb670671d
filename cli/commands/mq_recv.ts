/** `postbox mq recv` */

import { type Message, MessageQueue, type Owner } from "../../src/mq/mod.ts";
import { Ending } from "../ending.ts";
import { note } from "../note.ts";
import { type Flags, UsageError } from "../parser.ts";
import { followedBy, type Format, pass } from "../passing.ts";
import { isTerminal } from "../terminal.ts";
import { isTimeout } from "../timeout.ts";
import { given } from "../values.ts";

/** Flags of `mq recv`. */
export interface ReceiveFlags extends Flags {
  readonly count: number | undefined;
  readonly follow: boolean | undefined;
  readonly timeout: number | undefined;
  readonly nonblock: boolean | undefined;
  readonly separator: "none" | "newline" | "nul" | undefined;
  readonly json: boolean | undefined;
  readonly hex: boolean | undefined;
  readonly verbose: boolean | undefined;
  readonly owner: Owner | undefined;
}

const NOTHING_THERE = 3;

export default async function recv(flags: ReceiveFlags, name: string): Promise<number> {
  checkFlags(flags);
  const format = await formatFor(flags);
  const queue = MessageQueue.open(name, { access: "r", ...given({ owner: flags.owner }) });
  const ending = new Ending();
  try {
    const timeoutMs = flags.nonblock ? 0 : flags.timeout ?? Infinity;
    const wanted = flags.follow ? Infinity : flags.count ?? 1;
    for (let received = 0; received < wanted; received++) {
      const message = await take(queue, timeoutMs, ending);
      if (message === "ended") break;
      if (message === undefined) {
        const when = timeoutMs === 0 ? "now" : `within ${timeoutMs} ms`;
        const after = received === 0 ? "" : ` (after ${received})`;
        note(`postbox: No message in queue ${JSON.stringify(name)} ${when}${after}`);
        return NOTHING_THERE;
      }
      await pass(message, format, name, flags.owner);
      if (flags.verbose) {
        note(`Read ${message.data.byteLength} bytes; priority = ${message.priority}`);
      }
    }
  } finally {
    queue.close();
    await ending.close();
  }
  return ending.exitCode;
}

function checkFlags({ count, follow, timeout, nonblock, separator, json, hex }: ReceiveFlags) {
  const exclude = (one: unknown, other: unknown, names: string) => {
    if (one !== undefined && one !== false && other !== undefined && other !== false) {
      throw new UsageError(`${names} exclude each other`);
    }
  };
  exclude(follow, count, "--follow and --count");
  exclude(nonblock, timeout, "--nonblock and --timeout");
  exclude(json, hex, "--json and --hex");
  exclude(json || hex, separator, "--separator and --json or --hex");
}

/** Waits for a message, for the deadline, or for a signal that asks for an end. */
async function take(
  queue: MessageQueue,
  timeoutMs: number,
  { signal }: Ending,
): Promise<Message | undefined | "ended"> {
  if (timeoutMs === 0) return queue.tryReceive();
  try {
    return await queue.receive({ timeoutMs, signal });
  } catch (error) {
    if (error === signal.reason) return "ended";
    if (isTimeout(error)) return undefined;
    throw error;
  }
}

async function formatFor({ separator, json, hex }: ReceiveFlags): Promise<Format> {
  if (json || hex) {
    const { jsonLine, hexdump } = await import("../formats.ts");
    return json ? jsonLine : hexdump;
  }
  switch (separator ?? (await isTerminal(1) ? "newline" : "none")) {
    case "none":
      return ({ data }) => data;
    case "newline":
      return ({ data }) => followedBy(data, 0x0a);
    case "nul":
      return ({ data }) => followedBy(data, 0);
  }
}
