/**
 * What an endpoint answers: replies, errors, items, and who serves an ask.
 *
 * Rule: an answer goes back the way its ask came, to the incarnation that asked; if that is gone,
 * the answer is dropped, for nobody waits for it.
 */

import { ClosedError } from "../../errors.ts";
import { ActorError } from "../errors.ts";
import type { KindSpec } from "../protocol/protocol.ts";
import { codecNumber, encodePayload } from "../wire/codec.ts";
import { encodeError } from "../wire/error_codec.ts";
import { CODEC, type CodecNumber, FLAG, type FrameKind, KIND } from "../wire/frame_layout.ts";
import type { Frame } from "../wire/frame.ts";
import type { Endpoint } from "./endpoint.ts";

const NOTHING = new Uint8Array();
/** How long who asked from outside of the system may take to make room: nobody sees it die. */
const OUTSIDE_MS = 5_000;

/** The answers of one endpoint. */
export class Answers {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /**
   * The reply to an ask; where it cannot be encoded, the error that says so.
   *
   * @returns Undefined when it has gone, or the promise that it goes, or cannot; who is not of the
   * system is not waited for, for nothing says that it takes from its queue.
   */
  reply(
    spec: KindSpec,
    ask: Frame,
    value: unknown,
    actor: number,
  ): Promise<void> | undefined {
    let payload: Uint8Array;
    try {
      payload = this.#encode(spec, value);
    } catch (error) {
      return this.failed(ask, error, actor);
    }
    const sent = this.#send(ask, KIND.REPLY, this.#codec(spec, value), payload, actor);
    return awaited(ask, sent);
  }

  /** That an ask or a stream failed. @returns As {@linkcode Answers.reply} does. */
  failed(ask: Frame, error: unknown, actor: number): Promise<void> | undefined {
    // Who is not of the system may have no decoder but that of JSON.
    const codec = ask.from === 0 ? "json" : "messagepack";
    const payload = encodePayload(codec, encodeError(error), this.#endpoint.crossing);
    return awaited(ask, this.#send(ask, KIND.FAILED, codecNumber(codec), payload, actor));
  }

  /**
   * One item of a stream.
   *
   * @returns Undefined when it has gone, or the promise that it goes.
   * @throws If it cannot be encoded.
   */
  item(spec: KindSpec, ask: Frame, value: unknown, actor: number): Promise<void> | undefined {
    const payload = this.#encode(spec, value);
    return this.#send(ask, KIND.ITEM, this.#codec(spec, value), payload, actor);
  }

  /** The end of a stream. */
  end(ask: Frame, actor: number): void {
    this.#send(ask, KIND.END, CODEC.NONE, NOTHING, actor);
  }

  /**
   * Who serves an ask, when the asker wants to know.
   *
   * @returns As {@linkcode Answers.reply} does.
   */
  taken(ask: Frame, actor: number): Promise<void> | undefined {
    if ((ask.flags & FLAG.WANTS_TAKEN) === 0) return;
    return awaited(ask, this.#send(ask, KIND.TAKEN, CODEC.NONE, NOTHING, actor));
  }

  #encode({ replyCodec }: KindSpec, value: unknown): Uint8Array {
    return this.#endpoint.encode(replyCodec, value);
  }

  #codec(spec: KindSpec, value: unknown): CodecNumber {
    return value === undefined ? CODEC.NONE : codecNumber(spec.replyCodec);
  }

  #send(
    ask: Frame,
    kind: FrameKind,
    codec: CodecNumber,
    payload: Uint8Array,
    actor: number,
  ): Promise<void> | undefined {
    const endpoint = this.#endpoint;
    const header = endpoint.blank(kind);
    header.codec = codec;
    header.tag = ask.tag;
    header.to = ask.fromActor;
    header.fromActor = actor;
    header.epoch = ask.epoch;
    header.sequence = ask.sequence;
    if (kind === KIND.TAKEN) header.argument = endpoint.incarnation;
    if (ask.from === endpoint.id + 1) {
      endpoint.arrivals.answered({ ...header, payload, block: undefined });
      return;
    }
    if (ask.from === 0 && ask.replyName === undefined) {
      endpoint.log.debug("An ask names nobody to answer to", { tag: ask.tag });
      return;
    }
    let sent: Promise<void> | undefined;
    try {
      sent = endpoint.post.control(
        {
          endpoint: ask.from === 0 ? undefined : ask.from - 1,
          queue: ask.from === 0 ? ask.replyName : undefined,
          byRing: (ask.flags & FLAG.RING) !== 0,
          timeoutMs: ask.from === 0 ? OUTSIDE_MS : undefined,
        },
        header,
        payload,
      );
    } catch (error) {
      return this.#unsent(ask, kind, error, actor);
    }
    return sent?.catch((error) => this.#unsent(ask, kind, error, actor));
  }

  /**
   * An answer did not go.
   *
   * @throws What is behind it, of an item: its stream goes on no longer.
   */
  #unsent(ask: Frame, kind: FrameKind, error: unknown, actor: number): undefined {
    // Who asked is gone: its queue does not exist any more, or nobody reads it.
    const isGone = error instanceof ActorError || error instanceof ClosedError ||
      (kind !== KIND.ITEM && (error as Error).name === "TimeoutError");
    if (isGone || kind === KIND.FAILED) {
      this.#endpoint.log.debug("An answer found nobody", { error });
    } else if (kind === KIND.ITEM) throw error;
    else void this.failed(ask, error, actor); // it is too long for a queue outside, or for the memory
  }
}

/** What an actor waits for before its next message. */
function awaited(ask: Frame, sent: Promise<void> | undefined): Promise<void> | undefined {
  return ask.from === 0 ? undefined : sent;
}
