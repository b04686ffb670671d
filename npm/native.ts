/**
 * Puts a native driver into the package: one for the machine that the package is built on, beside
 * which the library works everywhere else without it.
 *
 * Rule: it is a file with a specifier and no more. Nothing in the package loads it by itself.
 */

import { resolve } from "node:path";
import { architecture, bind, functionsIn } from "../src/sys/load.ts";
import { loadNative } from "../src/sys/native.ts";
import { SYMBOLS } from "../src/sys/symbols.ts";
import type { Manifest } from "./manifest.ts";

/** Where it is in the package, and what a program resolves; by processor and C library. */
export const NATIVE_FILE = "native/linux-x64-glibc.so";

/**
 * Refuses what is no driver for this machine and this version.
 *
 * @throws {Error} In the words that a program hears which chooses it.
 */
export function checkNative(path: string): void {
  const platform = () => ({ os: "linux", arch: architecture() });
  loadNative(resolve(path), bind(SYMBOLS), { functionsIn, platform });
}

/** Copies it, and gives it a specifier: `import.meta.resolve("@postbox/postbox/native/…")`. */
export async function carryNative(
  path: string,
  folder: string,
  manifest: Manifest,
): Promise<void> {
  if (Deno.build.arch !== "x86_64") {
    throw new Error(
      `Cannot carry ${path}: this machine is ${Deno.build.arch}, expected x86_64, for which the file ` +
        "has its name",
    );
  }
  await Deno.mkdir(`${folder}/native`);
  await Deno.copyFile(path, `${folder}/${NATIVE_FILE}`);
  manifest.exports = { ...manifest.exports as object, [`./${NATIVE_FILE}`]: `./${NATIVE_FILE}` };
}
