/** The runtimes beside Deno that the tests run on, from the npm registry. */

import { execute } from "../npm/execute.ts";
import type { Runner } from "./counts.ts";
import { isSupportedNode, OLDEST_NODE } from "./node_version.ts";

/** A runtime that is installed. */
export interface Runtime {
  name: string;
  version: string;
  /** The words that run a test file. */
  testCommand: (file: string) => [string, ...string[]];
  /** Whose summary that prints. */
  runner: Runner;
}

/** The supported ones; `node` is the machine's own. The last of Node's is the newest. */
export const RUNTIMES = ["node", "node20", "node22", "node24", "node26", "bun"] as const;

/** The name of a runtime. */
export type RuntimeName = (typeof RUNTIMES)[number];

/** Bun's version; Node's are the newest of their lines. */
const BUN_VERSION = "1.4.5";

/** Why a runtime cannot be had; undefined where it can. Only the machine's own may be too old. */
export async function missingRuntime(name: RuntimeName): Promise<string | undefined> {
  if (name !== "node") return undefined;
  const version = (await execute("node", ["--version"])).trim();
  if (isSupportedNode(version)) return undefined;
  return `the machine's Node is ${version}, expected ${OLDEST_NODE}`;
}

/**
 * Gets a runtime into a folder.
 *
 * The npm packages `node` and `bun` install these platform packages by a script, which npm may be
 * told not to run.
 */
export async function install(name: RuntimeName, folder: string): Promise<Runtime> {
  if (name === "node") return await nodeAt("node", (await execute("which", ["node"])).trim());
  const bun = name === "bun";
  const version = bun ? BUN_VERSION : name.slice("node".length);
  const packageName = bun
    ? `@oven/bun-linux-${Deno.build.arch === "x86_64" ? "x64" : "aarch64"}`
    : `node-linux-${Deno.build.arch === "x86_64" ? "x64" : "arm64"}`;
  await Deno.writeTextFile(`${folder}/package.json`, `{ "private": true }`);
  await execute("npm", ["install", "--no-audit", "--no-fund", `${packageName}@${version}`], {
    cwd: folder,
  });
  const path = `${folder}/node_modules/${packageName}/bin/${bun ? "bun" : "node"}`;
  return bun ? await bunAt(path) : await nodeAt(name, path);
}

async function nodeAt(name: string, path: string): Promise<Runtime> {
  return {
    name,
    version: `Node ${(await execute(path, ["--version"])).trim()}`,
    testCommand: (file) => [path, "--test-reporter=spec", file],
    runner: "node",
  };
}

async function bunAt(path: string): Promise<Runtime> {
  return {
    name: "bun",
    version: `Bun ${(await execute(path, ["--version"])).trim()}`,
    testCommand: (file) => [path, "test", file],
    runner: "bun",
  };
}
