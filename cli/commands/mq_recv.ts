/**
 * `postbox mq recv`
 *
 * Rule: a message that was taken is written before anything else happens, and when it cannot be
 * written it goes back. Signals that ask for an end are therefore heard between two messages.
 */

import { type Message, MessageQueue, type Owner, PosixError } from "../../src/mq/mod.ts";
import { note } from "../note.ts";
import { type Flags, UsageError } from "../parser.ts";
import { sendPatiently } from "../send.ts";
import { write } from "../stdio.ts";
import { isTerminal } from "../terminal.ts";
import { given } from "../values.ts";

const { process } = globalThis;

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

/** Makes the bytes to write of a message. */
type Format = (message: Message) => Uint8Array;

const NOTHING_THERE = 3;

/** How often a process that blocks looks whether a signal came while it was not waiting. */
const SLICE_MS = 200;

/** How long a busy one goes on without looking. */
const BUSY_MS = 50;

/** How long a signal may take to end us, before the exit code has to tell of it. */
const ENDED_MS = 5000;

/** How long a message that could not be written waits for a free place in its queue. */
const GIVE_BACK_MS = 1000;

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

/** Waits for a message, in slices between which signals are heard. */
async function take(
  queue: MessageQueue,
  timeoutMs: number,
  ending: Ending,
): Promise<Message | undefined | "ended"> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (await ending.heard()) return "ended";
    const remainingMs = Math.max(0, deadline - performance.now());
    try {
      const message = queue.receiveSync({ timeoutMs: Math.min(SLICE_MS, remainingMs) });
      if (message !== undefined) return message;
    } catch (error) {
      if (!(error instanceof PosixError) || error.code !== "EINTR") throw error;
    }
    // It blocked for a slice or was interrupted; both are times to look.
    ending.due();
    if (performance.now() >= deadline) return undefined;
  }
}

/** Writes a message; one that cannot be written is put back before the error goes on. */
async function pass(
  message: Message,
  format: Format,
  name: string,
  owner: Owner | undefined,
): Promise<void> {
  try {
    write(format(message));
  } catch (error) {
    await giveBack(message, name, owner, error);
    throw error;
  }
}

async function giveBack(
  { data, priority }: Message,
  name: string,
  owner: Owner | undefined,
  cause: unknown,
): Promise<void> {
  try {
    // Another handle: receiving needs no permission to send.
    const queue = MessageQueue.open(name, { access: "w", ...given({ owner }) });
    try {
      if (await sendPatiently(queue, data, { priority, timeoutMs: GIVE_BACK_MS })) return;
    } finally {
      queue.close();
    }
  } catch (error) {
    if (!(error instanceof PosixError)) throw error; // refused: the message is lost, said below
  }
  throw new Error(
    `Cannot put a message of ${data.byteLength} bytes back into queue ${JSON.stringify(name)} ` +
      `after it could not be written: it is lost (${
        cause instanceof Error ? cause.message : cause
      })`,
    { cause },
  );
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

/** One array, so that it is one write. */
function followedBy(data: Uint8Array, byte: number): Uint8Array {
  const line = new Uint8Array(data.byteLength + 1);
  line.set(data);
  line[data.byteLength] = byte;
  return line;
}

/**
 * The signals that ask for an end. Left alone they would end the process between taking a message
 * and writing it, so they are listened to, and answered afterwards the way they always are.
 */
class Ending {
  static readonly #SIGNALS = ["SIGINT", "SIGTERM"] as const;
  #signal: NodeJS.Signals | undefined;
  #dueAt = 0;
  readonly #listener = (signal: NodeJS.Signals) => void (this.#signal = signal);

  constructor() {
    for (const signal of Ending.#SIGNALS) process.on(signal, this.#listener);
  }

  /** Lets the event loop run its listeners, every so often, and tells whether one was called. */
  async heard(): Promise<boolean> {
    const now = performance.now();
    if (now >= this.#dueAt) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#dueAt = now + BUSY_MS;
    }
    return this.#signal !== undefined;
  }

  /** Makes the next {@linkcode Ending.heard} look in any case. */
  due(): void {
    this.#dueAt = 0;
  }

  /** What a shell says of a process that a signal ended, for where it does not. */
  get exitCode(): number {
    return this.#signal === undefined ? 0 : this.#signal === "SIGINT" ? 130 : 143;
  }

  /** Stops listening; a signal that came now has its usual effect, which is the end. */
  async close(): Promise<void> {
    for (const signal of Ending.#SIGNALS) process.off(signal, this.#listener);
    if (this.#signal === undefined) return;
    process.kill(process.pid, this.#signal);
    // Another thread of the runtime answers, and an exit of ours must not come first.
    if (process.listenerCount(this.#signal) === 0) {
      await new Promise((resolve) => setTimeout(resolve, ENDED_MS));
    }
  }
}
