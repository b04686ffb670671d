/**
 * Which files are counted: walks folders, maps everything, refuses before anything is started.
 *
 * Rule: after `openFiles` every file is mapped and known to be readable by node:fs too.
 */

import { closeSync, openSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { MappedFile } from "../../mod.ts";

/** Folders that hold what others wrote. */
const SKIPPED = new Set([".git", "node_modules"]);

/** The folders of this repository that hold its sources, and what sources are called. */
const SOURCE_FOLDERS = ["src", "cli", "examples", "tests", "tools", "bench", "docs"];
const SOURCE_NAME = /\.(ts|md|c|h|py|rs)$/;
const ROOT_SOURCE_NAME = /\.(ts|md)$/;

/**
 * Most files at once. Each is a mapping of its own in each process, and Linux gives a process
 * 65 530 of them (vm.max_map_count).
 */
export const MAX_FILES = 20_000;

/** The sources of this repository. */
export function ownSources(): string[] {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const paths = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile() && ROOT_SOURCE_NAME.test(entry.name))
    .map((entry) => join(root, entry.name));
  for (const folder of SOURCE_FOLDERS) {
    if (isFolder(join(root, folder))) {
      paths.push(...[...walk(join(root, folder))].filter((path) => SOURCE_NAME.test(path)));
    }
  }
  return paths;
}

/** Files as they are, folders as the regular files in them; symbolic links in them are not followed. */
export function expand(paths: readonly string[]): string[] {
  return paths.flatMap((path) => isFolder(path) ? [...walk(path)] : [resolve(path)]);
}

function isFolder(path: string): boolean {
  // What is not there is refused with all other files, in openFiles().
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function* walk(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true });
  entries.sort((a, b) => a.name < b.name ? -1 : 1);
  for (const entry of entries) {
    const path = resolve(folder, entry.name);
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) yield* walk(path);
    else if (entry.isFile()) yield path;
  }
}

/**
 * Maps all files, the big ones first.
 *
 * @throws {PosixError} If one cannot be mapped. None stays mapped then.
 */
export function openFiles(paths: readonly string[]): MappedFile[] {
  if (paths.length > MAX_FILES) {
    throw new RangeError(
      `Cannot count ${paths.length} files: each is mapped, expected at most ${MAX_FILES}; give ` +
        "fewer, or join small ones",
    );
  }
  const files: MappedFile[] = [];
  try {
    for (const path of paths) {
      files.push(MappedFile.open(path));
      closeSync(openSync(path, "r")); // the serial count will read it like this
    }
  } catch (error) {
    closeFiles(files);
    throw error;
  }
  return files.sort((a, b) => b.byteLength - a.byteLength);
}

/** Closes all files. */
export function closeFiles(files: readonly MappedFile[]): void {
  for (const file of files) file.close();
}
