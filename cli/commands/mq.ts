/** The `mq` commands: what they take and how they are explained. */

import { choice, command, group, option, toggle } from "../parser.ts";
import { milliseconds, permissionBits, wholeNumber } from "../values.ts";
import type { CreateFlags } from "./mq_create.ts";
import type { ListFlags } from "./mq_ls.ts";
import type { ReceiveFlags } from "./mq_recv.ts";
import type { SendFlags } from "./mq_send.ts";
import type { StatFlags } from "./mq_stat.ts";
import type { TailFlags } from "./mq_tail.ts";

const NAME = { placeholder: "NAME", brief: "the queue, with its slash: /jobs" };

const owner = choice(["self", "any"], "Who may own the queue; self protects from planted names");
const timeout = option("MS", "Wait at most so many milliseconds, then exit with 3", milliseconds);

const create = command<CreateFlags, [name: string]>({
  brief: "Make a queue",
  description:
    "Makes a queue. With --if-missing one that exists is left as it is, its messages and\n" +
    "sizes included.",
  flags: {
    maxMessages: option(
      "N",
      "How many messages it can hold (default: the kernel's, 10)",
      wholeNumber({ of: "messages" }),
    ),
    maxBytes: option(
      "N",
      "How many bytes a message can have (default: the kernel's, 8192)",
      wholeNumber({ of: "bytes" }),
    ),
    mode: option(
      "MODE",
      "Permission bits in octal, less those of the umask (default: 600)",
      permissionBits,
    ),
    ifMissing: toggle("Leave a queue that exists as it is"),
    owner,
    json: toggle("Print the queue's attributes as JSON"),
  },
  args: [NAME],
  examples: [
    "postbox mq create /jobs",
    "postbox mq create /jobs --if-missing",
    "postbox mq create /log --max-messages 4 --max-bytes 256 --mode 620 --json",
  ],
  load: () => import("./mq_create.ts"),
});

const send = command<SendFlags, [name: string, message?: string]>({
  brief: "Send a message",
  description:
    "Sends one message; waits while the queue is full. MESSAGE is sent as UTF-8 without a\n" +
    "newline. Without it, or with -, the message is standard input to its end, byte for byte: at\n" +
    'most what a message of the queue may have. An empty message is "": a shell variable that is\n' +
    "empty and not in quotes is no MESSAGE. Exits with 3 when there was no room in time.",
  flags: {
    priority: option(
      "N",
      "From 0 to 32767, the highest is received first (default: 0)",
      wholeNumber(),
    ),
    timeout,
    nonblock: toggle("Do not wait: exit with 3 when the queue is full"),
    owner,
  },
  args: [NAME, {
    placeholder: "MESSAGE",
    brief: 'the text, "" for an empty message, - for standard input (default: -)',
    optional: true,
  }],
  examples: [
    'postbox mq send /jobs "resize 17.png"',
    "postbox mq send /jobs urgent --priority 9 --timeout 500",
    "printf '\\000\\001\\377' | postbox mq send /jobs",
    "postbox mq send /jobs --nonblock -- --begins-with-dashes",
  ],
  load: () => import("./mq_send.ts"),
});

const recv = command<ReceiveFlags, [name: string]>({
  brief: "Receive messages",
  description:
    "Takes the message of highest priority, waiting for one, and writes its bytes to standard\n" +
    "output, nothing added; on a terminal a newline follows. Of many messages nothing says where\n" +
    "one ends: ask for --separator, --json or --hex where that matters.\n\n" +
    "A message is written before the next is taken. What cannot be written (a full disk, a reader\n" +
    "that went away) goes back into the queue, behind others of its priority. Ctrl-C and SIGTERM\n" +
    "end it between two messages. Exits with 3 when no message came in time, also after others.",
  flags: {
    count: option(
      "N",
      "Receive so many messages (default: 1)",
      wholeNumber({ of: "messages", min: 1 }),
    ),
    follow: toggle("Receive until Ctrl-C"),
    timeout: option(
      "MS",
      "Wait at most so many milliseconds for each message, then exit with 3",
      milliseconds,
    ),
    nonblock: toggle("Do not wait: exit with 3 when the queue is empty"),
    separator: choice(
      ["none", "newline", "nul"],
      "What follows each message (default: none, on a terminal newline)",
    ),
    json: toggle("One JSON object a line: bytes, priority, base64, text (null if not UTF-8)"),
    hex: toggle("A hexdump of each message; its last line is the length"),
    verbose: toggle("Say of each message on standard error: Read 6 bytes; priority = 10"),
    owner,
  },
  aliases: { v: "verbose" },
  args: [NAME],
  examples: [
    "postbox mq recv /jobs --timeout 1000",
    "postbox mq recv /jobs -v --nonblock",
    "postbox mq recv /jobs --count 2 --separator newline",
    "postbox mq recv /jobs --follow --json",
  ],
  load: () => import("./mq_recv.ts"),
});

const tail = command<TailFlags, string[]>({
  brief: "Receive from several queues",
  description:
    "Takes the messages of several queues as they come, until Ctrl-C, and writes before each the\n" +
    "queue's name and the priority: /jobs 9 resize 17.png. Within one queue the order is that of\n" +
    "recv. A message is written before the next is taken; one that cannot be written goes back.",
  flags: {
    separator: choice(["newline", "nul"], "What follows each message (default: newline)"),
    json: toggle("One JSON object a line: queue, bytes, priority, base64, text"),
    hex: toggle("A line with name and priority, and a hexdump of each message"),
    owner,
  },
  args: [NAME],
  many: true,
  examples: [
    "postbox mq tail /log",
    "postbox mq tail /jobs /metrics --json",
  ],
  load: () => import("./mq_tail.ts"),
});

const ls = command<ListFlags, []>({
  brief: "List the queues",
  description:
    "Lists the queues of this IPC namespace. Standard error tells where they were found, and\n" +
    "whether that place shows all of them.",
  flags: { json: toggle("Print one JSON object: queues, source, complete, userBytes") },
  examples: ["postbox mq ls", "postbox mq ls --json"],
  load: () => import("./mq_ls.ts"),
});

const stat = command<StatFlags, [name: string]>({
  brief: "Show a queue's state",
  description:
    "Prints the line that /dev/mqueue shows of a queue, and then its attributes. QSIZE counts\n" +
    "the bytes of all waiting messages. Whoever owns the queue: looking changes nothing.",
  flags: { json: toggle("Print one JSON object") },
  args: [NAME],
  examples: ["postbox mq stat /jobs", "postbox mq stat /jobs --json"],
  load: () => import("./mq_stat.ts"),
});

const unlink = command<Record<never, never>, string[]>({
  brief: "Take away the names of queues",
  description:
    "Takes away the names. A queue itself goes when the last process that has it open closes\n" +
    "it. A name that is refused is reported and the others are still taken away; then exits with 1.",
  args: [NAME],
  many: true,
  examples: ["postbox mq unlink /jobs", "postbox mq unlink /log /metrics"],
  load: () => import("./mq_unlink.ts"),
});

/** `postbox mq …` */
export const mq = group(
  "Message queues",
  "POSIX message queues: mq_overview(7).",
  { create, send, recv, tail, ls, stat, unlink },
  [
    "postbox mq create /jobs --max-messages 4 --max-bytes 64",
    'postbox mq send /jobs "first job" --priority 9',
    "postbox mq recv /jobs",
    "postbox mq unlink /jobs",
  ],
);
