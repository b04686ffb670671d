/** What a child prints, as the runtimes' streams give it, behind one interface. */

import type { Readable } from "node:stream";

/** Reads what somebody prints. */
export interface OutputReader {
  /** The next bytes, whatever lines they are; undefined at the end, and once it is stopped. */
  read(): Promise<Uint8Array | undefined>;
  /** Gives it up, and closes it here, though somebody may print on. */
  stop(): void;
}

/** Reads a stream of `node:stream`. */
export function readerOfNode(stream: Readable): OutputReader {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return {
    async read() {
      try {
        const { value, done } = await chunks.next();
        return done ? undefined : value;
      } catch {
        return undefined; // destroyed: by stop(), or because it cannot be read any more
      }
    },
    stop: () => void stream.destroy(),
  };
}

/** Reads a stream of the web's. */
export function readerOfWeb(stream: ReadableStream<Uint8Array>): OutputReader {
  const reader = stream.getReader();
  return {
    async read() {
      try {
        return (await reader.read()).value;
      } catch {
        return undefined;
      }
    },
    stop() {
      reader.cancel().catch(() => {}); // it cannot be read any more, which is what is wanted
    },
  };
}
