/** The npm package can carry the native driver; a program that chooses it gets it. */

import { mkdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { NATIVE, NEEDS_NATIVE } from "../support/native.ts";
import { run, temporaryFolder } from "../support/process.ts";
import { BUILT_BY_DENO, execPath } from "../support/runtime.ts";

const program = (file: string) => `
  import { MessageQueue, useNative } from "@postbox/postbox";
  import { sys } from "./node_modules/@postbox/postbox/src/sys/load.js";
  if (process.argv[2] === "chosen") {
    useNative(import.meta.resolve("@postbox/postbox/${file}"));
  }
  MessageQueue.limits();
  console.log(sys().native === undefined ? "plain" : "native");
`;

test("a file that is no driver is not packed", { not: BUILT_BY_DENO }, async () => {
  for (const [file, found] of [["/no/such.so", "ENOENT"], ["/etc/passwd", "it is no library"]]) {
    const build = new URL("../../npm/build.ts", import.meta.url).pathname;
    const { code, stdout, stderr } = await run(execPath(), {
      args: ["run", "-A", "--quiet", build, "--native", file!],
    });
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, found!);
  }
});

test(
  "the package carries the driver, and Node uses it when it is chosen",
  {
    ...NEEDS_NATIVE,
    not: BUILT_BY_DENO,
    ...(process.arch !== "x64" && { missing: "the package carries one for x86-64" }),
  },
  async () => {
    const { build } = await import("../../npm/build.ts");
    const { NATIVE_FILE } = await import("../../npm/native.ts");
    using folder = temporaryFolder();
    const tarball = await build(folder.path, NATIVE);
    const place = `${folder.path}/node_modules/@postbox/postbox`;
    mkdirSync(place, { recursive: true });
    const { code } = await run("tar", {
      args: ["-xzf", tarball, "-C", place, "--strip-components=1"],
    });
    assertEquals(code, 0);
    const args = ["--input-type=module", "-e", program(NATIVE_FILE), "program"];
    for (const [choice, expected] of [["", "plain"], ["chosen", "native"]] as const) {
      const { stdout, stderr } = await run("node", {
        args: [...args, choice],
        cwd: folder.path,
        env: { POSTBOX_NATIVE: "" },
      });
      assertEquals(stdout, `${expected}\n`, stderr);
    }
    assertEquals(readFileSync(`${place}/${NATIVE_FILE}`), readFileSync(NATIVE));
    assertStringIncludes(readFileSync(`${place}/package.json`, "utf8"), NATIVE_FILE);
  },
);

test("the driver does not tell where it was built", { ...NEEDS_NATIVE, not: BUILT_BY_DENO }, () => {
  const text = readFileSync(NATIVE, "latin1");
  assertEquals(text.match(/\/(?:root|home|tmp|work)\/[\w./-]+/g), null);
});
