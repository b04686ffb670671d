/** What is in the npm package, what its package.json promises, and that it can be made again. */

import { existsSync, readdirSync, readFileSync, utimesSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { VERSION } from "../../cli/version.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../assert.ts";
import { test } from "../harness.ts";
import { temporaryFolder } from "../support/process.ts";
import { BUILT_BY_DENO, execPath, ROOT } from "../support/runtime.ts";
import { json, start, succeed, tarball, tools, unpacked } from "./support.ts";

/** The files under a folder of `root`, by their paths from there; the folder's ends in a slash. */
function filesIn(root: string, path = ""): string[] {
  return readdirSync(`${root}/${path}`, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesIn(root, `${path}${entry.name}/`) : [path + entry.name]
  );
}

/** What koffi runs from; the binaries are for both processors and both C libraries. */
const KOFFI = [
  "LICENSE.txt",
  "README.md",
  ...["linux_arm64", "linux_x64", "musl_arm64", "musl_x64"].map((name) =>
    `build/koffi/${name}/koffi.node`
  ),
  "index.cjs",
  "index.d.ts",
  "index.js",
  "package.json",
  "src/koffi/index.cjs",
  "src/koffi/index.js",
  "src/koffi/src/static.cjs",
  "src/koffi/src/static.js",
];

test(
  "the package has the library, the command, documents, koffi, and no more",
  { not: BUILT_BY_DENO },
  async () => {
    const sources = ["mod.ts", ...["src", "cli"].flatMap((folder) => filesIn(ROOT, `${folder}/`))];
    const declarations = filesIn(await unpacked())
      .filter((file) => file.endsWith(".d.ts") && !file.startsWith("node_modules/"));
    assertEquals(
      filesIn(await unpacked()).sort(),
      [
        ...sources.map((file) => file.replace(/\.ts$/, ".js")),
        ...declarations,
        "bin/postbox.js",
        "package.json",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        ...KOFFI.map((file) => `node_modules/koffi/${file}`),
      ].sort(),
    );
    for (const file of declarations) {
      assert(sources.includes(file.replace(/\.d\.ts$/, ".ts")), file);
    }
    for (const file of ["README.md", "CHANGELOG.md", "LICENSE"]) {
      assertEquals(readFileSync(`${await unpacked()}/${file}`), readFileSync(ROOT + file));
    }
  },
);

test(
  "package.json has the command, the engines, the system and koffi",
  { not: BUILT_BY_DENO },
  async () => {
    const manifest = JSON.parse(readFileSync(`${await unpacked()}/package.json`, "utf8"));
    const { version } = json("npm/koffi.json");
    assertEquals(manifest.name, "@postbox/postbox");
    assertEquals(manifest.license, "MIT");
    assertEquals(manifest.type, "module");
    assertEquals(manifest.bin, { postbox: "./bin/postbox.js" });
    assertEquals(manifest.engines, { node: ">=20.19" });
    assertEquals(manifest.os, ["linux"]);
    assertEquals(manifest.sideEffects, false);
    assertEquals(manifest.dependencies.koffi, version);
    assertEquals(manifest.bundleDependencies, ["koffi"]);
    assertEquals(manifest.scripts, undefined);
    const koffi = `${await unpacked()}/node_modules/koffi/package.json`;
    assertEquals(JSON.parse(readFileSync(koffi, "utf8")).version, version);
  },
);

test(
  "package.json has the entry points of deno.json, each with types",
  { not: BUILT_BY_DENO },
  async () => {
    const manifest = JSON.parse(readFileSync(`${await unpacked()}/package.json`, "utf8"));
    const sources: Record<string, string> = json("deno.json").exports;
    assertEquals(Object.keys(manifest.exports), Object.keys(sources));
    for (const [key, source] of Object.entries(sources)) {
      const { types, import: module } = manifest.exports[key];
      assertEquals([types, module], [".d.ts", ".js"].map((end) => source.replace(/\.ts$/, end)));
      assert(
        existsSync(`${await unpacked()}/${types}`) && existsSync(`${await unpacked()}/${module}`),
      );
    }
  },
);

test(
  "the versions of deno.json, of package.json and of the command are one",
  { not: BUILT_BY_DENO },
  async () => {
    const manifest = JSON.parse(readFileSync(`${await unpacked()}/package.json`, "utf8"));
    assertEquals([manifest.version, VERSION], [
      json("deno.json").version,
      json("deno.json").version,
    ]);
  },
);

test(
  "no file of the package tells where it was built, or maps to a source",
  { not: BUILT_BY_DENO },
  async () => {
    const traces = [ROOT.slice(0, -1), homedir(), `${tmpdir()}/`, "file:///", "sourceMappingURL"];
    for (const file of filesIn(await unpacked())) {
      if (file.startsWith("node_modules/koffi/build/")) continue; // other people's binaries
      const text = readFileSync(`${await unpacked()}/${file}`, "utf8");
      assertEquals(traces.filter((trace) => text.includes(trace)), [], file);
    }
  },
);

test(
  "no imported file of the package is missing, and none is TypeScript",
  { not: BUILT_BY_DENO },
  async () => {
    for (const file of filesIn(await unpacked())) {
      if (!/\.(js|d\.ts)$/.test(file) || file.startsWith("node_modules/")) continue;
      const text = readFileSync(`${await unpacked()}/${file}`, "utf8");
      const code = text.replace(/\/\*[^]*?\*\//g, "");
      for (const [, specifier] of code.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]*)"/g)) {
        const target = new URL(specifier!, `file://${await unpacked()}/${file}`);
        assert(target.pathname.endsWith(".js") && existsSync(target), `${file}: ${specifier}`);
      }
    }
  },
);

