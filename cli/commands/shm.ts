/** The `shm` commands: what they take and how they are explained. */

import { choice, command, group, option, toggle } from "../parser.ts";
import { permissionBits, wholeNumber } from "../values.ts";
import type { CreateFlags } from "./shm_create.ts";
import type { DumpFlags } from "./shm_dump.ts";
import type { ListFlags } from "./shm_ls.ts";
import type { ReadFlags } from "./shm_read.ts";
import type { StatFlags } from "./shm_stat.ts";
import type { WriteFlags } from "./shm_write.ts";

const NAME = { placeholder: "NAME", brief: "the object, with its slash: /table" };

const owner = choice(["self", "any"], "Who may own the object; self protects from planted names");
const offset = option("N", "Where to begin, in bytes (default: 0)", wholeNumber({ of: "bytes" }));

const create = command<CreateFlags, [name: string, bytes: string]>({
  brief: "Make an object",
  description:
    "Makes an object with all its pages, filled with zeros. With --if-missing one that exists\n" +
    "keeps its bytes, and grows when it is shorter.",
  flags: {
    mode: option(
      "MODE",
      "Permission bits in octal, less those of the umask (default: 600)",
      permissionBits,
    ),
    ifMissing: toggle("Use an object that exists"),
    owner,
    json: toggle("Print the object's attributes as JSON"),
  },
  args: [NAME, { placeholder: "BYTES", brief: "its length; may be 0" }],
  examples: [
    "postbox shm create /table 4096",
    "postbox shm create /table 8192 --if-missing",
    "postbox shm create /inbox 0 --mode 640 --json",
  ],
  load: () => import("./shm_create.ts"),
});

const write = command<WriteFlags, [name: string, data?: string]>({
  brief: "Write into an object",
  description:
    "Writes DATA as UTF-8 without a newline; without it, or with -, standard input to its end,\n" +
    "byte for byte. An object that is too short grows, before anything is written; none ever\n" +
    "shrinks.",
  flags: { offset, owner },
  args: [NAME, {
    placeholder: "DATA",
    brief: "the text, - for standard input (default: -)",
    optional: true,
  }],
  examples: [
    "postbox shm write /table Qkrq!",
    "postbox shm write /table --offset 5 -- -dashes-",
    "printf '\\000\\001\\377' | postbox shm write /table --offset 4096",
  ],
  load: () => import("./shm_write.ts"),
});

const read = command<ReadFlags, [name: string]>({
  brief: "Read an object",
  description:
    "Writes the object's bytes to standard output, nothing added; fewer than --length where it\n" +
    "ends. Safe against somebody who truncates it meanwhile.",
  flags: {
    offset,
    length: option("N", "How many bytes (default: to the end)", wholeNumber({ of: "bytes" })),
    owner,
  },
  args: [NAME],
  examples: [
    "postbox shm read /table",
    "postbox shm read /table --offset 1 --length 3",
    "postbox shm read /table | od -c | head -n 1",
  ],
  load: () => import("./shm_read.ts"),
});

const ls = command<ListFlags, []>({
  brief: "List the objects",
  description: "Lists the objects of /dev/shm. ALLOCATED is what they take in memory or swap.",
  flags: { json: toggle("Print one JSON object: objects") },
  examples: ["postbox shm ls", "postbox shm ls --json"],
  load: () => import("./shm_ls.ts"),
});

const stat = command<StatFlags, [name: string]>({
  brief: "Show an object's state",
  description:
    "Prints length, pages, permissions and owner of an object, whoever owns it, and of a region its\n" +
    "state, its schema and the schema's hash.",
  flags: { json: toggle("Print one JSON object") },
  args: [NAME],
  examples: ["postbox shm stat /table", "postbox shm stat /table --json"],
  load: () => import("./shm_stat.ts"),
});

const dump = command<DumpFlags, [name: string]>({
  brief: "Show the fields of a region",
  description:
    "Prints the fields of a region by their names, each as it is now; of locks, what can be seen of\n" +
    "them. The schema is the one that its creator left in it. It changes and locks nothing.",
  flags: {
    hex: toggle("The bytes of each field, as a hexdump"),
    json: toggle("Print one JSON object: 64-bit integers as texts, bytes in hexadecimal"),
    owner,
  },
  args: [NAME],
  examples: [
    "postbox shm dump /stats",
    "postbox shm dump /stats --hex",
    "postbox shm dump /stats --json",
  ],
  load: () => import("./shm_dump.ts"),
});

const unlink = command<Record<never, never>, string[]>({
  brief: "Take away the names of objects",
  description:
    "Takes away the names. The memory itself goes when the last process that has it mapped\n" +
    "lets go. A name that is refused is reported and the others are still taken away; then exits\n" +
    "with 1.",
  args: [NAME],
  many: true,
  examples: ["postbox shm unlink /table", "postbox shm unlink /inbox /outbox"],
  load: () => import("./shm_unlink.ts"),
});

/** `postbox shm …` */
export const shm = group(
  "Shared memory",
  "POSIX shared memory: shm_overview(7).",
  { create, write, read, ls, stat, dump, unlink },
  [
    "postbox shm create /table 0",
    "postbox shm write /table Qkrq!",
    "postbox shm read /table",
    "postbox shm unlink /table",
  ],
);
