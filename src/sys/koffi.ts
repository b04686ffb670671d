/**
 * The driver for Node and Bun: koffi's functions on the C library.
 *
 * Rule: koffi is found at the first use, through Node's own resolution and by no import that a
 * tool can see, so nobody who runs Deno downloads it.
 */

import { C, STRUCTS } from "./abi.ts";
import { C_LIBRARY, type CTable, type CType } from "./symbols.ts";
import type { Driver, Functions, Library, Watch } from "./port.ts";

/** What is used of koffi. */
interface Koffi {
  load(path: string): NativeLibrary;
  errno(): number;
  address(view: Uint8Array): bigint;
  view(address: bigint, byteLength: number): ArrayBuffer;
  node: { poll(fd: number, callback: () => void): PollHandle };
}

interface NativeLibrary {
  func(name: string, result: string, parameters: string[]): CFunction;
}

type CFunction = (...values: unknown[]) => number | bigint;

/** `uv_poll_t` of libuv. */
interface PollHandle {
  close(): void;
  ref(): void;
  unref(): void;
}

/** What is used of Node's `process`, which Bun has too. */
interface Process {
  platform: string;
  arch: string;
  argv: [string, string];
  versions: { node?: string; bun?: string };
  eventNames(): (string | symbol)[];
  getBuiltinModule(name: "node:module"): { createRequire(from: string): Require };
}

interface Require {
  (name: string): unknown;
  /** What was loaded, by path. */
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
  const { argv, getBuiltinModule } = process()!;
  // A bundle of CommonJS has no URL of its own; koffi is beside the program then.
  const from = import.meta.url ?? argv[1];
  return getBuiltinModule("node:module").createRequire(from);
}

function koffi(): Koffi {
  try {
    return createRequire()("koffi") as Koffi;
  } catch (cause) {
    const { platform, arch } = process()!;
    throw new Error(
      `Cannot load the C library: the package koffi is missing or has nothing for ${platform} on ` +
        `${arch}, expected it beside this package; install it with: npm install koffi`,
      { cause },
    );
  }
}

function load<const T extends CTable>(table: T): Library<T> {
  const found = koffi();
  const { load, errno, address, view } = found;
  const functions: Record<string, CFunction> = {};
  try {
    const library = load(C_LIBRARY);
    for (const [key, { symbol, parameters, result }] of Object.entries(table)) {
      const types = parameters.map((parameter) =>
        KOFFI_TYPES[parameter.slice(0, parameter.indexOf(" ")) as CType]
      );
      const call = library.func(symbol ?? key, KOFFI_TYPES[result], types);
      // koffi gives a Number where a 64-bit value fits into one.
      const small = result === "i32" || result === "u32";
      functions[key] = small ? call : (...values) => BigInt(call(...values));
    }
  } catch (cause) {
    throw new Error(
      `Cannot load the C library: ${C_LIBRARY} was not found or lacks a function, expected Linux ` +
        "with glibc 2.34 or later, or musl",
      { cause },
    );
  }
  return {
    // V8 keeps the properties of a prototype as fields; a table this long would else be a hash table
    // that each call looks into.
    c: Object.create(functions) as Functions<T>,
    errno,
    word: Number, // koffi looks for a Number first, and only then for a BigInt
    addressOf: address,
    viewOf: view,
    growClears: process()!.versions.bun !== undefined,
    hearsSignals,
    // LINUX: Bun ends the process in uv_poll, which it does not have.
    watch: process()!.versions.bun === undefined ? watchWith(found) : watchByTimer(found),
  };
}

/** What the runtimes listen for by themselves, and a program hardly ever while it blocks. */
const RUNTIME_SIGNALS: readonly unknown[] = ["SIGCHLD", "SIGWINCH"];

function hearsSignals(): boolean {
  return process()!.eventNames().some((name) =>
    typeof name === "string" && name.startsWith("SIG") && !RUNTIME_SIGNALS.includes(name)
  );
}

/** Handles that are open: one that is collected stops without a word. */
const watching = new Set<PollHandle>();

function watchWith({ load, node }: Koffi) {
  let kept = false;
  return (fd: number, onReadable: () => void): Watch => {
    if (!kept) keepLoaded(load(C_LIBRARY));
    kept = true;
    let told = false;
    const tell = () => {
      told = false;
      if (watching.has(handle)) onReadable();
    };
    // Not in the callback itself: Node 26 does not run microtasks after it.
    const handle = node.poll(fd, () => {
      if (told) return;
      told = true;
      setImmediate(tell);
    });
    handle.unref();
    watching.add(handle);
    return {
      resume() {
        if (watching.has(handle)) handle.ref();
      },
      pause() {
        if (watching.has(handle)) handle.unref();
      },
      stop() {
        if (watching.delete(handle)) handle.close();
      },
      isParked: () => false,
    };
  };
}

/** How often a runtime whose event loop takes no descriptor looks at one. */
const LOOK_EVERY_MS = 2;

function watchByTimer({ load }: Koffi) {
  const poll = load(C_LIBRARY).func("poll", "int32_t", ["void*", "size_t", "int32_t"]);
  return (fd: number, onReadable: () => void): Watch => {
    const { bytes, fd: at, events } = STRUCTS.pollfd;
    const pollfd = new Uint8Array(bytes), view = new DataView(pollfd.buffer);
    view.setInt32(at, fd, true);
    view.setInt16(events, C.POLLIN, true);
    let timer: ReturnType<typeof setInterval> | undefined, stopped = false;
    const look = () => {
      if (poll(pollfd, 1, 0) === 1) onReadable();
    };
    const pause = () => {
      clearInterval(timer);
      timer = undefined;
    };
    return {
      resume() {
        if (!stopped) timer ??= setInterval(look, LOOK_EVERY_MS);
      },
      pause,
      stop() {
        stopped = true;
        pause();
      },
      isParked: () => false,
    };
  };
}

/**
 * Keeps koffi's code in memory for ever.
 *
 * LINUX: when a worker ends with a watch, Node unloads koffi first, and libuv then closes the
 * watch's handle by a function of koffi's that is gone: SIGSEGV. See dlopen(3), RTLD_NODELETE.
 */
function keepLoaded(library: NativeLibrary): void {
  const dlopen = library.func("dlopen", "intptr_t", ["void*", "int32_t"]);
  const flags = C.RTLD_NOW | C.RTLD_NOLOAD | C.RTLD_NODELETE;
  // A program that uses koffi itself may have another copy of it: all that are loaded stay.
  const paths = Object.keys(createRequire().cache).filter((path) => path.endsWith("koffi.node"));
  const kept = paths.filter((path) =>
    Number(dlopen(new TextEncoder().encode(`${path}\0`), flags)) !== 0
  );
  if (kept.length > 0) return;
  throw new Error(
    `Cannot watch a descriptor: koffi's code is in none of [${paths}], expected its koffi.node`,
  );
}

export const koffiDriver: Driver = {
  isPresent: () => process()?.versions.node !== undefined,
  platform: () => ({
    os: process()!.platform,
    arch: ARCHITECTURES[process()!.arch] ?? process()!.arch,
  }),
  load,
};
