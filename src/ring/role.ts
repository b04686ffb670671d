/**
 * The roles of a ring: to be the consumer, or the producer of a lane. One thread at a time has it.
 */

/** A role that this thread has. */
export class Role {
  readonly #word: Int32Array<SharedArrayBuffer>;

  private constructor(word: Int32Array<SharedArrayBuffer>) {
    this.#word = word;
  }

  /** Takes a role, unless somebody has it. */
  static tryTake(buffer: SharedArrayBuffer, byteOffset: number): Role | undefined {
    const word = new Int32Array(buffer, byteOffset, 1);
    return Atomics.compareExchange(word, 0, 0, 1) === 0 ? new Role(word) : undefined;
  }

  /** Gives it up. */
  release(): void {
    Atomics.store(this.#word, 0, 0);
  }
}
