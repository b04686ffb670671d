/**
 * Every test with the native driver: those of its crate, also under a sanitizer, then the groups of
 * tools/test.ts with the driver chosen by the environment. `deno task test:native`.
 *
 * What the arguments say goes to tools/test.ts: `deno task test:native api`.
 */

import { fileURLToPath } from "node:url";
import { execute } from "../npm/execute.ts";
import { buildNative, cargo, CRATE, testSanitized, whyNotBuildable } from "./native.ts";

/** Those that the driver can change; what is in the npm package does not depend on it. */
const GROUPS = ["process", "native", "api", "conformance", "doc", "node"];

async function main(args: string[]): Promise<number> {
  const missing = await whyNotBuildable();
  if (missing !== undefined) {
    console.error(`Cannot test the native driver: ${missing}, expected that of https://rustup.rs`);
    return 2;
  }
  const path = await buildNative();
  await execute("cargo", ["fmt", "--check"], { cwd: CRATE });
  console.log(await cargo("clippy", "--release", "--all-targets", "--locked", "--", "-Dwarnings"));
  console.log(await cargo("test", "--release", "--locked"));
  console.log("Under AddressSanitizer");
  console.log(await testSanitized());
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      fileURLToPath(new URL("./test.ts", import.meta.url)),
      ...(args.length > 0 ? args : GROUPS),
    ],
    env: { POSTBOX_NATIVE: path },
  });
  return (await command.spawn().status).code;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
