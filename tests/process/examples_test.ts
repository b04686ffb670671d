/** The small examples of actors print what they say that they do, with the permissions they name. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { run } from "../support/process.ts";
import { execPath, fileArgs, RUNTIME, siblingUrl } from "../support/runtime.ts";

const FFI_READ = ["--allow-ffi", "--allow-read"];
const FFI_RUN = ["--allow-ffi", "--allow-run"];

const FFI_RUN_TMP = [...FFI_RUN, "--allow-read=/tmp", "--allow-write=/tmp"];

/** What an example needs that not every runtime has; undefined where it is there. */
const NO_SQLITE = await import("node:sqlite").then(
  () => undefined,
  () => "this runtime has no node:sqlite",
);

const BOOKED_ONCE = "the teller was killed by SIGKILL after it had booked the second\n" +
  "4 times a payment was handled\n3 payments are booked, 60 cents\n";

const PRINTED: [
  example: string,
  permissions: string[],
  printed: string,
  missing?: string | undefined,
][] = [
  ["counter", FFI_RUN, "42, counted in another process\n"],
  ["pool", FFI_READ, "12 hashes by 3 workers\nthe first is 30e14955ebf13522…\n"],
  [
    "stream",
    FFI_READ,
    "10 × 10 = 100\n11 × 11 = 121\n12 × 12 = 144\n13 × 13 = 169\n14 × 14 = 196\n" +
    "it made no more than it had credit for\n",
  ],
  [
    "supervision",
    FFI_RUN,
    "worker { jobs: 1, incarnation: 1 } clerk { jobs: 1, incarnation: 1 }\n" +
    "worker threw Error: this cannot be done; another comes\n" +
    "worker { jobs: 0, incarnation: 2 } clerk { jobs: 0, incarnation: 2 }\n",
  ],
  ["once", FFI_RUN, BOOKED_ONCE],
  ["once_sqlite", FFI_RUN_TMP, BOOKED_ONCE, NO_SQLITE],
];

for (const [example, permissions, printed, missing] of PRINTED) {
  test(`examples/${example}.ts prints what it should`, { missing }, async () => {
    const file = new URL(`../../examples/${example}.ts`, import.meta.url);
    const url = siblingUrl(file.href, import.meta.url);
    const { code, stdout, stderr } = await run(execPath(), {
      args: fileArgs(url, { permissions: [...permissions, "--no-prompt", "--quiet"] }),
      env: { NO_COLOR: "1" },
    });
    assertEquals([code, withoutColours(stdout)], [0, printed], stderr);
    if (RUNTIME !== "deno") return;
    assertStringIncludes(
      readFileSync(fileURLToPath(file), "utf8"),
      `\n *     deno run ${permissions.join(" ")} examples/${example}.ts\n`,
    );
  });
}

/** Some runtimes colour objects all the same. */
function withoutColours(text: string): string {
  // deno-lint-ignore no-control-regex -- the colours
  return text.replace(/\x1b\[\d+m/g, "");
}
