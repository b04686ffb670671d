/** What `deno pack` leaves out of package.json. */

import { KOFFI_VERSION } from "./koffi.ts";

/** The part of package.json that is looked at here. */
export interface Manifest {
  name: string;
  version: string;
  dependencies?: Record<string, string>;
  [field: string]: unknown;
}

/** Completes what `deno pack` wrote. */
export function completed(packed: Manifest): Manifest {
  return {
    ...packed,
    description: "POSIX message queues and POSIX shared memory for Deno and Node",
    keywords: ["posix", "mq", "message-queue", "shared-memory", "shm", "ipc", "atomics", "ffi"],
    bin: { postbox: "./bin/postbox.js" },
    engines: { node: ">=20.19" }, // the first of which require() takes modules
    os: ["linux"],
    cpu: ["x64", "arm64"],
    sideEffects: false,
    dependencies: { ...exact(packed.dependencies), koffi: KOFFI_VERSION },
    bundleDependencies: ["koffi"],
  };
}

/** The versions that the tests ran with; `deno pack` writes ranges. */
function exact(dependencies: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(dependencies).map(([name, range]) => [name, range.replace(/^\^/, "")]),
  );
}
