/**
 * A stream of records through what a user would take instead of a ring; bench/ts/ring.ts is the
 * same through a ring.
 *
 * The measured end asks its peer for so many records and takes them as they come: bytes, for a
 * socket does not know where a record ends.
 */

import { nowNs } from "./clock.ts";
import { numbers, say } from "./loop.ts";

/** What carries bytes, in both directions. */
export interface ByteLink {
  /** Resolves when it may be given the next. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<unknown>;
  /** What has arrived since; `undefined` at the end. */
  read(): Promise<Uint8Array | undefined>;
  close(): void;
}

/** Runs as the measured end, or as its peer, which says itself when it is ready. */
export async function run(role: string, recordBytes: number, link: ByteLink): Promise<void> {
  if (role === "peer") await answer(recordBytes, link);
  else await measure(recordBytes, link);
  link.close();
}

async function measure(recordBytes: number, link: ByteLink): Promise<void> {
  say("ready");
  for (const count of numbers()) {
    const startNs = nowNs();
    await link.write(new Uint8Array(Float64Array.of(count).buffer));
    for (let left = count * recordBytes; left > 0;) left -= (await link.read())!.length;
    say(JSON.stringify({ ns: (nowNs() - startNs) / count }));
  }
}

async function answer(recordBytes: number, link: ByteLink): Promise<void> {
  const record = new Uint8Array(recordBytes).fill(1);
  for (let request; (request = await link.read()) !== undefined;) {
    const [count] = new Float64Array(request.slice().buffer);
    for (let i = 0; i < count!; i++) await link.write(record);
  }
}

/** What arrives by events, until it is read. */
export class Arrivals {
  readonly #pieces: (Uint8Array | undefined)[] = [];
  #reader: ((piece: Uint8Array | undefined) => void) | undefined;

  put(piece: Uint8Array | undefined): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) this.#pieces.push(piece);
    else reader(piece);
  }

  read(): Promise<Uint8Array | undefined> {
    if (this.#pieces.length > 0) return Promise.resolve(this.#pieces.shift());
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }
}
