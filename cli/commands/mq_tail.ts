/** `postbox mq tail`: several queues at once. */

import { ClosedError, type Message, MessageQueue, type Owner } from "../../src/mq/mod.ts";
import { Ending } from "../ending.ts";
import { hexdump, messageFact } from "../formats.ts";
import { type Flags, UsageError } from "../parser.ts";
import { followedBy, type Format, LostMessageError, pass } from "../passing.ts";
import { given } from "../values.ts";

/** Flags of `mq tail`. */
export interface TailFlags extends Flags {
  readonly separator: "newline" | "nul" | undefined;
  readonly json: boolean | undefined;
  readonly hex: boolean | undefined;
  readonly owner: Owner | undefined;
}

const encoder = new TextEncoder();

export default async function tail(flags: TailFlags, ...names: string[]): Promise<number> {
  const { json, hex, separator, owner } = flags;
  if (json && hex) throw new UsageError("--json and --hex exclude each other");
  if ((json || hex) && separator !== undefined) {
    throw new UsageError("--separator and --json or --hex exclude each other");
  }
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw new UsageError(`${repeated} is there twice`);

  const queues: MessageQueue[] = [];
  const ending = new Ending();
  const closeAll = () => queues.forEach((queue) => queue.close());
  ending.signal.addEventListener("abort", closeAll);
  try {
    // All or none: what is missing is said before anything is taken.
    for (const name of names) {
      queues.push(MessageQueue.open(name, { access: "r", ...given({ owner }) }));
    }
    const ends = await Promise.allSettled(queues.map(async (queue) => {
      const format = formatFor(queue.name, flags);
      try {
        for await (const message of queue) await pass(message, format, queue.name, owner);
      } catch (error) {
        closeAll(); // what fails here, as a reader that went away, fails for all of them
        if (!(error instanceof ClosedError)) throw error;
      }
    }));
    // All of them: each may tell of a message of its own that is lost.
    const reasons = ends.flatMap((end) => end.status === "rejected" ? [end.reason] : []);
    if (reasons.length > 0) throw worst(reasons);
  } finally {
    closeAll();
    await ending.close();
  }
  return ending.exitCode;
}

/** One error for all: a message that is lost counts more than that nobody reads any more. */
function worst(reasons: readonly unknown[]): unknown {
  const lost = reasons.filter((reason) => reason instanceof LostMessageError);
  if (lost.length < 2) return lost[0] ?? reasons[0];
  return new Error(lost.map(({ message }) => message).join("\n"), { cause: lost });
}

/** The name and the priority, and then the message. */
function formatFor(name: string, { separator, json, hex }: TailFlags): Format {
  if (json) {
    return (message) =>
      encoder.encode(`${JSON.stringify({ queue: name, ...messageFact(message) })}\n`);
  }
  const end = separator === "nul" ? 0 : 0x0a;
  return (message) => {
    const body = hex ? hexdump(message) : followedBy(message.data, end);
    return joined(head(name, message, hex ? "\n" : " "), body);
  };
}

function head(name: string, { priority }: Message, end: string): Uint8Array {
  return encoder.encode(`${name} ${priority}${end}`);
}

/** One array, so that it is one write and no other message comes between. */
function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.byteLength + second.byteLength);
  whole.set(first);
  whole.set(second, first.byteLength);
  return whole;
}
