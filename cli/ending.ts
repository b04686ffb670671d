/**
 * The signals that ask for an end: SIGINT and SIGTERM.
 *
 * Left alone they would end the process between taking a message and writing it, so they are
 * listened to, and answered afterwards the way they always are.
 */

const { process } = globalThis;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** How long a signal may take to end us, before the exit code has to tell of it. */
const ENDED_MS = 5000;

/** Listens as long as it is open. */
export class Ending {
  readonly #controller = new AbortController();
  #heard: NodeJS.Signals | undefined;
  readonly #listener = (signal: NodeJS.Signals) => {
    this.#heard = signal;
    this.#controller.abort();
  };

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#listener);
  }

  /** Is aborted when one was heard. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What a shell says of a process that a signal ended, for where it does not. */
  get exitCode(): number {
    return this.#heard === undefined ? 0 : this.#heard === "SIGINT" ? 130 : 143;
  }

  /** Stops listening; a signal that came now has its usual effect, which is the end. */
  async close(): Promise<void> {
    for (const signal of SIGNALS) process.off(signal, this.#listener);
    if (this.#heard === undefined) return;
    process.kill(process.pid, this.#heard);
    // Another thread of the runtime answers, and an exit of ours must not come first.
    if (process.listenerCount(this.#heard) === 0) {
      await new Promise((resolve) => setTimeout(resolve, ENDED_MS));
    }
  }
}
