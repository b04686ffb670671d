/** What this process has of the kernel, as /proc counts it. */

import { readdirSync } from "node:fs";

/** How many descriptors are open. */
export function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

/** How many threads there are. */
export function threads(): number {
  return readdirSync("/proc/self/task").length;
}
