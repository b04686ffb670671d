/**
 * Standard input and output, byte for byte and synchronous: what `write` has come back from is
 * written, so a blocking receive may follow.
 *
 * Rule: loaded only by commands that read or print; `node:fs` is a fifth of a short command's time.
 */

import { fstatSync, readSync, writeSync } from "node:fs";
import { blocking, codeOf } from "./blocking.ts";

const STDIN = 0, STDOUT = 1;
const encoder = new TextEncoder();

/**
 * What a pipe takes whole or not at all (PIPE_BUF, pipe(7)): of more, Deno does not tell how much
 * was written before there was no room.
 */
const PIPE_BYTES = 4096;
let maxBytes: number | undefined;

/** Nobody reads our output any more: the quiet end of a pipeline. */
export class BrokenPipe extends Error {
  /** `BrokenPipe` */
  override readonly name: string = "BrokenPipe";
}

/** Standard output cannot be written to: a full disk, and what else write(2) knows. */
export class OutputError extends Error {
  /** `OutputError` */
  override readonly name: string = "OutputError";
}

/**
 * Writes all the bytes to standard output.
 *
 * @throws {BrokenPipe} If its reader is gone.
 */
export function write(bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength;) {
    try {
      // A file gets all at once: others may append to it too.
      maxBytes ??= fstatSync(STDOUT).isFile() ? Infinity : PIPE_BYTES;
      const length = Math.min(bytes.byteLength - done, maxBytes);
      done += blocking(() => writeSync(STDOUT, bytes, done, length));
    } catch (error) {
      if (codeOf(error) === "EPIPE") throw new BrokenPipe("nobody reads", { cause: error });
      throw new OutputError(`Cannot write to standard output: ${told(error)}`, { cause: error });
    }
  }
}

/** Writes a text and a newline to standard output. */
export function print(text: string): void {
  write(encoder.encode(`${text}\n`));
}

/** Writes one fact as one line of JSON. */
export function printJson(fact: unknown): void {
  print(JSON.stringify(fact));
}

/**
 * Reads standard input to its end, or as far as `maxBytes`, into memory of the runtime's.
 *
 * @returns The chunks and their total: never more than `maxBytes`, whatever comes in.
 */
export function readInput(maxBytes: number): { chunks: Uint8Array[]; byteLength: number } {
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  while (byteLength < maxBytes) {
    const chunk = new Uint8Array(Math.min(64 * 1024, maxBytes - byteLength));
    const length = readInputInto(chunk);
    if (length === 0) break;
    chunks.push(chunk.subarray(0, length));
    byteLength += length;
  }
  return { chunks, byteLength };
}

/** Reads what there is of standard input, as far as there is room; 0 is its end. */
export function readInputInto(into: Uint8Array): number {
  try {
    return blocking(() => readSync(STDIN, into, 0, into.byteLength, null));
  } catch (error) {
    throw new Error(`Cannot read standard input: ${told(error)}`, { cause: error });
  }
}

/** Puts chunks together. */
export function concat(chunks: readonly Uint8Array[], byteLength: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const whole = new Uint8Array(byteLength);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** As the runtime tells it, and the code. */
function told(error: unknown): string {
  return `${error instanceof Error ? error.message : error} (${codeOf(error)})`;
}
