/** The `gc` command: what it takes and how it is explained. */

import { command, toggle } from "../parser.ts";
import type { SweepFlags } from "./gc_sweep.ts";

/** `postbox gc` */
export const gc = command<SweepFlags, string[]>({
  brief: "Remove what dead systems of actors left",
  description:
    "Finds systems whose main process is dead, ends the processes that are still theirs, and takes\n" +
    "away their queues and their memory. A system that lives is never touched; what another user\n" +
    "owns, or what only has such a name, is told. With names, these alone: exits with 1 when one\n" +
    "lives or is not there.",
  flags: {
    dryRun: toggle("Say what would be removed, and remove nothing"),
    json: toggle("Print one JSON object: systems"),
  },
  args: [{ placeholder: "NAME", brief: "a system (default: all)", optional: true }],
  many: true,
  examples: ["postbox gc --dry-run", "postbox gc --dry-run --json shop", "postbox gc shop"],
  load: () => import("./gc_sweep.ts"),
});
