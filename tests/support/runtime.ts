/**
 * The runtime that the tests run in: where its files are, and how another of it is started.
 *
 * Rule: beside the harness, the one place where the tests do something else on another runtime; a
 * test may only expect something else, by `RUNTIME`. Under Deno they run from the checkout; under
 * Node and Bun as JavaScript in a folder of its own, in which the npm package is installed
 * (tools/mirror.ts makes it), so `src/` is the package's there.
 */

import { createRequire } from "node:module";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { environment } from "../../src/sys/load.ts";

/** The runtimes that the tests know. */
export type Runtime = "deno" | "node" | "bun";

/** The one that runs them now. */
export const RUNTIME: Runtime = "Deno" in globalThis
  ? "deno"
  : "Bun" in globalThis
  ? "bun"
  : "node";

/** The root of the checkout, or of the folder that stands for it; ends in a slash. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

/**
 * What a program of ours may do under Deno: FFI and nothing else. Elsewhere there is no such. Where
 * the environment chooses the native driver, that is what it may read of it.
 */
export const FFI_ONLY: readonly string[] = [
  "--allow-ffi",
  "--no-prompt",
  "--quiet",
  ...(environment("POSTBOX_NATIVE") ? ["--allow-env=POSTBOX_NATIVE"] : []),
];

/** The runtime's own executable. */
export function execPath(): string {
  return process.execPath;
}

/** A module of the library by its path from the root, as in `mod.ts`: a URL to import it by. */
export function moduleUrl(path: string): string {
  if (RUNTIME === "deno") return pathToFileURL(`${ROOT}${path}`).href;
  const compiled = path.replace(/\.ts$/, ".js");
  return pathToFileURL(`${ROOT}node_modules/@postbox/postbox/${compiled}`).href;
}

/** A file of the tests by its path from the file that names it (`import.meta.url`), as a URL. */
export function siblingUrl(path: string, importer: string): string {
  const { href } = new URL(path, importer);
  return RUNTIME === "deno" ? href : href.replace(/\.ts$/, ".js");
}

/** Why a test that is about Deno itself, or about tools that are Deno programs, runs there alone. */
export const NO_DENO: Partial<Record<Runtime, string>> = {
  node: "it is about Deno, or about what runs on it",
  bun: "it is about Deno, or about what runs on it",
};

/** Why a test of the npm package's build and its consumers runs under Deno alone. */
export const BUILT_BY_DENO: Partial<Record<Runtime, string>> = {
  node: "the npm package is built by Deno",
  bun: "the npm package is built by Deno",
};

/** How a program is started. */
export interface ProgramOptions {
  /** For Deno. @default {FFI alone} */
  permissions?: readonly string[];
  /** Flags for the JavaScript engine, without the leading dashes; V8's, so not under Bun. */
  v8Flags?: readonly string[];
}

/** The arguments of the runtime that run a file, given as a URL. The program's own follow. */
export function fileArgs(url: string, options: ProgramOptions = {}): string[] {
  return [...flags(options), RUNTIME === "deno" ? url : fileURLToPath(url)];
}

/**
 * TypeScript given as text, with what it imports: `"@postbox/postbox"` becomes the library's URL,
 * and `"@postbox/postbox/src/sys/load.ts"` that of one of its files.
 */
export function linked(code: string): string {
  return code.replace(
    /"@postbox\/postbox(?:\/([\w./]+\.ts))?"/g,
    (_, path: string | undefined) => JSON.stringify(moduleUrl(path ?? "mod.ts")),
  );
}

/**
 * The arguments of the runtime that run TypeScript given as text. The program's own follow; it
 * finds them in `process.argv.slice(2)`.
 *
 * The text is {@linkcode linked}.
 */
export function evalArgs(code: string, options: ProgramOptions = {}): string[] {
  const here = linked(code);
  if (RUNTIME === "deno") {
    return [...flags(options), `data:application/typescript,${encodeURIComponent(here)}`];
  }
  // The last word stands where a program's path would.
  if (RUNTIME === "bun") return [...flags(options), "-e", here, "program"];
  return [...flags(options), "--input-type=module", "-e", javaScript(here), "program"];
}

/** The words that run the command `postbox`. */
export function commandLine(): string[] {
  if (RUNTIME === "deno") {
    return [execPath(), "run", "--allow-ffi", "--no-prompt", `${ROOT}cli/main.ts`];
  }
  return [execPath(), `${ROOT}node_modules/@postbox/postbox/bin/postbox.js`];
}

function flags({ permissions = FFI_ONLY, v8Flags = [] }: ProgramOptions): string[] {
  if (RUNTIME === "deno") {
    const engine = v8Flags.length === 0
      ? []
      : [`--v8-flags=${v8Flags.map((flag) => `--${flag}`).join(",")}`];
    // Deno takes the flag once.
    const asked = permissions.includes("--allow-env")
      ? permissions.filter((flag) => !flag.startsWith("--allow-env="))
      : permissions;
    return ["run", ...asked, ...engine, "--config", `${ROOT}deno.json`];
  }
  return RUNTIME === "node" ? v8Flags.map((flag) => `--${flag}`) : [];
}

/** TypeScript as JavaScript that the oldest supported Node reads, `using` included. */
function javaScript(code: string): string {
  const { transformSync } = createRequire(`${ROOT}package.json`)("esbuild");
  return transformSync(code, { loader: "ts", format: "esm", target: "node20" }).code;
}
