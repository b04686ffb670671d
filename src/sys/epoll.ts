/** sys/epoll.h: one thin function per C function. Convert, call, check. */

import { C, machine } from "./abi.ts";
import { check, refused } from "./check.ts";
import { ERRNO } from "./errno.ts";
import { sys } from "./load.ts";

/** epoll_create1(2) */
export function epollCreate(target: string): number {
  return check(sys().c.epoll_create1(C.EPOLL_CLOEXEC), "epoll_create1", "wait for", target);
}

/** What {@linkcode epollCtl} does to an interest. */
export type EpollOperation = "add" | "change" | "remove";

const OPERATIONS: Record<EpollOperation, number> = {
  add: C.EPOLL_CTL_ADD,
  change: C.EPOLL_CTL_MOD,
  remove: C.EPOLL_CTL_DEL,
};

let known: ReturnType<typeof machine>["epoll_event"] | undefined;

/** Where the fields are on this machine. */
function layout() {
  return known ??= machine().epoll_event;
}

const event = new Uint8Array(16), eventView = new DataView(event.buffer);

/**
 * epoll_ctl(2)
 *
 * @param interest The events, and 32 bits that come back with them.
 * @returns Whether it was done: false when the set does not have the descriptor that is to be
 * changed or removed, or has the one that is to be added; also for one that is to be removed and
 * is closed.
 */
export function epollCtl(
  set: number,
  operation: EpollOperation,
  fd: number,
  interest: { events: number; data: number },
  target: string,
): boolean {
  const at = layout();
  eventView.setUint32(at.events, interest.events, true);
  eventView.setUint32(at.data, interest.data, true);
  const { c, errno } = sys();
  if (c.epoll_ctl(set, OPERATIONS[operation], fd, event) === 0) return true;
  const number = errno();
  if (number === ERRNO.ENOENT || number === ERRNO.EEXIST) return false;
  if (number === ERRNO.EBADF && operation === "remove") return false;
  throw refused(number, "epoll_ctl", "wait for", target);
}

/** What is ready, as epoll_wait(2) tells it. */
export class EpollEvents {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #capacity: number;

  /** @param capacity How many are taken at once. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#bytes = new Uint8Array(layout().bytes * capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** epoll_wait(2) without waiting: how many are ready. */
  take(set: number, target: string): number {
    return check(
      sys().c.epoll_wait(set, this.#bytes, this.#capacity, 0),
      "epoll_wait",
      "wait for",
      target,
    );
  }

  /** The events of one that is ready. */
  events(index: number): number {
    const { bytes, events } = layout();
    return this.#view.getUint32(index * bytes + events, true);
  }

  /** The 32 bits that its interest was given. */
  data(index: number): number {
    const { bytes, data } = layout();
    return this.#view.getUint32(index * bytes + data, true);
  }
}
