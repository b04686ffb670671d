/** An ask that waits for its reply: its promise, its deadline, its signal. */

import { validate } from "../protocol/standard_schema.ts";
import type { KindSpec } from "../protocol/protocol.ts";
import { KIND } from "../wire/frame_layout.ts";
import type { Frame } from "../wire/frame.ts";
import type { Call } from "./calls.ts";
import type { ActorKey } from "./incarnations.ts";

/** What a call needs of its endpoint. */
export interface CallHost {
  /** What an answer carries. @throws If it cannot be decoded. */
  decode(spec: KindSpec, frame: Frame): unknown;
  /** The error that FAILED carries. */
  decodeError(frame: Frame): Error;
  /** Forgets the call, and tells who serves it that nobody waits any more. */
  abandon(sequence: number): void;
  /** Forgets the call. */
  finish(sequence: number): void;
}

/** Whom a call is for. */
export interface CallTarget {
  readonly key: ActorKey;
  readonly label: string;
  readonly incarnation: number;
  readonly endpoint: number | undefined;
  /** Its queue, when it is not of the system. */
  readonly queue: string | undefined;
}

/** One ask. */
export class AskCall implements Call {
  readonly key: ActorKey;
  readonly label: string;
  readonly incarnation: number;
  endpoint: number | undefined;
  readonly queue: string | undefined;
  endpointIncarnation = 0;
  isSent = false;
  readonly reply: Promise<unknown>;
  readonly #host: CallHost;
  readonly #spec: KindSpec;
  readonly #sequence: number;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;
  /** Takes back the deadline and the listener. */
  #release: (() => void)[] | undefined;

  constructor(host: CallHost, spec: KindSpec, sequence: number, target: CallTarget) {
    this.#host = host;
    this.#spec = spec;
    this.#sequence = sequence;
    this.key = target.key;
    this.label = target.label;
    this.incarnation = target.incarnation;
    this.endpoint = target.endpoint;
    this.queue = target.queue;
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** To be done when the call ends, however it ends. */
  onEnd(release: () => void): void {
    (this.#release ??= []).push(release);
  }

  /** Ends it from this side: its deadline passed, or its signal was aborted. */
  giveUp(reason: unknown): void {
    this.#host.abandon(this.#sequence);
    this.failed(reason);
  }

  answered(frame: Frame): void {
    this.#host.finish(this.#sequence);
    if (frame.kind === KIND.FAILED) return this.failed(this.#host.decodeError(frame));
    try {
      const value = this.#host.decode(this.#spec, frame);
      this.#end();
      this.#resolve(
        this.#spec.reply === undefined
          ? value
          : validate(this.#spec.reply, value, this.#spec, "reply"),
      );
    } catch (error) {
      this.failed(error);
    }
  }

  failed(error: unknown): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    for (const release of this.#release ?? []) release();
    this.#release = undefined;
  }
}
