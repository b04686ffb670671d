/** `postbox map cat` */

import { MappedFile } from "../../src/shm/mod.ts";
import { forEach } from "../each.ts";
import type { Flags } from "../parser.ts";
import { write } from "../stdio.ts";

/** What is given to write(2) at a time, so that a reader gets something soon. */
const CHUNK_BYTES = 1024 * 1024;

export default async function cat(_flags: Flags, ...paths: string[]): Promise<number> {
  return await forEach(paths, copy);
}

function copy(path: string): void {
  const file = MappedFile.open(path, { mapping: "private" });
  try {
    const { bytes } = file;
    for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) {
      write(bytes.subarray(at, at + CHUNK_BYTES));
    }
  } finally {
    file.close();
  }
}
