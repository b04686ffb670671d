/**
 * The driver for Node and Bun: koffi's functions on the C library.
 *
 * Rule: koffi is found at the first use, through Node's own resolution and by no import that a
 * tool can see, so nobody who runs Deno downloads it.
 */

import type { Koffi as KoffiOfLibuv } from "./koffi_libuv.ts";
import { watchWith } from "./koffi_watch.ts";
import { nodeHost } from "./node_host.ts";
import { C_LIBRARY, type CTable, type CType } from "./symbols.ts";
import type { Driver, Functions, Library } from "./port.ts";

/** What is used of koffi. */
interface Koffi extends KoffiOfLibuv {
  errno(): number;
  address(view: Uint8Array): bigint;
  view(address: bigint, byteLength: number): ArrayBuffer;
}

type CFunction = ReturnType<ReturnType<Koffi["load"]>["func"]>;

/** What is used of Node's `process`, which Bun has too. */
interface Process {
  versions: { node?: string; bun?: string };
  platform: string;
  arch: string;
  argv: [string, string?];
  env: Record<string, string | undefined>;
  eventNames(): (string | symbol)[];
  cwd(): string;
  getBuiltinModule(name: "node:module"): { createRequire(from: string): Require };
}

interface Require {
  (name: string): unknown;
  /** What was loaded, by the names of the files. */
  cache: Record<string, unknown>;
}

/** Asked for when it is needed: in Deno a look at it loads the whole of its Node compatibility. */
function process(): Process | undefined {
  return (globalThis as unknown as { process?: Process }).process;
}

const KOFFI_TYPES: Record<CType, string> = {
  i32: "int32_t",
  u32: "uint32_t",
  i64: "int64_t",
  size: "size_t",
  buffer: "void*", // a typed array passes its own memory, null is NULL
  address: "intptr_t",
};

const ARCHITECTURES: Record<string, string> = { x64: "x86_64", arm64: "aarch64" };

function createRequire(): Require {
  const { argv, cwd, getBuiltinModule } = process()!;
  // A bundle of CommonJS has no URL of its own; koffi is beside the program then.
  const from = import.meta.url ?? argv[1] ?? `${cwd()}/`;
  return getBuiltinModule("node:module").createRequire(from);
}

function koffi(): Koffi {
  try {
    return createRequire()("koffi") as Koffi;
  } catch (cause) {
    const isMissing = (cause as { code?: string }).code?.endsWith("MODULE_NOT_FOUND");
    const what = isMissing
      ? "the package koffi is missing, expected it inside this package or beside it; install it " +
        "with: npm install koffi"
      : `koffi does not load (${
        (cause as Error).message
      }), expected its binary for this machine; ` +
        "install this package anew";
    throw new Error(
      `Cannot load the C library: ${what}`,
      { cause },
    );
  }
}

function functionsIn<const T extends CTable>(path: string, table: T): Functions<T> {
  const library = koffi().load(path);
  const functions: Record<string, CFunction> = {};
  for (const [key, { symbol, parameters, result, optional }] of Object.entries(table)) {
    const types = parameters.map((parameter) =>
      KOFFI_TYPES[parameter.slice(0, parameter.indexOf(" ")) as CType]
    );
    let call: CFunction;
    try {
      call = library.func(symbol ?? key, KOFFI_TYPES[result], types);
    } catch (cause) {
      if (optional) continue;
      throw cause;
    }
    // koffi gives a Number where a 64-bit value fits into one.
    const small = result === "i32" || result === "u32";
    functions[key] = small ? call : (...values) => BigInt(call(...values));
  }
  // V8 keeps the properties of a prototype as fields; a table this long would else be a hash table
  // that each call looks into.
  return Object.create(functions) as Functions<T>;
}

function load<const T extends CTable>(table: T): Library<T> {
  const found = koffi();
  const { errno, address, view } = found;
  let c: Functions<T>;
  try {
    c = functionsIn(C_LIBRARY, table);
  } catch (cause) {
    throw new Error(
      `Cannot load the C library: ${C_LIBRARY} was not found or lacks a function, expected Linux ` +
        "with glibc 2.34 or later, or musl",
      { cause },
    );
  }
  const isBun = process()!.versions.bun !== undefined;
  return {
    c,
    errno,
    word: Number, // koffi looks for a Number first, and only then for a BigInt
    addressOf: address,
    viewOf: view,
    growClears: isBun,
    loadsWrite: isBun,
    seesInherited: false,
    hearsSignals,
    watch: watchWith(found, isBun, () => Object.keys(createRequire().cache)),
  };
}

/** What the runtimes listen for by themselves, and a program hardly ever while it blocks. */
const RUNTIME_SIGNALS: readonly unknown[] = ["SIGCHLD", "SIGWINCH"];

function hearsSignals(): boolean {
  return process()!.eventNames().some((name) =>
    typeof name === "string" && name.startsWith("SIG") && !RUNTIME_SIGNALS.includes(name)
  );
}

export const koffiDriver: Driver = {
  isPresent: () => process()?.versions.node !== undefined,
  platform: () => ({
    os: process()!.platform,
    arch: ARCHITECTURES[process()!.arch] ?? process()!.arch,
  }),
  load,
  functionsIn,
  environment: (name) => process()!.env[name],
  host: nodeHost,
};
