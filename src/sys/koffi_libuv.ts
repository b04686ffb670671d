/**
 * What Node's libuv has, by its own functions: a descriptor is watched and no JavaScript called.
 *
 * Rule: koffi makes the handle of a watch and closes it when its thread ends; libuv is given one of
 * its own functions to call. A function of JavaScript cannot be: when a program or a worker ends,
 * Node goes through its event loop once more, and what koffi then calls ends the process, as do
 * koffi's own methods of the handle from the moment in which a worker is terminated.
 */

import { C } from "./abi.ts";

/** What is used of koffi here. */
export interface Koffi {
  /** @param path `null` is everything that the process has loaded, Node itself included. */
  load(path: string | null): NativeLibrary;
  proto(result: string, parameters: string[]): CallbackType;
  pointer(type: CallbackType): CallbackType;
  node: {
    /** `napi_env` of this thread. */
    env: unknown;
    poll(fd: number, events: { readable?: boolean }, callback: () => void): { close(): void };
  };
}

interface NativeLibrary {
  func(name: string, result: string, parameters: (string | CallbackType)[]): CFunction;
}

/** The type of a pointer to a function of C, which a function of JavaScript can stand for. */
type CallbackType = { readonly callback: unique symbol };

type CFunction = (...values: unknown[]) => number | bigint;

/** uv.h */
const UV_READABLE = 1;

/** What a handle's data is until its descriptor is ready; libuv puts a status in its place then. */
const QUIET = 1;

/** A `uv_poll_t` that watches one descriptor, and keeps the process running while it is told to. */
export interface PollHandle {
  start(): void;
  stop(): void;
  ref(): void;
  unref(): void;
  /** Whether the descriptor was ready since the last call. */
  wasReady(): boolean;
  close(): void;
}

/**
 * Makes handles in the event loop of this thread.
 *
 * @param loaded The files that this thread's modules came from: koffi's own is among them.
 * @throws What koffi throws where Node has no such functions.
 */
export function libuv(koffi: Koffi, loaded: readonly string[]): (fd: number) => PollHandle {
  const node = koffi.load(null);
  keepLoaded(node, loaded);
  const pointer = "intptr_t", status = "int32_t";
  const visitor = koffi.pointer(koffi.proto("void", [pointer, pointer]));
  const uv = {
    /** void uv_walk(uv_loop_t *loop, uv_walk_cb walk_cb, void *arg) */
    walk: node.func("uv_walk", "void", [pointer, visitor, pointer]),
    /** int uv_fileno(const uv_handle_t *handle, uv_os_fd_t *fd) */
    fileno: node.func("uv_fileno", status, [pointer, "void*"]),
    /** void uv_ref(uv_handle_t *handle) */
    ref: node.func("uv_ref", "void", [pointer]),
    /** void uv_unref(uv_handle_t *handle) */
    unref: node.func("uv_unref", "void", [pointer]),
    /** int uv_poll_start(uv_poll_t *handle, int events, uv_poll_cb cb) */
    pollStart: node.func("uv_poll_start", status, [pointer, "int32_t", pointer]),
    /** int uv_poll_stop(uv_poll_t *poll) */
    pollStop: node.func("uv_poll_stop", status, [pointer]),
    /** void uv_handle_set_data(uv_handle_t *handle, void *data) */
    setData: node.func("uv_handle_set_data", "void", [pointer, pointer]),
    /** void *uv_handle_get_data(const uv_handle_t *handle): the half in which a status is */
    getData: node.func("uv_handle_get_data", status, [pointer]),
  };
  const loop = loopOf(node, koffi.node.env);
  // Called as a uv_poll_cb(uv_poll_t *handle, int status, int events), it keeps the status.
  const dlsym = node.func("dlsym", pointer, [pointer, "void*"]);
  const onReady = dlsym(RTLD_DEFAULT, new TextEncoder().encode("uv_handle_set_data\0"));

  /** The address of the handle that has a descriptor; koffi does not tell it. */
  function handleOf(fd: number): number | bigint {
    let found: number | bigint | undefined;
    const its = new Int32Array(1);
    uv.walk(loop, (handle: number | bigint) => {
      if (uv.fileno(handle, its) === 0 && its[0] === fd) found = handle;
    }, 0);
    if (found !== undefined) return found;
    throw new Error("Cannot watch a descriptor: koffi made no handle for it, expected one");
  }

  return (fd) => {
    const made = koffi.node.poll(fd, {}, () => {});
    // SAFETY: there until close(), after which nobody uses it.
    const handle = handleOf(fd);
    uv.unref(handle);
    return {
      start() {
        uv.setData(handle, QUIET);
        uv.pollStart(handle, UV_READABLE, onReady);
      },
      stop: () => void uv.pollStop(handle),
      ref: () => void uv.ref(handle),
      unref: () => void uv.unref(handle),
      wasReady() {
        if (uv.getData(handle) === QUIET) return false;
        uv.setData(handle, QUIET);
        return true;
      },
      close: () => made.close(),
    };
  };
}

/** dlfcn.h */
const RTLD_DEFAULT = 0;

function loopOf(node: NativeLibrary, env: unknown): bigint {
  /** napi_status napi_get_uv_event_loop(napi_env env, struct uv_loop_s **loop) */
  const getLoop = node.func("napi_get_uv_event_loop", "int32_t", ["void*", "void*"]);
  const loop = new BigInt64Array(1);
  if (getLoop(env, loop) === 0) return loop[0]!;
  throw new Error("Cannot watch a descriptor: Node has no event loop here, expected libuv's");
}

/**
 * LINUX: when a worker ends with a watch, Node unloads koffi first, and libuv then closes the
 * watch's handle by a function of koffi's that is gone: SIGSEGV. See dlopen(3), RTLD_NODELETE.
 */
function keepLoaded(node: NativeLibrary, loaded: readonly string[]): void {
  const dlopen = node.func("dlopen", "intptr_t", ["void*", "int32_t"]);
  const flags = C.RTLD_NOW | C.RTLD_NOLOAD | C.RTLD_NODELETE;
  // A program that uses koffi itself may have another copy of it: all that are loaded stay.
  const paths = loaded.filter((path) => path.endsWith("koffi.node"));
  const kept = paths.filter((path) =>
    Number(dlopen(new TextEncoder().encode(`${path}\0`), flags)) !== 0
  );
  if (kept.length > 0) return;
  throw new Error(
    `Cannot watch a descriptor: koffi's code is in none of [${paths}], expected its koffi.node`,
  );
}
