/**
 * Makes the npm package from the same source: `deno task npm`.
 *
 * ```text
 * deno pack      .ts to .js and .d.ts, import specifiers, npm dependencies
 * types.ts       what the .d.ts lack then
 * manifest.ts    what package.json lacks
 * postbox.js     the command
 * koffi.ts       koffi, with its binaries for Linux
 * native.ts      the native driver, where that is wanted
 * npm pack       the tarball, the same bytes whenever the same source is packed
 * ```
 *
 * Rule: nothing in the package tells where it was built.
 */

import { fileURLToPath } from "node:url";
import { execute } from "./execute.ts";
import { vendorKoffi } from "./koffi.ts";
import { completed } from "./manifest.ts";
import { carryNative, checkNative } from "./native.ts";
import { completedTypes } from "./types.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Where the tarball goes; git ignores it. */
export const DIST: string = `${ROOT}npm/dist`;

const HELP = `Makes the npm package.

Usage: deno task npm [--out FOLDER] [--native FILE]

Options
  --out FOLDER    where the tarball goes (default npm/dist)
  --native FILE   carries this native driver, which deno task native built on this machine; it is used
                  by who chooses it
  --help          this

Examples
  deno task npm
  npm install ./npm/dist/postbox-postbox-*.tgz   (then, in a project)

Prints the path of the tarball.`;

/**
 * Builds the package and gives the path of its tarball.
 *
 * @param native The native driver that it carries; without one none.
 */
export async function build(out: string = DIST, native?: string): Promise<string> {
  const work = await Deno.makeTempDir({ prefix: "postbox-npm-" });
  try {
    await execute(
      Deno.execPath(),
      ["pack", "--quiet", "--no-source-maps", "--allow-dirty", "--output", `${work}/packed.tgz`],
      { cwd: ROOT },
    );
    await execute("tar", ["-xzf", `${work}/packed.tgz`, "-C", work]);
    const folder = `${work}/package`;
    for (const file of filesIn(folder)) {
      if (!file.endsWith(".d.ts")) continue;
      const source = await Deno.readTextFile(ROOT + file.replace(/\.d\.ts$/, ".ts"));
      const types = await Deno.readTextFile(`${folder}/${file}`);
      await Deno.writeTextFile(`${folder}/${file}`, completedTypes(types, source));
    }
    const manifest = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
    if (native !== undefined) await carryNative(native, folder, manifest);
    await Deno.writeTextFile(
      `${folder}/package.json`,
      `${JSON.stringify(completed(manifest), null, 2)}\n`,
    );
    await Deno.mkdir(`${folder}/bin`);
    await Deno.copyFile(`${ROOT}npm/postbox.js`, `${folder}/bin/postbox.js`);
    await vendorKoffi(`${folder}/node_modules/koffi`);
    // npm packs the permissions that this user's umask left.
    for (const file of filesIn(folder)) {
      await Deno.chmod(`${folder}/${file}`, file.startsWith("bin/") ? 0o755 : 0o644);
    }
    await Deno.mkdir(out, { recursive: true });
    await execute("npm", ["pack", folder, "--pack-destination", out]);
    return `${out}/${tarballName(manifest)}`;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** The files under a folder, by their paths from it. */
function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(`${folder}/${name}`).map((path) => `${name}/${path}`) : [name]
  );
}

/** What npm calls the tarball of a scoped package. */
function tarballName({ name, version }: { name: string; version: string }): string {
  return `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
}

async function main(args: string[]): Promise<number> {
  if (args[0] === "--help" || args[0] === "-h") {
    console.log(HELP);
    return 0;
  }
  const values: { "--out"?: string; "--native"?: string } = {};
  for (let index = 0; index < args.length; index += 2) {
    const option = args[index]!, value = args[index + 1];
    if ((option !== "--out" && option !== "--native") || value === undefined) {
      console.error(
        `Cannot build with ${args.join(" ")}: expected nothing, --out FOLDER or --native FILE`,
      );
      return 2;
    }
    values[option] = value;
  }
  const native = values["--native"];
  try {
    if (native !== undefined) checkNative(native);
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
  console.log(await build(values["--out"], native));
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
