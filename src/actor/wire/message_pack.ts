/**
 * The MessagePack codec: values as bytes and back.
 *
 * Rule: the one file that names the library, which is loaded at first use. A value that crosses
 * arrives as it was sent, or is refused with the path of what may not cross; docs/wire.md has the
 * table.
 */

import type { Decoder, Encoder, ExtData } from "npm:@msgpack/msgpack@3.1.3";
import { copyOf } from "./bytes.ts";
import type { Crossing } from "./crossing.ts";
import {
  type Inside,
  passageOf,
  readExtension,
  type Timestamps,
} from "./message_pack_extensions.ts";
import { judgeMessagePack, MessagePackProblem } from "./message_pack_judge.ts";
import { MAX_DEPTH, refusalOf } from "./refusal.ts";

type Library = typeof import("npm:@msgpack/msgpack@3.1.3");

let library: Library | undefined;

/** Loads the library; before that nothing can be encoded. */
export async function loadMessagePack(): Promise<void> {
  library ??= await import("npm:@msgpack/msgpack@3.1.3");
}

/** One codec per crossing: to make one takes longer than to use it. */
const codecs = new WeakMap<Crossing, MessagePackCodec>();

/** The codec whose refs and regions are those of a crossing. */
export function messagePackCodec(crossing: Crossing): MessagePackCodec {
  let codec = codecs.get(crossing);
  if (codec === undefined) {
    if (library === undefined) {
      throw new Error("Cannot use MessagePack: it is not loaded, expected loadCodecs() before");
    }
    codecs.set(crossing, codec = new MessagePackCodec(library, crossing));
  }
  return codec;
}

/** What an extension became, in a value that is still to be settled: it is final. */
class Settled {
  constructor(readonly value: unknown) {}
}

/** Values as MessagePack and back. */
export class MessagePackCodec implements Inside {
  /** What refs and regions become. */
  readonly crossing: Crossing;
  /** As the library has them. */
  readonly timestamps: Timestamps;
  readonly #encoder: Encoder;
  readonly #decoder: Decoder;
  /** For payloads of which {@linkcode settle} has to look at each value. */
  readonly #settlingDecoder: Decoder;
  /** How many extensions we are in. */
  #depth = 0;

  constructor(library: Library, crossing: Crossing) {
    const { Decoder, Encoder, ExtData } = library;
    this.crossing = crossing;
    this.timestamps = {
      encode: library.encodeTimestampExtension,
      decode: library.decodeTimestampExtension,
    };
    const read = (data: Uint8Array, type: number) => readExtension(type, data, this);
    this.#encoder = new Encoder({
      maxDepth: MAX_DEPTH + 1, // it counts the values in the innermost too
      ignoreUndefined: true,
      extensionCodec: { tryToEncode: (value) => this.#extension(value, ExtData), decode: read },
    });
    const tryToEncode = () => null; // decoders do not
    this.#decoder = new Decoder({ extensionCodec: { tryToEncode, decode: read } });
    this.#settlingDecoder = new Decoder({
      useBigInt64: true,
      extensionCodec: { tryToEncode, decode: (data, type) => new Settled(read(data, type)) },
    });
  }

  /**
   * A value as bytes of its own.
   *
   * @throws {TypeError} If a part of it may not cross; the message has its path.
   */
  encode(value: unknown): Uint8Array {
    try {
      return this.#encoder.encode(value);
    } catch (error) {
      // Where in the value it was is looked for now, and by nobody who sends what may cross.
      throw refusalOf(value, (part) => this.#verdict(part)) ?? error;
    }
  }

  /**
   * Bytes of anybody as a value; nothing of it is a view of them.
   *
   * @throws {MessagePackProblem} If they are none, or more than is taken.
   */
  decode(bytes: Uint8Array): unknown {
    const { hasBytes, hasLongIntegers } = judgeMessagePack(bytes);
    if (!hasBytes && !hasLongIntegers) return this.#decoder.decode(bytes);
    return settle(this.#settlingDecoder.decode(bytes));
  }

  /** The bytes of a value that is in an extension. */
  encodeInside(value: unknown): Uint8Array {
    return this.#deeper(() => this.#encoder.encode(value));
  }

  /** The value whose bytes are in an extension. */
  decodeInside(bytes: Uint8Array): unknown {
    return this.#deeper(() => this.decode(bytes));
  }

  #deeper<T>(run: () => T): T {
    if (this.#depth === MAX_DEPTH) throw new MessagePackProblem(`deeper than ${MAX_DEPTH} levels`);
    this.#depth++;
    try {
      return run();
    } finally {
      this.#depth--;
    }
  }

  /** What the encoder asks of each value that is no primitive: null for a plain container. */
  #extension(value: unknown, Data: typeof ExtData): ExtData | null {
    const passage = passageOf(value, this.crossing);
    if (passage === undefined) return null;
    if (typeof passage === "string") throw new TypeError(`Cannot send payload: it is ${passage}`);
    return new Data(passage.type, passage.data(this));
  }

  #verdict(value: unknown): string | undefined {
    const passage = passageOf(value, this.crossing);
    return typeof passage === "string" ? passage : undefined;
  }
}

/**
 * Takes what the decoder gave as what it is here: its views of the payload as copies, and 64-bit
 * integers as Numbers where those hold them.
 */
function settle(value: unknown): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Settled) return value.value;
  if (value instanceof Uint8Array) return copyOf(value);
  // An array, or an object that the decoder made.
  const parts = value as Record<string, unknown>;
  for (const key of Object.keys(parts)) parts[key] = settle(parts[key]);
  return value;
}
