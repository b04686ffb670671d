/** The groups of tests: what is in each, and what it may do. */

import { type RuntimeName, RUNTIMES } from "./runtimes.ts";

/** A group that runs under Deno, from the checkout. */
export interface DenoGroup {
  name: string;
  what: string;
  /** For `deno test`. */
  flags: readonly string[];
  /** The files and folders that are in it. */
  paths: readonly string[];
}

/** Where the environment chooses the native driver, that is all of it that may be read. */
const FFI_ONLY = [
  "--allow-ffi",
  "--no-prompt",
  ...(Deno.env.get("POSTBOX_NATIVE") ? ["--allow-env=POSTBOX_NATIVE"] : []),
];

/** The folders of `tests/` that are named as those of `src/`, and need no more than the library. */
const ROOMS = ["sys", "wait", "mq", "shm", "life", "layout", "sync", "ring", "region", "actor"]
  .map((room) => `tests/${room}`);

/** Those under Deno, the longest first: they run side by side. */
export const DENO_GROUPS: readonly DenoGroup[] = [
  {
    name: "process",
    what: "other processes: C, Python, the command line, the tools",
    flags: ["-A"],
    paths: ["tests/process", "tests/cli", "tests/tools"],
  },
  {
    name: "npm",
    what: "the npm package: what is in it, and who can use it",
    flags: ["-A"],
    paths: ["tests/npm"],
  },
  {
    name: "native",
    what: "the native driver, where there is cargo",
    flags: ["-A"],
    paths: ["tests/native"],
  },
  {
    name: "api",
    what: "the library, with --allow-ffi and nothing else",
    flags: FFI_ONLY,
    paths: ["tests/errors_test.ts", ...ROOMS],
  },
  {
    name: "conformance",
    what: "the POSIX assertions",
    flags: ["-A"],
    paths: ["tests/conformance"],
  },
  {
    name: "doc",
    what: "the examples in the documentation, with --allow-ffi and nothing else",
    flags: ["--doc", "--preload=tests/support/doc.ts", ...FFI_ONLY],
    paths: ["mod.ts", "src", "cli"],
  },
];

/** Files that run while nothing else does: they spend what all processes of a user share. */
export const ALONE: readonly string[] = [
  // Bytes of queues, up to a limit: what others have counts, too.
  "tests/process/actor_limits_test.ts",
  "tests/process/limits_test.ts",
  "tests/process/worker_queue_bytes_test.ts",
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
  node26: ROOMS,
};
