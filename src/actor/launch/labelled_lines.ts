/**
 * What a child prints, cut into lines with the child's label in front.
 *
 * Rule: bytes in, bytes out, and none is lost. A line that gets too long is passed on in pieces, so
 * that a child that never ends its line holds no memory of ours.
 */

/** How long a line may get before a piece of it is passed on, in bytes. */
export const MAX_LINE_BYTES = 16 * 1024;

const NEWLINE = 0x0a;

/** The lines of one stream of one child. */
export class LabelledLines {
  readonly #label: Uint8Array;
  /** The line that has not ended yet, in the chunks that it came in. */
  #open: Uint8Array[] = [];
  #openBytes = 0;

  /** @param label What stands before each line, and before ` | `. */
  constructor(label: string) {
    this.#label = new TextEncoder().encode(`${label} | `);
  }

  /** Takes what was printed, and gives the lines that are complete by now; empty when none is. */
  push(chunk: Uint8Array): Uint8Array {
    const out: Uint8Array[] = [];
    for (let start = 0; start < chunk.byteLength;) {
      const newline = chunk.indexOf(NEWLINE, start);
      const lineEnd = newline === -1 ? chunk.byteLength : newline;
      const end = Math.min(lineEnd, start + MAX_LINE_BYTES - this.#openBytes);
      // A copy: whoever read the chunk may read the next into the same memory.
      this.#open.push(chunk.slice(start, end));
      this.#openBytes += end - start;
      start = end;
      if (end === lineEnd) {
        if (newline === -1) break;
        start++;
      }
      out.push(...this.#take());
    }
    return joined(out);
  }

  /** The last line, if it did not end; empty if it did. */
  end(): Uint8Array {
    return this.#openBytes === 0 ? new Uint8Array(0) : joined(this.#take());
  }

  #take(): Uint8Array[] {
    const line = [this.#label, ...this.#open, Uint8Array.of(NEWLINE)];
    this.#open = [];
    this.#openBytes = 0;
    return line;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
