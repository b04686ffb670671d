/**
 * msg(): makes the contract of one kind of messages.
 *
 * Rule: what it makes is frozen data, and nonsense is refused here, where its line is in the trace.
 */

import { checkAmount, shown } from "../../layout/mod.ts";
import { MAX_USER_PRIORITY } from "../wire/priorities.ts";
import { checkCodec, type CodecChoice, isStruct } from "./codec_choice.ts";
import type {
  CodecFor,
  Content,
  InputOf,
  MessageOptions,
  MessageSpec,
  MessageType,
  OutputOf,
  ReplyOptions,
  Shape,
  Tell,
} from "./message.ts";
import { checkChoice, checkOptions } from "./options.ts";
import { isStandardSchema, type StandardSchema } from "./standard_schema.ts";

const MAX_U32 = 2 ** 32 - 1;

/**
 * One kind of messages of a protocol: what its payload is, and how it crosses.
 *
 * A sender gives what the schema accepts. The receiver validates, once, and its handler gets what
 * the schema makes of it: defaults are there, transforms have run. A struct gives the payload the
 * layout that C has for it, and the codec `raw` without a schema takes bytes as they are.
 *
 * @example A tell, an ask and a stream
 * ```ts
 * import { msg, protocol } from "@postbox/postbox/actor";
 * import { f64, struct, u32 } from "@postbox/postbox/region";
 *
 * const Reading = struct("reading", { sensor: u32, celsius: f64 });
 * const Sensors = protocol("sensors", {
 *   record: msg(Reading, { priority: 3, ttlMs: 5_000 }),
 *   latest: msg().reply(Reading),
 *   dump: msg().stream(undefined, { codec: "raw" }),
 * });
 * ```
 *
 * @param schema What the payload is: any Standard Schema, or a struct; undefined for a kind without
 * a payload, or with bytes when the codec is `raw`.
 * @param options How its messages cross.
 * @throws {TypeError} If `schema` is no schema, a struct holds locks or records, or an option is of
 * the wrong kind.
 * @throws {RangeError} If a number is out of its bounds.
 */
export function msg<S extends Content = undefined, C extends CodecFor<S> = never>(
  schema?: S,
  options: MessageOptions<C> = {},
): Tell<InputOf<S, C>, OutputOf<S, C>> {
  const action = "make msg()";
  checkOptions(options, action, "{ priority: 9 }");
  const { priority = 0, ttlMs, tag, delivery = "at-most-once" } = options;
  checkAmount(priority, "priority of msg()", MAX_USER_PRIORITY, 0);
  if (ttlMs !== undefined) checkAmount(ttlMs, "ttlMs of msg()", Number.MAX_SAFE_INTEGER);
  if (tag !== undefined) checkAmount(tag, "tag of msg()", MAX_U32, 0);
  checkChoice(delivery, "delivery", ["at-most-once", "at-least-once"]);
  const payload = carried(schema, options, action);
  const spec = Object.freeze({
    shape: "tell" as const,
    payload: payload.schema,
    codec: payload.codec,
    reply: undefined,
    replyCodec: "messagepack" as const,
    priority,
    ttlMs,
    delivery,
  });
  const tell: Tell<InputOf<S, C>, OutputOf<S, C>> = {
    shape: "tell",
    spec,
    tag,
    reply: (schema, options) => answered("ask", spec, tag, schema, options),
    stream: (schema, options) => answered("stream", spec, tag, schema, options),
  };
  return Object.freeze(tell);
}

/** The contract of a kind with answers. */
function answered<S extends Shape>(
  shape: S,
  told: MessageSpec,
  tag: number | undefined,
  schema: Content,
  options: ReplyOptions = {},
): MessageType<S, never, never, never, never> {
  const action = shape === "ask" ? "make reply()" : "make stream()";
  checkOptions(options, action, `{ codec: "json" }`);
  if (shape === "stream" && told.delivery === "at-least-once") {
    throw new TypeError(
      `Cannot ${action}: delivery is "at-least-once", expected "at-most-once" for a stream, which ` +
        "ends with whoever serves it",
    );
  }
  const { schema: reply, codec: replyCodec } = carried(schema, options, action);
  const spec = Object.freeze({ ...told, shape, reply, replyCodec });
  return Object.freeze({ shape, spec, tag });
}

/** What judges a part of a message, and what makes bytes of it. */
interface Carried {
  readonly schema: StandardSchema | undefined;
  readonly codec: CodecChoice;
}

function carried(content: unknown, { codec }: ReplyOptions, action: string): Carried {
  if (codec !== undefined) checkCodec(codec, action);
  if (isStruct(content)) {
    if (codec !== undefined) {
      throw new TypeError(
        `Cannot ${action}: the codec of struct ${shown(content.name)} is ${shown(codec)}, ` +
          `expected none: the struct is its own`,
      );
    }
    checkCodec(content, action);
    return { schema: ANY, codec: content };
  }
  if (content !== undefined && !isStandardSchema(content)) {
    throw new TypeError(
      `Cannot ${action}: the first argument is ${shown(content)}, expected a Standard Schema, a ` +
        "struct, or undefined with the options behind it",
    );
  }
  if (content === undefined && codec !== undefined && codec !== "raw") {
    throw new TypeError(
      `Cannot ${action}: it has a codec and no schema, expected a schema, or the codec "raw"`,
    );
  }
  const schema = content ?? (codec === "raw" ? BYTES : undefined);
  return { schema, codec: codec ?? "messagepack" };
}

/** Takes what a struct's layout cannot get wrong. */
const ANY: StandardSchema = builtIn((value) => ({ value }));

/** Takes bytes. */
const BYTES: StandardSchema = builtIn((value) =>
  value instanceof Uint8Array
    ? { value }
    : { issues: [{ message: `Expected a Uint8Array, received ${shown(value)}` }] }
);

function builtIn(validate: StandardSchema["~standard"]["validate"]): StandardSchema {
  return Object.freeze({ "~standard": Object.freeze({ version: 1, vendor: "postbox", validate }) });
}
