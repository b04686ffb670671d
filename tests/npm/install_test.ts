/** The ways in which the package is installed, and what happens where koffi is missing. */

import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { temporaryFolder } from "../support/process.ts";
import { BUILT_BY_DENO } from "../support/runtime.ts";
import {
  assertWorks,
  INSTALL,
  json,
  ownProject,
  type Program,
  project,
  runIn,
  sharedProject,
  start,
  succeed,
  tarball,
  tools,
} from "./support.ts";

const PACKAGE = "node_modules/@postbox/postbox";

test(
  "npm install brings the package and its three dependencies",
  { not: BUILT_BY_DENO },
  async () => {
    const folder = await sharedProject();
    await assertWorks(folder);
    const visible = readdirSync(`${folder}/node_modules`).filter((name) => !name.startsWith("."));
    assertEquals(visible.sort(), ["@msgpack", "@postbox", "@stricli"]);
    assertEquals(readdirSync(`${folder}/${PACKAGE}/node_modules`), ["koffi"]);
  },
);

/** Asserts that a command in a project, which is `postbox`, lists the queues. */
async function assertLists(cwd: string, command: string, ...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await start(command, [...args, "mq", "ls"], { cwd });
  assertEquals(code, 0, stderr);
  assertMatch(stdout + stderr, /\b\d+ queues?, found /);
}

test("npx postbox runs the command", { not: BUILT_BY_DENO }, async () => {
  const folder = await sharedProject();
  const options = { cwd: folder };
  await assertLists(folder, "npx", "--no-install", "postbox");
  JSON.parse(await succeed("npx", ["--no-install", "postbox", "limits", "--json"], options));
  const { code, stderr } = await start("npx", ["--no-install", "postbox", "mq", "send"], options);
  assertEquals(code, 2, stderr);
});

test("npm install --global brings the command", { not: BUILT_BY_DENO }, async () => {
  using folder = temporaryFolder();
  await succeed("npm", [...INSTALL, "--global", "--prefix", folder.path, await tarball()]);
  const { version } = json("deno.json");
  assertEquals(await succeed(`${folder.path}/bin/postbox`, ["--version"]), `${version}\n`);
  await assertLists(folder.path, `${folder.path}/bin/postbox`);
});

test("npm install --omit=optional is enough", { not: BUILT_BY_DENO }, async () => {
  using folder = await ownProject("--omit=optional", await tarball());
  await assertWorks(folder.path);
});

test("npm install --ignore-scripts is enough", { not: BUILT_BY_DENO }, async () => {
  using folder = await ownProject("--ignore-scripts", await tarball());
  await assertWorks(folder.path);
});

