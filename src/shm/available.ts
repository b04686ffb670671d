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

/** A folder of a control group, and what its files are called there. */
interface ControlGroup {
  folder: string;
  limit: string;
  used: string;
}

/** Our control groups of both versions, and those that they lie in: cgroups(7). */
function controlGroups(): ControlGroup[] {
  const lines = readIfThere("/proc/self/cgroup") ?? "";
  const two = lines.match(/^0::(\/.*)$/m)?.[1];
  const one = lines.match(/^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(\/.*)$/m)?.[1];
  return [
    ...foldersOf("/sys/fs/cgroup", two).map((folder) => ({
      folder,
      limit: "memory.max",
      used: "memory.current",
    })),
    ...foldersOf("/sys/fs/cgroup/memory", one).map((folder) => ({
      folder,
      limit: "memory.limit_in_bytes",
      used: "memory.usage_in_bytes",
    })),
  ];
}

function foldersOf(mount: string, path: string | undefined): string[] {
  if (path === undefined) return [];
  const parts = path.split("/").filter((part) => part !== "");
  return Array.from(
    { length: parts.length + 1 },
    (_, depth) => [mount, ...parts.slice(0, depth)].join("/"),
  );
}

/** The limit less what is used, where cached files do not count as used. */
function controlGroupBytes({ folder, limit, used }: ControlGroup): number {
  const most = Number(readIfThere(`${folder}/${limit}`) ?? NaN);
  const now = Number(readIfThere(`${folder}/${used}`) ?? NaN);
  // Version 2 says "max" for no limit, version 1 a number beyond any memory.
  if (!Number.isFinite(most) || !Number.isFinite(now)) return Infinity;
  const cached = numbers(`${folder}/memory.stat`, /^(active_file|inactive_file) (\d+)$/gm);
  return most - now + [...cached.values()].reduce((sum, bytes) => sum + bytes, 0);
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
