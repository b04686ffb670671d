/** The `map` commands: what they take and how they are explained. */

import { command, group } from "../parser.ts";

const cat = command<Record<never, never>, string[]>({
  brief: "Copy files to standard output",
  description:
    "Copies regular files to standard output through private mappings, one after the other.\n" +
    "A file that is refused is reported and the others are still copied; then exits with 1. A file\n" +
    "that somebody truncates meanwhile ends the process.",
  args: [{ placeholder: "FILE", brief: "a regular file" }],
  many: true,
  examples: ["postbox map cat /etc/passwd", "postbox map cat /etc/passwd /etc/group | wc -c"],
  load: () => import("./map_cat.ts"),
});

/** `postbox map …` */
export const map = group(
  "Mapped files",
  "Files seen as memory: mmap(2).",
  { cat },
  ["postbox map cat /etc/passwd"],
);
