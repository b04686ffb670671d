/**
 * The tests as JavaScript, in a folder of its own, for runtimes that are not Deno.
 *
 * ```text
 * FOLDER/package.json, node_modules/   the npm package, deno-std's assertions, esbuild
 * FOLDER/tests/ examples/ tools/ …     this checkout's files; .ts as .js that Node 20 reads
 * ```
 *
 * An import of `src/`, `cli/` or `mod.ts` becomes one of the installed package, so what is tested
 * is what is published.
 */

import { fileURLToPath } from "node:url";
import * as esbuild from "npm:esbuild@0.28.2";
import { execute } from "../npm/execute.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** What the tests use beside the package, in the versions of this checkout: of deno.json. */
const DEPENDENCIES = { "deno-std": "1.4.0", esbuild: esbuild.version, ...schemaLibraries() };

/** The folders that the tests are in, or look into. */
const FOLDERS = ["tests", "examples", "bench", "tools", "docs"];

/** What is in them, and is no TypeScript to translate: it is Deno's, and no test imports it. */
const DENO_ONLY =
  /^(tools\/(test|groups|run_group|scratch|mirror|runtimes|conformance|layers_lint)\.ts|bench\/ts\/)/;

/** The libraries whose schemas the tests use, in the versions of deno.json. */
function schemaLibraries(): Record<string, string> {
  const { imports } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
  const version = (name: string) => (imports[name] as string).replace(`npm:${name}@`, "");
  return Object.fromEntries(["arktype", "valibot", "zod"].map((name) => [name, version(name)]));
}

/** Installs the package from its tarball into an empty folder and puts the tests beside it. */
export async function mirror(folder: string, tarball: string): Promise<void> {
  await Deno.chmod(folder, 0o755); // for programs of other users
  await Deno.writeTextFile(
    `${folder}/package.json`,
    JSON.stringify({ private: true, type: "module", dependencies: DEPENDENCIES }),
  );
  await execute("npm", ["install", "--no-audit", "--no-fund", tarball], { cwd: folder });
  const files = (await execute("git", ["ls-files", "-co", "--exclude-standard", ...FOLDERS], {
    cwd: ROOT,
  })).trim().split("\n");
  const sources = files.filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));
  await translate(folder, sources.filter((file) => !DENO_ONLY.test(file)));
  for (const file of [...files, "README.md", "deno.json"]) {
    const target = `${folder}/${file}`;
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    await Deno.copyFile(`${ROOT}${file}`, target);
  }
}

/**
 * Files of the checkout, named from its root, as JavaScript under the same paths in a folder in
 * which the package is installed.
 */
export async function translate(folder: string, files: string[]): Promise<void> {
  try {
    await esbuild.build({
      absWorkingDir: ROOT,
      entryPoints: files,
      outbase: ROOT,
      outdir: folder,
      bundle: true, // so that imports can be redirected; each file stays a file
      format: "esm",
      target: "node20.0",
      platform: "node",
      logLevel: "warning",
      plugins: [{
        name: "redirect",
        setup(build) {
          build.onResolve({ filter: /.*/ }, ({ kind, path, importer }) => {
            if (kind === "entry-point") return undefined;
            return { path: redirected(path, importer), external: true };
          });
        },
      }],
    });
  } finally {
    await esbuild.stop();
  }
}

/** Where an import goes in the folder. */
function redirected(specifier: string, importer: string): string {
  if (specifier === "@std/assert") return "deno-std/assert/mod.js";
  if (!specifier.startsWith(".")) return specifier;
  const compiled = specifier.replace(/\.ts$/, ".js");
  const from = importer.slice(ROOT.length);
  const target = new URL(compiled, `file:///${from}`).pathname.slice(1);
  if (!/^(src|cli)\/|^mod\.js$/.test(target)) return compiled;
  const up = "../".repeat(from.split("/").length - 1);
  return `${up || "./"}node_modules/@postbox/postbox/${target}`;
}
