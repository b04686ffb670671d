/**
 * Puts koffi into the package, with what it needs on Linux and nothing else.
 *
 * koffi's own package brings its binaries as optional dependencies and builds them from C++ where
 * those were left out; ours has to run after `npm install --omit=optional`, without install
 * scripts and without a compiler (docs/decisions/0007). The folder `build/koffi` is where koffi
 * looks for binaries that come with it.
 *
 * Rule: what goes in comes from packages whose hashes koffi.json has, the first of which is koffi.
 */

import pinned from "./koffi.json" with { type: "json" };
import { execute } from "./execute.ts";

/** The version that the package depends on. */
export const KOFFI_VERSION: string = pinned.version;

/** Files of koffi that it runs from; the rest is C++ and what builds it. */
const FILES = [
  "LICENSE.txt",
  "README.md",
  "index.cjs",
  "index.js",
  "index.d.ts",
  "src/koffi/index.cjs",
  "src/koffi/index.js",
];

/**
 * Where koffi looks before `build/koffi`: for a package of its binary, which may be that of another
 * koffi in the user's project. Here it finds none.
 */
const NO_OTHER_BINARY = {
  "src/koffi/src/static.cjs": "exports.loadStatic = () => null;\n",
  "src/koffi/src/static.js": "export const loadStatic = () => null;\n",
};

/** Makes the folder `koffi` as it goes into the package's node_modules. */
export async function vendorKoffi(folder: string): Promise<void> {
  const work = await Deno.makeTempDir({ prefix: "postbox-koffi-" });
  try {
    const [koffi, ...binaries] = await Promise.all(
      Object.entries(pinned.integrity).map(([name, integrity]) =>
        fetchPackage(name, integrity, work)
      ),
    );
    await Deno.mkdir(`${folder}/src/koffi/src`, { recursive: true });
    for (const file of FILES) await Deno.copyFile(`${koffi}/${file}`, `${folder}/${file}`);
    for (const [file, text] of Object.entries(NO_OTHER_BINARY)) {
      await Deno.writeTextFile(`${folder}/${file}`, text);
    }
    await writeManifest(`${koffi}/package.json`, `${folder}/package.json`);
    for (const source of binaries) await copyBinaries(source, folder);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** Gets a package of the pinned version, compares it with the hash, and unpacks it. */
export async function fetchPackage(name: string, integrity: string, work: string): Promise<string> {
  const spec = `${name}@${pinned.version}`;
  // Offline if it can be: what the cache has is judged by its hash.
  const args = ["pack", spec, "--prefer-offline", "--json", "--pack-destination", work];
  const output = await execute("npm", args);
  const { filename } = describedPackage(JSON.parse(output));
  const file = `${work}/${filename}`;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", await Deno.readFile(file)));
  const found = `sha512-${digest.toBase64()}`;
  if (found !== integrity) {
    throw new Error(`Cannot use ${spec}: its hash is ${found}, expected ${integrity}`);
  }
  const folder = `${work}/${filename}.d`;
  await Deno.mkdir(folder);
  await execute("tar", ["-xzf", file, "-C", folder, "--strip-components=1"]);
  return folder;
}

/** npm prints a list, and from version 12 on an object by package. */
function describedPackage(printed: unknown): { filename: string } {
  return Object.values(printed as object)[0];
}

/** koffi's own words, without the steps of its installation. */
async function writeManifest(from: string, to: string): Promise<void> {
  const manifest = JSON.parse(await Deno.readTextFile(from));
  delete manifest.scripts;
  delete manifest.optionalDependencies;
  delete manifest.exports["./indirect"];
  await Deno.writeTextFile(to, `${JSON.stringify(manifest, null, 2)}\n`);
}

/** The binaries of one architecture, for glibc and for musl. */
async function copyBinaries(source: string, folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(source)) {
    if (!isDirectory) continue;
    await Deno.mkdir(`${folder}/build/koffi/${name}`, { recursive: true });
    await Deno.copyFile(
      `${source}/${name}/koffi.node`,
      `${folder}/build/koffi/${name}/koffi.node`,
    );
  }
}
