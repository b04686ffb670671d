/**
 * Choosing the native driver.
 *
 * @module
 */

import { chooseNative, shown } from "./sys/mod.ts";

/**
 * Uses the native driver that `deno task native` builds, in this thread and in the actors that it
 * launches in workers and processes: errors that nothing can overwrite, batches of messages in one
 * call, checksums by the processor's instruction, and memory that outlives its truncation by a peer
 * (4096 mappings of a process at a time). Without it everything works, but for the last.
 *
 * The environment variable `POSTBOX_NATIVE` does the same for all threads of a program and for all
 * processes that it starts; in Deno it counts where `--allow-env=POSTBOX_NATIVE` lets it be read.
 * Nothing else chooses: no file is loaded because it lies somewhere.
 *
 * Whether the file can be used is seen at the first use of the library, not here.
 *
 * @example Before anything else
 * ```ts ignore
 * import { useNative } from "@postbox/postbox";
 *
 * useNative("/opt/app/libpostbox_native.so");
 * ```
 *
 * @param path Where the file is: an absolute path, or a URL of a file.
 * @throws {Error} If this thread has used the library already, without it or with another one.
 */
export function useNative(path: string | URL): void {
  const text = path instanceof URL ? path.href : path;
  if (typeof text !== "string") {
    throw new TypeError(
      `Cannot use ${shown(path)} as native driver: expected the path of a file, or its URL`,
    );
  }
  chooseNative(text.startsWith("file://") ? decodeURIComponent(new URL(text).pathname) : text);
}
