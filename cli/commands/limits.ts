/** The `limits` command: what it takes and how it is explained. */

import { command, toggle } from "../parser.ts";
import type { LimitsFlags } from "./limits_show.ts";

/** `postbox limits` */
export const limits = command<LimitsFlags, []>({
  brief: "Show the kernel's limits, what is used, how to raise them",
  description:
    "Shows the limits that apply to this process, what is used of them now, and how to raise\n" +
    "each. Standard error says when not all queues could be seen. In JSON null means unlimited.",
  flags: { json: toggle("Print one JSON object, by the names of the limits") },
  examples: ["postbox limits", "postbox limits --json"],
  load: () => import("./limits_show.ts"),
});