test(
  "npm install works in a folder with spaces and an umlaut in its name",
  { not: BUILT_BY_DENO },
  async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/a größer folder`;
    mkdirSync(path);
    await project(path, await tarball());
    await assertWorks(path);
    await assertLists(path, "npx", "--no-install", "postbox");
  },
);

test("npm refuses to install on a system that is not Linux", { not: BUILT_BY_DENO }, async () => {
  using folder = temporaryFolder();
  writeFileSync(`${folder.path}/package.json`, `{ "private": true }`);
  const preload = `${folder.path}/darwin.cjs`;
  writeFileSync(preload, `Object.defineProperty(process, "platform", { value: "darwin" });`);
  const { code, stderr } = await start("npm", [...INSTALL, await tarball()], {
    cwd: folder.path,
    env: { NODE_OPTIONS: `--require=${preload}` },
  });
  assertMatch(stderr, /EBADPLATFORM[^]*"os":"linux"/);
  assert(code !== 0 && !existsSync(`${folder.path}/node_modules`));
});

test("pnpm install is enough", { not: BUILT_BY_DENO }, async () => {
  const pnpm = `${await tools("pnpm")}/node_modules/.bin/pnpm`;
  using folder = temporaryFolder();
  writeFileSync(`${folder.path}/package.json`, `{ "private": true }`);
  const options = { cwd: folder.path };
  const store = `${folder.path}/store`;
  await succeed(pnpm, ["add", "--prefer-offline", "--store-dir", store, await tarball()], options);
  await assertWorks(folder.path);
  await assertLists(folder.path, pnpm, "exec", "postbox");
});

/** Tells before and after the first use whether koffi's binary is in the process. */
const WHEN_LOADED: Record<string, Program> = {
  import: {
    extension: "mjs",
    text: `
      import { readFileSync } from "node:fs";
      import { MessageQueue } from "@postbox/postbox";
      import "@postbox/postbox/mq";
      import "@postbox/postbox/shm";
      import "@postbox/postbox/cli";
      const loaded = () => readFileSync("/proc/self/maps", "utf8").includes("koffi");
      const before = loaded();
      MessageQueue.limits();
      console.log(before, loaded());
    `,
  },
  require: {
    extension: "cjs",
    text: `
      const { readFileSync } = require("node:fs");
      const { MessageQueue } = require("@postbox/postbox");
      require("@postbox/postbox/mq");
      require("@postbox/postbox/shm");
      require("@postbox/postbox/cli");
      const loaded = () => readFileSync("/proc/self/maps", "utf8").includes("koffi");
      const before = loaded();
      MessageQueue.limits();
      console.log(before, loaded());
    `,
  },
};

for (const [way, program] of Object.entries(WHEN_LOADED)) {
  test(`koffi is loaded at the first use and not by ${way}`, { not: BUILT_BY_DENO }, async () => {
    const { stdout, stderr } = await runIn(await sharedProject(), program);
    assertEquals(stdout, "false true\n", stderr);
  });
}

test(
  "a missing koffi is told at the first use, with the words that bring it",
  { not: BUILT_BY_DENO },
  async () => {
    using folder = await ownProject(await tarball());
    renameSync(`${folder.path}/${PACKAGE}/node_modules`, `${folder.path}/away`);
    const program: Program = {
      extension: "mjs",
      text: `
      import { MessageQueue } from "@postbox/postbox";
      console.log("imported");
      try {
        MessageQueue.limits();
        console.log("used");
      } catch (error) {
        console.log(error.name, error.message);
      }
    `,
    };
    const refused = await runIn(folder.path, program);
    assertEquals(refused.code, 0, refused.stderr);
    assertMatch(refused.stdout, /^imported\nError Cannot load the C library: .* koffi .*expected/);
    const words = refused.stdout.match(/install it with: npm (.+)\n/)![1]!.split(" ");
    assertEquals(words, ["install", "koffi"]);

    await succeed("npm", [...words, "--prefer-offline", "--no-audit", "--no-fund"], {
      cwd: folder.path,
    });
    assertEquals((await runIn(folder.path, program)).stdout, "imported\nused\n");
    await assertWorks(folder.path);
  },
);

test(
  "the command says the same of a missing koffi, and ends with 1",
  { not: BUILT_BY_DENO },
  async () => {
    using folder = await ownProject(await tarball());
    renameSync(`${folder.path}/${PACKAGE}/node_modules`, `${folder.path}/away`);
    const { code, stderr } = await start("npx", ["--no-install", "postbox", "mq", "ls"], {
      cwd: folder.path,
    });
    assertMatch(stderr, /install it with: npm install koffi/);
    assertEquals(code, 1);
  },
);

test("the package uses its own koffi beside another one", { not: BUILT_BY_DENO }, async () => {
  using folder = await ownProject("koffi@3.3.3", await tarball());
  await assertWorks(folder.path);
  const { stdout, stderr } = await runIn(folder.path, {
    extension: "mjs",
    text: `
      import { readFileSync } from "node:fs";
      import { MessageQueue } from "@postbox/postbox";
      MessageQueue.limits();
      const maps = readFileSync("/proc/self/maps", "utf8").split("\\n");
      const paths = maps.filter((line) => line.endsWith("koffi.node"));
      console.log(new Set(paths.map((line) => line.slice(line.indexOf("/")))));
    `,
  });
  assertStringIncludes(stdout, "@postbox/postbox/node_modules/koffi/build/koffi/", stderr);
  assertEquals(stdout.match(/koffi\.node/g)?.length, 1, stdout);
});