test(
  "build() gives the same bytes elsewhere, for another umask, clock and zone",
  { not: BUILT_BY_DENO },
  async () => {
    using folder = temporaryFolder();
    const copy = `${folder.path}/a cöpy/postbox`;
    const inputs = [
      "mod.ts",
      "src",
      "cli",
      "npm",
      "deno.json",
      "README.md",
      "CHANGELOG.md",
      "LICENSE",
    ];
    await succeed("sh", [
      "-c",
      `umask 077; mkdir -p "$0"; cp -r --no-preserve=mode,timestamps "$@" "$0"`,
      copy,
      ...inputs,
    ], { cwd: ROOT });
    const longAgo = new Date("2001-02-03T04:05:06Z");
    for (const file of filesIn(copy)) utimesSync(`${copy}/${file}`, longAgo, longAgo);
    const { execute } = await import("../../npm/execute.ts");
    const command = `umask 077; cd "$0"; TZ=Asia/Kathmandu LC_ALL=C exec "$@"`;
    const build = [execPath(), "run", "-A", "npm/build.ts", "--out", `${folder.path}/out`];
    const printed = await execute("sh", ["-c", command, copy, ...build]);
    const [there, here] = [readFileSync(printed.trim()), readFileSync(await tarball())];
    assert(there.equals(here), "the tarballs differ");
  },
);

test(
  "fetchPackage() refuses a package whose hash is not the pinned one",
  { not: BUILT_BY_DENO },
  async () => {
    const { fetchPackage } = await import("../../npm/koffi.ts");
    using folder = temporaryFolder();
    const other = json("npm/koffi.json").integrity["@koromix/koffi-linux-x64"];
    const { message } = await assertRejects(() => fetchPackage("koffi", other, folder.path), Error);
    assertMatch(message, /^Cannot use koffi@[\d.]+: its hash is sha512-.+, expected sha512-/);
    assertEquals(readdirSync(folder.path).filter((name) => !name.endsWith(".tgz")), []);
  },
);

test(
  "publint finds nothing, also when warnings count as errors",
  { not: BUILT_BY_DENO },
  async () => {
    const folder = await tools("publint");
    const printed = await succeed(
      `${folder}/node_modules/.bin/publint`,
      ["run", await tarball(), "--strict"],
    );
    assert(printed.includes("All good!"), printed);
  },
);

test(
  "attw finds nothing but that older Nodes cannot require() modules",
  { not: BUILT_BY_DENO },
  async () => {
    const folder = await tools("@arethetypeswrong/cli");
    const { code, stdout } = await start(
      `${folder}/node_modules/.bin/attw`,
      [await tarball(), "--profile", "esm-only", "--format", "json"],
    );
    assertEquals(code, 0, stdout);
    const problems: { kind: string; resolutionKind: string }[] =
      JSON.parse(stdout).analysis.problems;
    // attw knows no Node that can require() a module (docs/decisions/0007), and node10 no exports.
    assertEquals(
      [...new Set(problems.map(({ kind, resolutionKind }) => `${kind} ${resolutionKind}`))].sort(),
      ["CJSResolvesToESM node16-cjs", "NoResolution node10"],
    );
  },
);
