/** `postbox shm ls` */

import { SharedMemory } from "../../src/shm/mod.ts";
import type { Flags } from "../parser.ts";
import { note } from "../note.ts";
import { print, printJson } from "../stdio.ts";
import { table } from "../table.ts";
import { octal } from "../values.ts";

/** Flags of `shm ls`. */
export interface ListFlags extends Flags {
  readonly json: boolean | undefined;
}

export default function ls({ json }: ListFlags): number {
  const objects = SharedMemory.list().map((entry) => ({ ...entry, mode: octal(entry.mode) }));
  if (json) {
    printJson({ objects });
    return 0;
  }
  if (objects.length > 0) {
    print(table(
      ["NAME", "BYTES", "ALLOCATED", "MODE", "UID"],
      objects.map(({ name, byteLength, allocatedBytes, mode, uid }) => [
        name,
        byteLength,
        allocatedBytes,
        mode,
        uid,
      ]),
    ));
  }
  note(`${objects.length} ${objects.length === 1 ? "object" : "objects"} in /dev/shm`);
  return 0;
}
