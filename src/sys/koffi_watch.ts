/**
 * How the event loops of Node and Bun wait for a descriptor.
 *
 * Rule: libuv's `uv_poll` where there is one, that is in Node, and an immediate that looks in each
 * turn whether it told of something. Bun, which has none, looks by a timer.
 */

import { C, STRUCTS } from "./abi.ts";
import { type Koffi, libuv, type PollHandle } from "./koffi_libuv.ts";
import type { Library, Watch } from "./port.ts";
import { C_LIBRARY } from "./symbols.ts";

/** The way that this runtime has. */
export function watchWith(
  koffi: Koffi,
  isBun: boolean,
  loaded: () => readonly string[],
): Library<never>["watch"] {
  if (isBun) return timed(koffi);
  let makeHandle: ReturnType<typeof libuv> | undefined;
  return (fd, onReadable) => polled((makeHandle ??= libuv(koffi, loaded()))(fd), onReadable);
}

// The one that there is when the library is loaded: a test may put a clock of its own in its place.
const { setImmediate } = globalThis;

/** Handles that are open: koffi closes one that is collected. */
const open = new Set<PollHandle>();

/** Watches by a handle of libuv. */
function polled(handle: PollHandle, onReadable: () => void): Watch {
  open.add(handle);
  /** From the first wait on until a turn without any: then looks follow each other. */
  let started = false;
  let wanted = false, looking = false;

  function lookNextTurn(): void {
    looking = true;
    // It neither keeps the program running nor libuv from waiting; the handle does, while wanted.
    setImmediate(look, wanted).unref();
  }

  /** @param wasWanted A turn ago: who is served often waits again before the next. */
  function look(wasWanted: boolean): void {
    looking = false;
    if (!open.has(handle)) return;
    if (!wanted && !wasWanted) {
      started = false;
      handle.stop();
      return;
    }
    try {
      if (handle.wasReady()) onReadable();
    } finally {
      if (open.has(handle)) lookNextTurn();
    }
  }

  return {
    resume() {
      if (!open.has(handle)) return;
      wanted = true;
      handle.ref();
      if (started) return;
      started = true;
      handle.start();
      if (!looking) lookNextTurn();
    },
    pause() {
      wanted = false;
      if (open.has(handle)) handle.unref();
    },
    stop() {
      if (open.delete(handle)) handle.close();
    },
    isParked: () => false,
  };
}

/** How soon a timer looks again: after something was there, and at last. */
const FIRST_LOOK_MS = 1, LAST_LOOK_MS = 16;

function timed(koffi: Koffi): Library<never>["watch"] {
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
