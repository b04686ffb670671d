/**
 * What messages without a frame carry: the payload is all there is of them.
 *
 * Rule: a struct is its bytes, a schema's values are JSON, and "raw" is whatever the bytes are.
 */

import type { ContentFields, Struct, Value } from "../../layout/mod.ts";
import type { MessageSpec } from "../protocol/message.ts";
import { msg } from "../protocol/msg.ts";
import type { SchemaInput, SchemaOutput, StandardSchema } from "../protocol/standard_schema.ts";

/** What a message without a frame carries: a struct as C has it, JSON that a schema judges, bytes. */
export type BareContent = Struct<ContentFields> | StandardSchema | "raw";

/** What is sent. */
export type BareInput<C extends BareContent> = C extends "raw" ? Uint8Array
  : C extends StandardSchema ? SchemaInput<C>
  : C extends Struct<ContentFields> ? Value<C>
  : never;

/** What is received. */
export type BareOutput<C extends BareContent> = C extends "raw" ? Uint8Array
  : C extends StandardSchema ? SchemaOutput<C>
  : C extends Struct<ContentFields> ? Value<C>
  : never;

/** How it becomes bytes and is judged. @throws {TypeError} If it is none of the three. */
export function bareSpec(content: BareContent): MessageSpec {
  if (content === "raw") return msg(undefined, { codec: "raw" }).spec;
  if ("~standard" in content) return msg(content, { codec: "json" }).spec;
  return msg(content).spec;
}
