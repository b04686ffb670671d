/**
 * Waiting for a descriptor in the event loop of the runtime.
 *
 * Rule: Node's libuv ends the process for a descriptor that cannot be polled, and for one that it watches
 * already. What it gets is therefore a duplicate that is nobody else's, and was tried before.
 */

import { epollCreate, epollCtl } from "./epoll.ts";
import { close, duplicate } from "./file.ts";
import { sys } from "./load.ts";
import type { Watch } from "./port.ts";

export type { Watch };

/**
 * Calls back in a turn of its own as long as a descriptor is readable and the watch is resumed.
 *
 * The watch has a duplicate of the descriptor: what is behind it stays open until `stop()`.
 *
 * @param onReadable Is called again and again until nothing is left to read.
 * @param target What errors call the descriptor.
 * @throws {PosixError} `EBADF` if the descriptor is closed, `EPERM` if it cannot be polled, as a
 * regular file.
 * @see epoll_ctl(2)
 */
export function watchReadable(fd: number, onReadable: () => void, target: string): Watch {
  const library = sys();
  const own = duplicate(fd, "watch", target);
  try {
    checkPollable(own, target);
    const watch = library.watch(own, onReadable);
    let watching = true;
    return {
      ...watch,
      stop() {
        if (!watching) return;
        watching = false;
        // In this order: libuv takes the descriptor out of its epoll set, and then it may go.
        watch.stop();
        close(own, target);
      },
    };
  } catch (error) {
    close(own, target);
    throw error;
  }
}

/** Asks an epoll set of ours, as libuv asks its own. */
function checkPollable(fd: number, target: string): void {
  const set = epollCreate(target);
  try {
    epollCtl(set, "add", fd, { events: 0, data: 0 }, target);
  } finally {
    close(set, target);
  }
}
