/** The runtimes beside Deno that the tests run on, from the npm registry. */

import { execute } from "../npm/execute.ts";

/** A runtime that is installed. */
export interface Runtime {
  name: string;
  version: string;
  /** The words that run a test file. */
  testCommand: (file: string) => [string, ...string[]];
  /** Reads the counts from what it printed for one file. */
  counts: (output: string) => { passed: number; failed: number; notRun: number };
}

/** The supported ones; `node` is the machine's own. The last of Node's is the newest. */
export const RUNTIMES = ["node", "node20", "node22", "node24", "node26", "bun"] as const;

/** The name of a runtime. */
export type RuntimeName = (typeof RUNTIMES)[number];

/** Bun's version; Node's are the newest of their lines. */
const BUN_VERSION = "1.4.5";

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
    counts: (output) => ({
      passed: count(output, /^ℹ pass (\d+)$/m),
      failed: count(output, /^ℹ fail (\d+)$/m) + count(output, /^ℹ cancelled (\d+)$/m),
      notRun: count(output, /^ℹ skipped (\d+)$/m),
    }),
  };
}

async function bunAt(path: string): Promise<Runtime> {
  return {
    name: "bun",
    version: `Bun ${(await execute(path, ["--version"])).trim()}`,
    testCommand: (file) => [path, "test", file],
    counts: (output) => ({
      passed: count(output, /^\s*(\d+) pass$/m),
      failed: count(output, /^\s*(\d+) fail$/m),
      notRun: count(output, /^\s*(\d+) skip$/m),
    }),
  };
}

function count(output: string, pattern: RegExp): number {
  return Number(output.match(pattern)?.[1] ?? 0);
}
