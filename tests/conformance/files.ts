/** Files for the rows on mapping: they end with the scope, and are read back by other means. */

/** A file of its own with this text, gone at the end of the scope. */
export function temporaryFile(text: string): Disposable & { path: string } {
  const path = Deno.makeTempFileSync({ prefix: "postbox-conformance-" });
  Deno.writeTextFileSync(path, text);
  return { path, [Symbol.dispose]: () => Deno.removeSync(path) };
}

/** What this process has mapped at an address, as /proc/self/maps tells: `rw-s`, or undefined. */
export function permissionsAt(address: bigint): string | undefined {
  for (const line of Deno.readTextFileSync("/proc/self/maps").split("\n")) {
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
  const mappings = Deno.readTextFileSync("/proc/self/smaps").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const own = mappings.filter((text) => text.split("\n")[0]!.endsWith(` ${path}`));
  if (own.length === 0) throw new Error(`${path} is not mapped`);
  return own.reduce(
    (sum, text) => sum + kilobytes(text, "Shared_Dirty") + kilobytes(text, "Private_Dirty"),
    0,
  );
}
