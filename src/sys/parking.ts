/**
 * The memory of a call of poll(2) that is parked in another thread: its two pollfds.
 *
 * Rule: the kernel writes there whenever the call comes back, even when the thread that parked it
 * is long gone. So it is memory of C, and is freed only by somebody who saw the call come back.
 */

import { C, STRUCTS } from "./abi.ts";

const { bytes: POLLFD_BYTES, fd: FD, events: EVENTS, revents: REVENTS } = STRUCTS.pollfd;

/** How much a parked call needs. */
export const PARKING_BYTES = POLLFD_BYTES * 2;

/** What no kernel writes: the call is under way. It writes both places when it comes back. */
const UNDER_WAY = -1;

/** The pollfds: the descriptor that is waited for, and the bell that ends the wait. */
export class Parking {
  readonly #view: DataView;

  /** @param memory What the memory at its address is in JavaScript. */
  constructor(memory: ArrayBuffer) {
    this.#view = new DataView(memory);
  }

  /** Writes what is waited for, before the first call. */
  fill(fd: number, bell: number): void {
    for (const [index, polled] of [fd, bell].entries()) {
      this.#view.setInt32(index * POLLFD_BYTES + FD, polled, true);
      this.#view.setInt16(index * POLLFD_BYTES + EVENTS, C.POLLIN, true);
    }
  }

  /** Right before each call. */
  begin(): void {
    this.#view.setInt16(POLLFD_BYTES + REVENTS, UNDER_WAY, true);
  }

  /** Whether no call is under way. */
  get isBack(): boolean {
    return this.#view.getInt16(POLLFD_BYTES + REVENTS, true) !== UNDER_WAY;
  }

  /** After a call: whether the descriptor is ready. */
  get isReady(): boolean {
    return this.#view.getInt16(REVENTS, true) !== 0;
  }

  /** After a call: whether the bell rang. */
  get rang(): boolean {
    return this.#view.getInt16(POLLFD_BYTES + REVENTS, true) !== 0;
  }
}
