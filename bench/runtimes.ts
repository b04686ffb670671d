/**
 * What Postbox is measured on: Deno from this checkout, Node from the npm package.
 *
 * ```text
 * bench/build/node24/home/             Node
 * bench/build/npm-HASH/node_modules/   the npm package of the source with that hash
 *                      bench/ts/       the loops as JavaScript
 * ```
 *
 * Rule: what is measured is the source as it is now. It is packed anew when it changed.
 */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import process from "node:process";
import { BUILD, type Command, execute, HERE, kept } from "./program.ts";

/** The runtimes, as the goals name them. */
export type RuntimeName = "deno" | "node";

/** A runtime with Postbox in it. */
export interface Runtime {
  name: RuntimeName;
  /** Its name for people. */
  title: string;
  /** How the tables call Postbox on it. */
  label: string;
  /** Versions of the runtime and its engine. */
  version: string;
  /** The command for bench/ts/NAME.ts, with the permissions that the library needs. */
  loop(name: string, ...args: string[]): Command;
  /** The same with every permission: for what is measured beside Postbox. */
  other(name: string, ...args: string[]): Command;
  /** The command `postbox`. */
  postbox(...args: string[]): Command;
}

/** Node, and where it is: for what must be compiled for it. */
export interface Node extends Runtime {
  /** The folder with `bin/` and `include/`. */
  home: string;
}

const ROOT = `${HERE}../`;

/** This runtime. */
export const DENO: Runtime = {
  name: "deno",
  title: "Deno",
  label: "Postbox, Deno",
  version: `Deno ${process.versions.deno}, V8 ${process.versions.v8}`,
  loop: (name, ...args) => deno("--allow-ffi", `${HERE}ts/${name}.ts`, ...args),
  other: (name, ...args) => deno("--allow-all", `${HERE}ts/${name}.ts`, ...args),
  postbox: (...args) => deno("--allow-ffi", `${ROOT}cli/main.ts`, ...args),
};

function deno(permission: string, path: string, ...args: string[]): Command {
  return [process.execPath, "run", "--quiet", "--no-prompt", permission, path, ...args];
}

/** Gets Node 24, and the package into a folder, unless they are there already. */
export async function node(): Promise<Node> {
  const home = `${await kept("node24", fetchNode)}/home`;
  const executable = `${home}/bin/node`;
  const folder = await kept(`npm-${sourceHash()}`, fillPackageFolder);
  const versions = JSON.parse(execute([executable, "-p", "JSON.stringify(process.versions)"]));
  const { KOFFI_VERSION } = await import("../npm/koffi.ts");
  const loop = (name: string, ...args: string[]): Command => [
    executable,
    `${folder}/bench/ts/${name}.js`,
    ...args,
  ];
  return {
    name: "node",
    title: "Node",
    label: "Postbox, Node",
    version: `Node ${versions.node}, V8 ${versions.v8}, koffi ${KOFFI_VERSION}`,
    home,
    loop,
    other: loop,
    postbox: (...args) => [
      executable,
      `${folder}/node_modules/@postbox/postbox/bin/postbox.js`,
      ...args,
    ],
  };
}

async function fetchNode(folder: string): Promise<void> {
  console.error("Getting Node 24 (kept in bench/build)");
  const { install } = await import("../tools/runtimes.ts");
  const [path] = (await install("node24", folder)).testCommand("");
  symlinkSync(path.slice(folder.length + 1).replace(/\/bin\/node$/, ""), `${folder}/home`);
}

async function fillPackageFolder(folder: string): Promise<void> {
  console.error("Making the npm package (kept in bench/build until the source changes)");
  removeOldPackages();
  const { build } = await import("../npm/build.ts");
  const { translate } = await import("../tools/mirror.ts");
  const tarball = await build(folder);
  writeFileSync(`${folder}/package.json`, JSON.stringify({ private: true, type: "module" }));
  execute(["npm", "install", "--no-audit", "--no-fund", tarball], { cwd: folder });
  await translate(folder, filesIn("bench/ts"));
}

/** Changes whenever something does that the package, or a loop, is made from. */
function sourceHash(): string {
  const hash = createHash("sha256");
  const files = ["mod.ts", "deno.json", "deno.lock", "tools/mirror.ts"];
  for (const folder of ["src", "cli", "npm", "bench/ts"]) files.push(...filesIn(folder));
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(`${ROOT}${file}`));
  return hash.digest("hex").slice(0, 16);
}

/** Source files of a folder, by their paths from the root. */
function filesIn(folder: string): string[] {
  return (readdirSync(`${ROOT}${folder}`, { recursive: true }) as string[])
    .filter((file) => /\.(ts|js|json)$/.test(file))
    .map((file) => `${folder}/${file}`)
    .sort();
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Packages of other sources. What was made today may be in use by another run. */
function removeOldPackages(): void {
  for (const name of readdirSync(BUILD)) {
    const path = `${BUILD}/${name}`;
    if (!name.startsWith("npm-") || Date.now() - statSync(path).mtimeMs < DAY_MS) continue;
    rmSync(path, { recursive: true, force: true });
  }
}
