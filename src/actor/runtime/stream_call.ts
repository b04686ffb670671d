/**
 * A stream on the side of who asked for it: the items that came, and room for more.
 *
 * Rule: no more items are on the way than there is room for; who stops early says so.
 */

import type { KindSpec } from "../protocol/protocol.ts";
import { validate } from "../protocol/standard_schema.ts";
import { KIND } from "../wire/frame_layout.ts";
import type { Frame } from "../wire/frame.ts";
import type { CallHost, CallTarget } from "./ask_call.ts";
import type { Call } from "./calls.ts";
import type { ActorKey } from "./incarnations.ts";

/** What a stream needs beside what an ask needs. */
export interface StreamHost extends CallHost {
  /** Tells who serves it that there is room for so many more. */
  credit(sequence: number, count: number): void;
}

/** How many items may be on the way, unless the caller says otherwise. */
export const DEFAULT_STREAM_CREDIT = 16;

/** What came, in its order. */
type Arrived = { value: unknown } | { error: unknown } | { end: true };

/** One stream. */
export class StreamCall implements Call, AsyncIterableIterator<unknown, void, void> {
  key: ActorKey = "";
  label = "";
  incarnation = 0;
  endpoint: number | undefined;
  queue: string | undefined;
  endpointIncarnation = 0;
  isSent = false;
  readonly #host: StreamHost;
  readonly #spec: KindSpec;
  readonly #credit: number;
  readonly #open: (call: StreamCall) => void;
  readonly #arrived: Arrived[] = [];
  #waiting: { resolve(arrived: Arrived): void }[] = [];
  #sequence = 0;
  #taken = 0;
  #state: "new" | "open" | "over" = "new";
  #release: (() => void)[] = [];

  /** @param open Asks for it, and calls {@linkcode StreamCall.begin} before. */
  constructor(
    host: StreamHost,
    spec: KindSpec,
    credit: number,
    open: (call: StreamCall) => void,
  ) {
    this.#host = host;
    this.#spec = spec;
    this.#credit = credit;
    this.#open = open;
  }

  /** It is asked for now, by that number, of that one. */
  begin(sequence: number, { key, label, incarnation, endpoint, queue }: CallTarget): void {
    this.#sequence = sequence;
    this.key = key;
    this.label = label;
    this.incarnation = incarnation;
    this.endpoint = endpoint;
    this.queue = queue;
  }

  /** To be done when the stream ends, however it ends. */
  onEnd(release: () => void): void {
    this.#release.push(release);
  }

  answered(frame: Frame): void {
    if (frame.kind === KIND.ITEM) {
      try {
        this.#arrive({ value: this.#host.decode(this.#spec, frame) });
      } catch (error) {
        this.giveUp(error);
      }
      return;
    }
    this.#host.finish(this.#sequence);
    this.#close();
    this.#arrive(
      frame.kind === KIND.FAILED ? { error: this.#host.decodeError(frame) } : { end: true },
    );
  }

  /** Ends it from this side; what came before is still read. */
  giveUp(reason: unknown): void {
    if (this.#state === "over") return;
    this.#host.abandon(this.#sequence);
    this.failed(reason);
  }

  failed(error: unknown): void {
    if (this.#state === "over") return;
    this.#close();
    this.#arrive({ error });
  }

  async next(): Promise<IteratorResult<unknown, void>> {
    if (this.#state === "new") this.#begin();
    const arrived = this.#arrived.shift() ??
      await new Promise<Arrived>((resolve) => this.#waiting.push({ resolve }));
    if ("end" in arrived || "error" in arrived) {
      // Whoever asks again hears the end, as with generators.
      this.#arrived.length = 0;
      this.#arrive({ end: true });
      if ("error" in arrived) throw arrived.error;
      return { done: true, value: undefined };
    }
    if (this.#state === "open" && ++this.#taken >= Math.ceil(this.#credit / 2)) {
      this.#host.credit(this.#sequence, this.#taken);
      this.#taken = 0;
    }
    const { reply } = this.#spec;
    try {
      const value = reply === undefined
        ? arrived.value
        : await validate(reply, arrived.value, this.#spec, "item");
      return { done: false, value };
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  return(): Promise<IteratorResult<unknown, void>> {
    if (this.#state === "open") this.#host.abandon(this.#sequence);
    this.#close();
    this.#arrived.length = 0;
    this.#arrive({ end: true });
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #begin(): void {
    this.#state = "open";
    try {
      this.#open(this);
    } catch (error) {
      this.failed(error);
    }
  }

  #close(): void {
    this.#state = "over";
    for (const release of this.#release) release();
    this.#release = [];
  }

  #arrive(arrived: Arrived): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting.resolve(arrived);
    else this.#arrived.push(arrived);
  }
}
