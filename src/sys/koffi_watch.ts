/**
 * How the event loops of Node and Bun wait for a descriptor.
 *
 * Rule: libuv's `uv_poll`, through koffi, on the main thread of Node alone. koffi calls back even
 * when no JavaScript can run any more, and that aborts the process: at the end of the main thread
 * its handles are closed before, but a worker that is terminated cannot do so. Workers, and Bun,
 * which has no `uv_poll`, look by a timer.
 */

import { C, STRUCTS } from "./abi.ts";
import type { Library, Watch } from "./port.ts";
import { C_LIBRARY } from "./symbols.ts";

/** What is used of koffi here. */
export interface Poller {
  load(path: string): {
    func(
      name: string,
      result: string,
      parameters: string[],
    ): (...values: unknown[]) => number | bigint;
  };
  node: { poll(fd: number, callback: () => void): PollHandle };
}

/** `uv_poll_t` of libuv. */
interface PollHandle {
  close(): void;
  ref(): void;
  unref(): void;
}

/** What is used of `process` here. */
export interface EventLoop {
  versions: { node?: string; bun?: string };
  on(event: "exit", listener: () => void): unknown;
  getBuiltinModule(name: "node:worker_threads"): { isMainThread: boolean };
}

/** The way that this thread has. */
export function watchWith(koffi: Poller, loop: EventLoop): Library<never>["watch"] {
  const { isMainThread } = loop.getBuiltinModule("node:worker_threads");
  const hasPoll = loop.versions.bun === undefined && isMainThread;
  return hasPoll ? (fd, onReadable) => poll(koffi, loop, fd, onReadable) : timed(koffi);
}

/** Handles that are open: one that is collected stops without a word. */
const watching = new Set<PollHandle>();
let closesAtTheEnd = false;

function closeAtTheEnd(loop: EventLoop): void {
  if (closesAtTheEnd) return;
  closesAtTheEnd = true;
  loop.on("exit", () => {
    for (const handle of watching) handle.close();
    watching.clear();
  });
}

function poll(koffi: Poller, loop: EventLoop, fd: number, onReadable: () => void): Watch {
  closeAtTheEnd(loop);
  let told = false;
  const tell = () => {
    told = false;
    if (watching.has(handle)) onReadable();
  };
  // Not in the callback itself: Node 26 does not run microtasks after it.
  const handle = koffi.node.poll(fd, () => {
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
}

/** How soon a timer looks again: after something was there, and at last. */
const FIRST_LOOK_MS = 1, LAST_LOOK_MS = 16;

function timed(koffi: Poller): Library<never>["watch"] {
  const poll = koffi.load(C_LIBRARY).func("poll", "int32_t", ["void*", "size_t", "int32_t"]);
  return (fd: number, onReadable: () => void): Watch => {
    const { bytes, fd: at, events } = STRUCTS.pollfd;
    const pollfd = new Uint8Array(bytes), view = new DataView(pollfd.buffer);
    view.setInt32(at, fd, true);
    view.setInt16(events, C.POLLIN, true);
    let timer: ReturnType<typeof setTimeout> | undefined, stopped = false;
    let ms = FIRST_LOOK_MS;
    const look = () => {
      timer = undefined;
      ms = Math.min(ms * 2, LAST_LOOK_MS);
      resume();
      if (poll(pollfd, 1, 0) !== 1) return;
      ms = FIRST_LOOK_MS;
      onReadable();
    };
    const pause = () => {
      clearTimeout(timer);
      timer = undefined;
    };
    const resume = () => {
      if (!stopped) timer ??= setTimeout(look, ms);
    };
    return {
      resume() {
        ms = FIRST_LOOK_MS;
        resume();
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
