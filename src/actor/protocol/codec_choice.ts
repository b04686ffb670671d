/** How payloads become bytes: by one of the general codecs, or by the layout of a struct. */

import { checkContent, type ContentFields, shown, type Struct } from "../../layout/mod.ts";

/**
 * A codec that needs no layout.
 *
 * - `messagepack`: MessagePack, with 64-bit integers as BigInts.
 * - `json`: JSON, for programs that have nothing else.
 * - `clone`: the structured clone of `node:v8`, between JavaScript alone.
 * - `raw`: a Uint8Array as it is.
 */
export type CodecName = "messagepack" | "json" | "clone" | "raw";

const CODEC_NAMES: readonly CodecName[] = ["messagepack", "json", "clone", "raw"];

/** How a payload becomes bytes: a codec's name, or a struct, which lies as it does in C. */
export type CodecChoice = CodecName | Struct<ContentFields>;

/** Whether something is a struct. */
export function isStruct(value: unknown): value is Struct {
  return typeof value === "object" && value !== null &&
    (value as Partial<Struct>).kind === "struct";
}

/**
 * Judges what is given for a codec.
 *
 * @throws {TypeError} If it is no codec, or a struct with locks or records.
 */
export function checkCodec(codec: unknown, action: string): asserts codec is CodecChoice {
  if (CODEC_NAMES.some((name) => name === codec)) return;
  if (!isStruct(codec)) {
    throw new TypeError(
      `Cannot ${action}: the codec is ${shown(codec)}, expected ` +
        `${CODEC_NAMES.map((name) => `"${name}"`).join(", ")} or a struct`,
    );
  }
  checkContent(codec, action);
}
