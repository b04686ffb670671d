/**
 * Payloads as bytes and back, by the codec that a kind of messages has.
 *
 * Rule: what arrives was written by somebody else. It is judged before anything is made of it, and
 * nothing of the value views the bytes.
 */

import { readValue, type Struct, type Value, writeValue } from "../../layout/mod.ts";
import type { CodecChoice } from "../protocol/codec_choice.ts";
import { copyOf } from "./bytes.ts";
import type { Crossing } from "./crossing.ts";
import { CODEC, type CodecNumber } from "./frame_layout.ts";
import { decodeJson, encodeJson } from "./json.ts";
import { loadMessagePack, messagePackCodec } from "./message_pack.ts";
import { decodeClone, encodeClone, loadClone } from "./clone.ts";
import { foreign } from "./refusal.ts";

export type { Crossing, RegionDescriptor } from "./crossing.ts";

const NUMBERS = {
  messagepack: CODEC.MESSAGEPACK,
  json: CODEC.JSON,
  clone: CODEC.CLONE,
  raw: CODEC.RAW,
} as const;

const NO_BYTES = new Uint8Array(0);

/** Loads what the codecs need; to be awaited once, before the first payload. */
export async function loadCodecs(): Promise<void> {
  await Promise.all([loadMessagePack(), loadClone()]);
}

/** The number of a codec, as it stands in frames. */
export function codecNumber(choice: CodecChoice): CodecNumber {
  return typeof choice === "string" ? NUMBERS[choice] : CODEC.STRUCT;
}

/**
 * A payload as bytes.
 *
 * `undefined` is no bytes, for the codecs that have no other word for it.
 *
 * @returns Bytes of its own; for `raw` the value itself, so copy it before you wait.
 * @throws {TypeError} If a part of the value may not cross; the message has its path.
 * @throws {RangeError} If a number, a text or an array does not fit the struct.
 */
export function encodePayload(
  choice: CodecChoice,
  value: unknown,
  crossing: Crossing,
): Uint8Array {
  if (choice === "messagepack") {
    return value === undefined ? NO_BYTES : messagePackCodec(crossing).encode(value);
  }
  if (choice === "json") return value === undefined ? NO_BYTES : encodeJson(value);
  if (choice === "clone") return encodeClone(value);
  if (choice === "raw") {
    if (value instanceof Uint8Array) return value;
    throw new TypeError(`Cannot send payload: it is ${foreign(value)}, expected a Uint8Array`);
  }
  const bytes = new Uint8Array(choice.byteLength);
  writeValue(choice, new DataView(bytes.buffer), 0, value as Value<typeof choice>, "payload");
  return bytes;
}

/**
 * Bytes of anybody as a payload.
 *
 * MessagePack and JSON tell themselves apart by their number, so a kind that has one of them takes
 * the other too: a C program may answer in JSON. Any other codec must be the kind's own.
 *
 * @param codec The number that came with the bytes.
 * @param choice The codec of the kind of message.
 * @throws {TypeError} If they are not what the codec writes; `cause` says what is wrong.
 */
export function decodePayload(
  codec: CodecNumber,
  choice: CodecChoice,
  bytes: Uint8Array,
  crossing: Crossing,
): unknown {
  const expected = codecNumber(choice);
  if (codec === CODEC.NONE) return undefined;
  if (codec !== expected && !(isPlainCodec(codec) && isPlainCodec(expected))) {
    throw new TypeError(
      `Cannot decode the payload: its codec is ${codec}, expected ${expected} (${nameOf(choice)})`,
    );
  }
  try {
    return decode(codec, choice, bytes, crossing);
  } catch (cause) {
    throw new TypeError(
      `Cannot decode ${bytes.byteLength} bytes of payload (codec ${codec}): ${messageOf(cause)}`,
      { cause },
    );
  }
}

function decode(
  codec: CodecNumber,
  choice: CodecChoice,
  bytes: Uint8Array,
  crossing: Crossing,
): unknown {
  switch (codec) {
    case CODEC.MESSAGEPACK:
      return bytes.byteLength === 0 ? undefined : messagePackCodec(crossing).decode(bytes);
    case CODEC.JSON:
      return bytes.byteLength === 0 ? undefined : decodeJson(bytes);
    case CODEC.CLONE:
      return decodeClone(bytes);
    case CODEC.STRUCT:
      return decodeStruct(choice as Struct, bytes);
    default: // RAW
      return copyOf(bytes);
  }
}

function decodeStruct(struct: Struct, bytes: Uint8Array): unknown {
  if (bytes.byteLength !== struct.byteLength) {
    throw new RangeError(`struct ${struct.name} has ${struct.byteLength} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return readValue(struct as never, view, 0);
}

function isPlainCodec(codec: CodecNumber): boolean {
  return codec === CODEC.MESSAGEPACK || codec === CODEC.JSON;
}

function nameOf(choice: CodecChoice): string {
  return typeof choice === "string" ? choice : `struct ${choice.name}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
