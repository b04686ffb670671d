/**
 * Watching a descriptor in the event loop of the runtime, where that takes one: libuv, in Node.
 *
 * Rule: libuv ends the process for a descriptor that cannot be polled, and for one that it watches
 * already. What it gets is therefore a duplicate that is nobody else's, and was tried before.
 */

import { C } from "./abi.ts";
import { check } from "./check.ts";
import { close } from "./file.ts";
import { sys } from "./load.ts";
import type { Watch } from "./port.ts";

export type { Watch };

/**
 * Calls back in a turn of its own as long as a descriptor is readable.
 *
 * The watch has a duplicate of the descriptor: what is behind it stays open until `stop()`.
 *
 * @param onReadable Is called again and again until nothing is left to read.
 * @param target What errors call the descriptor.
 * @returns `undefined` where the runtime's event loop watches no descriptor.
 * @throws {PosixError} `EBADF` if the descriptor is closed, `EPERM` if it cannot be polled, as a
 * regular file.
 * @see epoll_ctl(2)
 */
export function watchReadable(
  fd: number,
  onReadable: () => void,
  target: string,
): Watch | undefined {
  const { watch, c } = sys();
  if (watch === undefined) return undefined;
  const LOWEST = 3; // never in the place of a standard stream that was closed
  const own = check(c.fcntl(fd, C.F_DUPFD_CLOEXEC, LOWEST), "fcntl", "watch", target);
  try {
    checkPollable(own, target);
    const { stop, keepAlive } = watch(own, onReadable);
    let watching = true;
    return {
      stop() {
        if (!watching) return;
        watching = false;
        // In this order: libuv takes the descriptor out of its epoll set, and then it may go.
        stop();
        close(own, target);
      },
      keepAlive(value) {
        if (watching) keepAlive(value);
      },
    };
  } catch (error) {
    close(own, target);
    throw error;
  }
}

const EPOLL_EVENT_MAX_BYTES = 16; // 12 on x86-64; all zeros asks for nothing on either

/** Asks an epoll set of ours, as libuv asks its own. */
function checkPollable(fd: number, target: string): void {
  const { c } = sys();
  const nothing = new Uint8Array(EPOLL_EVENT_MAX_BYTES);
  const epoll = check(c.epoll_create1(C.EPOLL_CLOEXEC), "epoll_create1", "watch", target);
  try {
    check(c.epoll_ctl(epoll, C.EPOLL_CTL_ADD, fd, nothing), "epoll_ctl", "watch", target);
  } finally {
    close(epoll, target);
  }
}
