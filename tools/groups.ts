/** The groups of tests: what is in each, and what it may do. */

import { type RuntimeName, RUNTIMES } from "./runtimes.ts";

/** A group that runs under Deno, from the checkout. */
export interface DenoGroup {
  name: string;
  what: string;
  /** For `deno test`. */
  args: string[];
}

const FFI_ONLY = ["--allow-ffi", "--no-prompt"];

/** The folders of `tests/` that are named as those of `src/`, and need no more than the library. */
const ROOMS = ["sys", "wait", "mq", "shm", "layout", "sync", "ring", "region"];

/** Those under Deno. */
export const DENO_GROUPS: readonly DenoGroup[] = [
  {
    name: "api",
    what: "the library, with --allow-ffi and nothing else",
    args: [...FFI_ONLY, "tests/errors_test.ts", ...ROOMS.map((room) => `tests/${room}`)],
  },
  {
    name: "doc",
    what: "the examples in the documentation, with --allow-ffi and nothing else",
    args: ["--doc", "--preload=tests/support/loaded.ts", ...FFI_ONLY, "mod.ts", "src", "cli"],
  },
  {
    name: "process",
    what: "other processes: C, Python, the command line, the tools",
    args: ["-A", "tests/process", "tests/cli", "tests/tools"],
  },
  {
    name: "conformance",
    what: "the POSIX assertions",
    args: ["-A", "tests/conformance"],
  },
  {
    name: "npm",
    what: "the npm package: what is in it, and who can use it",
    args: ["-A", "tests/npm"],
  },
];

/** The names of all; a runtime's is that of the group that runs on it. */
export const GROUP_NAMES: readonly string[] = [
  ...DENO_GROUPS.map(({ name }) => name),
  ...RUNTIMES,
];

/**
 * What runs when no group is named: everything under Deno and on the machine's own Node, and the
 * library alone on the newest.
 */
export const DEFAULT: readonly string[] = [
  ...DENO_GROUPS.map(({ name }) => name),
  "node",
  "node26",
];

/** The files that a runtime runs when no group is named; all of them where it is not here. */
export const DEFAULT_FILES: Readonly<Partial<Record<RuntimeName, readonly string[]>>> = {
  node26: [...ROOMS, "life"].map((room) => `tests/${room}`),
};
