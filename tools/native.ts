/**
 * Builds the native driver, `deno task native`, and tests what only the crate's own tests reach.
 *
 * Rule: cargo is looked for in PATH and nowhere else. Without it nothing else of the project suffers.
 */

import { fileURLToPath } from "node:url";
import { execute } from "../npm/execute.ts";

/** The folder of the crate. */
export const CRATE: string = fileURLToPath(new URL("../native/", import.meta.url));

/** What deno_bindgen says of the crate; in git, and compared with what it says now. */
export const BINDINGS: string = `${CRATE}bindings.ts`;

/** Where cargo puts the library. */
export const LIBRARY: string = `${CRATE}target/release/libpostbox_native.so`;

const HELP = `Builds the native driver, and writes the bindings that describe it.

Usage: deno task native

Needs cargo (https://rustup.rs) in PATH. Prints the path of the library; a program uses it by
useNative(path), or by the environment: POSTBOX_NATIVE=path.`;

/** Why it cannot be built here, before anything is compiled; undefined where it can. */
export async function whyNotBuildable(): Promise<string | undefined> {
  try {
    await execute("cargo", ["--version"]);
    await cargo("fetch", "--locked");
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "cargo is not in PATH";
    return `cargo cannot fetch its crates: ${(error as Error).message.trim()}`;
  }
}

/** Has cargo build something of the crate. Nothing in the library tells where it was built. */
export async function cargo(command: string, ...args: string[]): Promise<string> {
  const home = Deno.env.get("CARGO_HOME") ?? `${Deno.env.get("HOME")}/.cargo`;
  const flags = [`--remap-path-prefix=${home}=cargo`, `--remap-path-prefix=${CRATE}=native/`];
  const config = `build.rustflags=${JSON.stringify(flags)}`;
  return await execute("cargo", [command, "--config", config, ...args], { cwd: CRATE });
}

/** The flags of the compiler and what goes with them, in which AddressSanitizer looks at each access. */
const SANITIZED = {
  flag: "-Zsanitizer=address",
  env: {
    RUSTC_BOOTSTRAP: "1", // the flag is one of Rust's nightly versions
    ASAN_OPTIONS: "handle_sigbus=0", // that signal is the guard's
  },
};

/**
 * Runs the tests of the crate under AddressSanitizer.
 *
 * @returns What they printed, or what the compiler said where this Rust builds nothing with it.
 * @see https://doc.rust-lang.org/beta/unstable-book/compiler-flags/sanitizer.html
 */
export async function testSanitized(): Promise<string> {
  const host = /^host: (\S+)$/m.exec(await execute("rustc", ["-vV"]))![1]!;
  // With a target of its own, so that what runs in the compiler is not built with it.
  const run = (...more: string[]) =>
    execute(
      "cargo",
      [
        ...["test", "--locked", "--target", host, "--target-dir", "target/sanitized"],
        ...["--config", `build.rustflags=["${SANITIZED.flag}"]`, ...more],
      ],
      { cwd: CRATE, env: SANITIZED.env },
    );
  try {
    await run("--no-run");
  } catch (error) {
    return `Not run, for it cannot be built: ${(error as Error).message}`;
  }
  return await run();
}

/** Builds the library. @returns Its path. */
export async function buildNative(): Promise<string> {
  await cargo("build", "--release", "--locked");
  return LIBRARY;
}

/** Writes what deno_bindgen says of the crate. */
export async function writeBindings(path: string): Promise<void> {
  await cargo("run", "--quiet", "--release", "--locked", "--example", "bindgen", "--", path);
}

async function main(args: string[]): Promise<number> {
  if (args.length > 0) {
    console[args[0] === "--help" || args[0] === "-h" ? "log" : "error"](HELP);
    return args[0] === "--help" || args[0] === "-h" ? 0 : 2;
  }
  const missing = await whyNotBuildable();
  if (missing !== undefined) {
    console.error(
      `Cannot build the native driver: ${missing}, expected one as of https://rustup.rs; everything ` +
        "works without the driver",
    );
    return 2;
  }
  const path = await buildNative();
  await writeBindings(BINDINGS);
  console.log(path);
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
