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
  /** @param path `null` is everything that the process has loaded, Node itself included. */
  load(path: string | null): NativeLibrary;
  errno(): number;
  address(view: Uint8Array): bigint;
  view(address: bigint, byteLength: number): ArrayBuffer;
  proto(result: string, parameters: string[]): CallbackType;
  pointer(type: CallbackType): CallbackType;
  node: {
    /** `napi_env` of this thread. */
    env: unknown;
    poll(fd: number, events: { readable?: boolean }, callback: () => void): PollHandle;
  };
}

interface NativeLibrary {
  func(name: string, result: string, parameters: (string | CallbackType)[]): CFunction;
}

/** The type of a pointer to a function of C, which a function of JavaScript can stand for. */
type CallbackType = { readonly callback: unique symbol };

type CFunction = (...values: unknown[]) => number | bigint;

/** `uv_poll_t` of libuv. */
interface PollHandle {
  close(): void;
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

/** What a handle's data is until its descriptor is ready; libuv puts a status in its place then. */
const QUIET = 1;

/**
 * Waits in libuv, by a handle that koffi makes and that Node closes when the thread ends.
 *
 * LINUX: Node goes through its event loop once more when a program or a worker ends, and what koffi
 * has libuv call for a handle that is ready then ends the process, for JavaScript cannot be called
 * any more. (So do koffi's own methods, from the moment in which a worker is terminated; its calls
 * of C do not.) So libuv gets one of its own functions to call, which puts its second argument, the
 * status, into the handle's data, and an immediate that keeps nothing running looks there each turn.
 */
function watchWith(koffi: Koffi) {
  let uv: ReturnType<typeof libuv> | undefined;
  return (fd: number, onReadable: () => void): Watch => {
    uv ??= libuv(koffi);
    const { ref, unref, setData, getData, start, stop, onReady } = uv;
    const handle = koffi.node.poll(fd, {}, () => {});
    const address = uv.handleOf(fd);
    watching.add(handle);
    unref(address);
    let started = false, wanted = false, looking = false;

    function resume(): void {
      wanted = true;
      ref(address);
      if (started) return;
      started = true;
      setData(address, QUIET);
      start(address, UV_READABLE, onReady);
      if (!looking) lookNextTurn();
    }

    function lookNextTurn(): void {
      looking = true;
      setImmediate(look, wanted).unref();
    }

    /** @param wasWanted A turn ago: who is served often waits again before the next. */
    function look(wasWanted: boolean): void {
      looking = false;
      if (!watching.has(handle)) return;
      if (!wanted && !wasWanted) {
        started = false;
        stop(address);
        return;
      }
      if (getData(address) !== QUIET) {
        setData(address, QUIET);
        onReadable();
        if (!watching.has(handle)) return;
      }
      lookNextTurn();
    }

    return {
      resume() {
        if (watching.has(handle)) resume();
      },
      pause() {
        wanted = false;
        if (watching.has(handle)) unref(address);
      },
      stop() {
        if (watching.delete(handle)) handle.close();
      },
      isParked: () => false,
    };
  };
}

/** uv.h */
const UV_READABLE = 1;

/** The functions of libuv that Node has, and what a watch needs of them. */
function libuv(koffi: Koffi) {
  const node = koffi.load(null);
  keepLoaded(node);
  const dlsym = node.func("dlsym", "intptr_t", ["intptr_t", "void*"]);
  const RTLD_DEFAULT = 0;
  const visitor = koffi.pointer(koffi.proto("void", ["intptr_t", "intptr_t"]));
  const walk = node.func("uv_walk", "void", ["intptr_t", visitor, "intptr_t"]);
  const fileno = node.func("uv_fileno", "int32_t", ["intptr_t", "void*"]);
  const loopOf = node.func("napi_get_uv_event_loop", "int32_t", ["void*", "void*"]);
  const loop = new BigInt64Array(1);
  if (loopOf(koffi.node.env, loop) !== 0) {
    throw new Error("Cannot watch a descriptor: Node has no event loop here, expected libuv's");
  }
  return {
    /** void uv_ref(uv_handle_t *handle) */
    ref: node.func("uv_ref", "void", ["intptr_t"]),
    /** void uv_unref(uv_handle_t *handle) */
    unref: node.func("uv_unref", "void", ["intptr_t"]),
    /** int uv_poll_start(uv_poll_t *handle, int events, uv_poll_cb cb) */
    start: node.func("uv_poll_start", "int32_t", ["intptr_t", "int32_t", "intptr_t"]),
    /** int uv_poll_stop(uv_poll_t *poll) */
    stop: node.func("uv_poll_stop", "int32_t", ["intptr_t"]),
    /** void uv_handle_set_data(uv_handle_t *handle, void *data) */
    setData: node.func("uv_handle_set_data", "void", ["intptr_t", "intptr_t"]),
    /** void *uv_handle_get_data(const uv_handle_t *handle): the half that a status has */
    getData: node.func("uv_handle_get_data", "int32_t", ["intptr_t"]),
    /** The address of uv_handle_set_data() as a uv_poll_cb(uv_poll_t *, int status, int events). */
    onReady: dlsym(RTLD_DEFAULT, new TextEncoder().encode("uv_handle_set_data\0")),
    /** The address of the handle that has a descriptor. */
    handleOf(fd: number): number | bigint {
      let found: number | bigint = 0;
      const its = new Int32Array(1);
      walk(loop[0], (handle: number | bigint) => {
        if (fileno(handle, its) === 0 && its[0] === fd) found = handle;
      }, 0);
      if (found !== 0) return found;
      throw new Error("Cannot watch a descriptor: koffi made no handle for it, expected one");
    },
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
