/** Files for the rows on mapping: they end with the scope, and are read back by other means. */

import { readFileSync, writeFileSync } from "node:fs";
import { temporaryFolder } from "../support/process.ts";

/** A file of its own with this text, gone at the end of the scope. */
export function temporaryFile(text: string): Disposable & { path: string } {
  const folder = temporaryFolder();
  const path = `${folder.path}/file`;
  writeFileSync(path, text);
  return { path, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

/** What this process has mapped at an address, as /proc/self/maps tells: `rw-s`, or undefined. */
export function permissionsAt(address: bigint): string | undefined {
  for (const line of readFileSync("/proc/self/maps", "utf8").split("\n")) {
    const found = line.match(/^([0-9a-f]+)-([0-9a-f]+) (\S{4})/);
    if (found === null) continue;
    const [start, end] = [BigInt(`0x${found[1]}`), BigInt(`0x${found[2]}`)];
    if (address >= start && address < end) return found[3];
  }
  return undefined;
}

/** The kilobytes that a field of a text of /proc tells, as in `VmLck:  4 kB`. */
export function kilobytes(text: string, field: string): number {
  const found = text.match(new RegExp(`^${field}:\\s*(\\d+) kB`, "m"));
  if (found === null) throw new Error(`no ${field} there`);
  return Number(found[1]);
}

/** How much of the mappings of a file has not been written to it, of this process. */
export function dirtyKilobytes(path: string): number {
  const mappings = readFileSync("/proc/self/smaps", "utf8").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const own = mappings.filter((text) => text.split("\n")[0]!.endsWith(` ${path}`));
  if (own.length === 0) throw new Error(`${path} is not mapped`);
  return own.reduce(
    (sum, text) => sum + kilobytes(text, "Shared_Dirty") + kilobytes(text, "Private_Dirty"),
    0,
  );
}
