/**
 * How much memory could still be had, by the kernel's own estimate.
 *
 * LINUX: nothing else refuses an object of shared memory that is larger than the machine: its
 * pages are allocated until the out-of-memory killer ends a process, ours or a better one.
 */

import { PosixError } from "../errors.ts";
import { readText } from "../sys/mod.ts";

/** Bytes that the machine, or the control group that we run in, could still give. */
export function availableMemoryBytes(): number {
  return Math.min(machineBytes(), ...controlGroups().map(controlGroupBytes));
}

/** proc(5): MemAvailable is what can be had without swapping. */
function machineBytes(): number {
  const fields = numbers("/proc/meminfo", /^(MemAvailable|SwapFree): +(\d+) kB$/gm);
  const available = fields.get("MemAvailable");
  return available === undefined ? Infinity : (available + (fields.get("SwapFree") ?? 0)) * 1024;
}

/** The folders of our control group (version 2) and of those that it lies in. */
function controlGroups(): string[] {
  const path = readIfThere("/proc/self/cgroup")?.match(/^0::(\/.*)$/m)?.[1];
  if (path === undefined) return [];
  const parts = path.split("/").filter((part) => part !== "");
  return Array.from(
    { length: parts.length + 1 },
    (_, depth) => ["/sys/fs/cgroup", ...parts.slice(0, depth)].join("/"),
  );
}

/** Control groups: the limit less what is used, where cached files do not count as used. */
function controlGroupBytes(folder: string): number {
  const limit = Number(readIfThere(`${folder}/memory.max`) ?? NaN);
  const used = Number(readIfThere(`${folder}/memory.current`) ?? NaN);
  if (!Number.isFinite(limit) || !Number.isFinite(used)) return Infinity; // "max", or the root
  const cached = numbers(`${folder}/memory.stat`, /^(active_file|inactive_file) (\d+)$/gm);
  return limit - used + [...cached.values()].reduce((sum, bytes) => sum + bytes, 0);
}

function numbers(path: string, pattern: RegExp): Map<string, number> {
  const text = readIfThere(path) ?? "";
  return new Map([...text.matchAll(pattern)].map(([, name, value]) => [name!, Number(value)]));
}

function readIfThere(path: string): string | undefined {
  try {
    return readText(path);
  } catch (error) {
    if (error instanceof PosixError) return undefined;
    throw error;
  }
}
