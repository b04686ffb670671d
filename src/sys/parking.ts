/**
 * The memory of a call of poll(2) that is parked in another thread: its two pollfds.
 *
 * Rule: the kernel writes there whenever the call comes back, even when the thread that parked it
 * is long gone. So it is memory of C, and is freed only by somebody who saw the call come back.
 */

import { C, STRUCTS } from "./abi.ts";

/** What no kernel writes: the call is under way. When it comes back, both have been written. */
const UNDER_WAY = -1;

/** The pollfds: the descriptor that is waited for, and the bell that ends the wait. */
export class Parking {
  readonly #view: DataView;

  /** @param memory What is at their address; {@linkcode Parking.bytes} long. */
  constructor(memory: ArrayBuffer) {
    this.#view = new DataView(memory);
  }

  /** How much memory a parked call needs. */
  static bytes(): number {
    return STRUCTS.pollfd.bytes * 2;
  }

  /** Says what is waited for, once. */
  fill(fd: number, bell: number): void {
    const at = STRUCTS.pollfd;
    for (const [index, polled] of [fd, bell].entries()) {
      this.#view.setInt32(index * at.bytes + at.fd, polled, true);
      this.#view.setInt16(index * at.bytes + at.events, C.POLLIN, true);
    }
  }

  /** Right before each call. */
  begin(): void {
    this.#view.setInt16(this.#bellEvents, UNDER_WAY, true);
  }

  /** Whether no call is under way. */
  get isBack(): boolean {
    return this.#view.getInt16(this.#bellEvents, true) !== UNDER_WAY;
  }

  /** After a call: whether the descriptor is ready. */
  get isReady(): boolean {
    return this.#view.getInt16(STRUCTS.pollfd.revents, true) !== 0;
  }

  /** After a call: whether the bell rang. */
  get rang(): boolean {
    return this.#view.getInt16(this.#bellEvents, true) !== 0;
  }

  get #bellEvents(): number {
    return STRUCTS.pollfd.bytes + STRUCTS.pollfd.revents;
  }
}
