/**
 * Which folder may import which. The lint plugin beside this file reads the table, so the editor,
 * `deno lint` and CI all say the same. A new edge is one line here, where a reviewer sees it.
 */

/** Per room of `src/`, the rooms whose door (`mod.ts`) it may use. */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  sys: ["errors"],
  native: ["sys"],
  wait: ["sys", "errors"],
  life: ["sys", "wait", "errors"],
  mq: ["sys", "wait", "errors"],
  shm: ["sys", "wait", "errors"],
  layout: ["errors"],
  sync: ["sys", "wait", "layout", "errors"],
  ring: ["sys", "wait", "sync", "layout", "errors"],
  region: ["sys", "shm", "layout", "sync", "life", "wait", "errors"],
  actor: ["life", "mq", "shm", "sync", "ring", "layout", "region", "wait", "errors"],
  bridge: ["actor", "life", "mq", "shm", "sync", "ring", "layout", "region", "wait", "errors"],
};

/** Inner doors beside `mod.ts`: what rooms above need and no user gets, and which rooms. */
export const INNER_DOORS: Readonly<Record<string, readonly string[]>> = {
  "mq/inside.ts": ["actor"],
  "ring/inside.ts": ["actor"],
  "shm/inside.ts": ["region", "actor"],
  "life/inside.ts": ["actor"],
};

/** Folders beside `src/` that use the library as its users do: by its entry points. */
export const OUTSIDE: readonly string[] = ["cli", "examples", "bench"];

/** The entry points, from the root of the checkout. */
export const ENTRY_POINTS: readonly string[] = [
  "mod.ts",
  "src/mq/mod.ts",
  "src/shm/mod.ts",
  "src/region/mod.ts",
  "src/sync/mod.ts",
  "src/ring/mod.ts",
  "src/actor/mod.ts",
  "src/bridge/nats.ts",
  "cli/main.ts",
];

/** Rooms that users reach by `mod.ts` alone. */
export const IN_MOD_ALONE: readonly string[] = ["src/life/mod.ts", "src/native.ts"];

/** What measures a part that no entry point has for itself. */
export const MEASURES_INSIDE: Readonly<Record<string, readonly string[]>> = {
  "bench/ts/actor_payload.ts": ["src/actor/memory/directory.ts", "src/actor/memory/slab.ts"],
  "bench/ts/native_checksum.ts": ["src/actor/wire/crc32c.ts"],
};

/** The one file of the library that may say `Deno`. */
export const DENO_DRIVER = "src/sys/deno.ts";

/** The one file that may name an external module, per module. */
export const EXTERNALS: Readonly<Record<string, string>> = {
  "cli/parser.ts": "npm:@stricli/core@",
  "src/actor/wire/message_pack.ts": "npm:@msgpack/msgpack@",
};

/** What is wrong with one file importing another, or undefined. Paths are from the root. */
export function importProblem(from: string, specifier: string): string | undefined {
  const top = from.split("/")[0]!;
  const inLibrary = top === "src" || top === "cli" || from === "mod.ts";
  if (!inLibrary && !OUTSIDE.includes(top)) return undefined;
  if (!specifier.startsWith(".")) return externalProblem(from, specifier, inLibrary);

  const target = resolve(from, specifier);
  if (top !== "src") {
    if (!target.startsWith("src/") || ENTRY_POINTS.includes(target)) return undefined;
    if (from === "mod.ts" && IN_MOD_ALONE.includes(target)) return undefined;
    if (MEASURES_INSIDE[from]?.includes(target)) return undefined;
    return `${from} uses the library by its entry points, not by ${target}`;
  }
  const [room, file] = roomOf(from), [targetRoom, targetFile] = roomOf(target);
  if (!target.startsWith("src/")) return `src/ does not import ${target}: layers point down`;
  if (room === targetRoom) return undefined;
  if (!(LAYERS[room] ?? []).includes(targetRoom)) {
    return `${room}/ may not import ${targetRoom}/ (tools/layers.ts says what it may)`;
  }
  if (INNER_DOORS[`${targetRoom}/${targetFile}`]?.includes(room)) return undefined;
  if (targetFile !== "mod.ts" && targetFile !== "") {
    return `${room}/${file} goes through ${targetRoom}/mod.ts, not ${targetFile}`;
  }
  return undefined;
}

function externalProblem(from: string, specifier: string, inLibrary: boolean): string | undefined {
  if (specifier.startsWith("node:")) return undefined;
  if (!inLibrary) return undefined;
  const allowed = EXTERNALS[from];
  if (allowed !== undefined && specifier.startsWith(allowed)) return undefined;
  return `"${specifier}" is not relative: a file of src/ or cli/ must load by plain URL (the one ` +
    "file that wraps an external module is named in tools/layers.ts)";
}

/** Room and file: `src/mq/list.ts` is ["mq", "list.ts"], `src/errors.ts` is ["errors", ""]. */
function roomOf(path: string): [string, string] {
  const [, room = "", ...rest] = path.split("/");
  return [room.replace(/\.ts$/, ""), rest.join("/")];
}

function resolve(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}
