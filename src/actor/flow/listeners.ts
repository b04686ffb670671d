/**
 * Who wants to be told of something.
 *
 * Rule: one that throws keeps nobody else from being told, nor who tells from going on. What it
 * threw is an uncaught error, as in every other handler of an event.
 */

/** Those who are told; in the order in which they came. */
export class Listeners<T> {
  readonly #all = new Set<{ readonly listener: (value: T) => void }>();

  /** @returns Takes it back. */
  add(listener: (value: T) => void): () => void {
    const entry = { listener };
    this.#all.add(entry);
    return () => void this.#all.delete(entry);
  }

  /** Calls all that there are now. */
  tell(value: T): void {
    for (const { listener } of [...this.#all]) call(listener, value);
  }
}

/** Calls a function of somebody else's. */
export function call<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
