/**
 * protocol(): the contract between those who send to an actor and the actor.
 *
 * Rule: one protocol is the types, the validation, the tags on the wire and the quality of service
 * of its messages; both sides import the same.
 */

import { shown } from "../../layout/mod.ts";
import type { MessageSpec, MessageType } from "./message.ts";
import { checkKindName, checkProtocolName, type ReservedKind, tagOf } from "./names.ts";

/** What the runtime reads of a kind of messages. */
export interface KindSpec extends MessageSpec {
  /** Its name in its protocol. */
  readonly kind: string;
  /** The name of its protocol, for errors: `counter`. */
  readonly protocol: string;
  /** Stands for it on the wire. */
  readonly tag: number;
}

/** The kinds of a protocol by their names. */
export interface Messages {
  /** The contract of the kind with that name. */
  readonly [kind: string]: MessageType;
}

/** The contract between those who send to an actor and the actor. */
export interface Protocol<Name extends string = string, M = Messages> {
  /** Its name: the same on both sides. */
  readonly name: Name;
  /** The kinds of its messages by their names. */
  readonly kinds: { readonly [K in keyof M]: KindSpec };
  /** The kinds of its messages by what stands for them on the wire. */
  readonly byTag: ReadonlyMap<number, KindSpec>;
  /** For the compiler alone. */
  readonly messages?: M | undefined;
}

/** Whatever protocol. */
// deno-lint-ignore no-explicit-any -- whatever its messages are; every use of them is inferred
export type AnyProtocol = Protocol<string, any>;

/** The kinds of a protocol with their types. */
export type MessagesOf<P extends AnyProtocol> = NonNullable<P["messages"]>;

/** Refuses the names that no kind may have. */
export type WithoutReserved<M> = {
  readonly [K in keyof M]: K extends ReservedKind ? `${K} is the name of no kind: see protocol()`
    : M[K];
};

/** Those that were made in this isolate. */
const protocols = new Map<string, AnyProtocol>();

/**
 * The contract between those who send to an actor and the actor.
 *
 * Write it into a module of its own, which both sides import. On the wire a kind is a number made
 * of the two names; what a message looks like there is in docs/wire.md.
 *
 * A kind cannot be called `then`, `toJSON`, `toString` or otherwise as something that JavaScript
 * asks objects for: a ref has a method for each kind, and awaiting or printing it would send.
 *
 * @example A counter
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { msg, protocol } from "@postbox/postbox/actor";
 * import { f64, struct } from "@postbox/postbox/region";
 *
 * const Counter = protocol("counter", {
 *   add: msg(struct("add", { by: f64 }), { priority: 9 }),
 *   total: msg().reply(struct("total", { n: f64 })),
 * });
 * assertEquals(Counter.kinds.total.shape, "ask");
 * ```
 *
 * @param name A letter, then letters, digits, `_`, `-` and `.`, at most 100.
 * @param messages What {@linkcode msg} makes, by the name of the kind: an identifier of
 * JavaScript without letters beyond ASCII.
 * @throws {TypeError} If a name is not as it should be, something is not made by `msg()`, there is
 * no kind, or two kinds have one tag.
 */
export function protocol<const Name extends string, M extends Messages>(
  name: Name,
  messages: M & WithoutReserved<M>,
): Protocol<Name, M> {
  checkProtocolName(name);
  const kinds: Record<string, KindSpec> = {};
  const byTag = new Map<number, KindSpec>();
  for (const [kind, message] of entriesOf(messages, name)) {
    checkKindName(kind, name);
    checkMessage(message, kind, name);
    const tag = message.tag ?? tagOf(name, kind);
    const taken = byTag.get(tag);
    if (taken !== undefined) {
      throw new TypeError(
        `Cannot make protocol ${shown(name)}: ${shown(taken.kind)} and ${shown(kind)} have the ` +
          `same tag ${tag}, expected another for one of them: msg(…, { tag: … })`,
      );
    }
    const spec: KindSpec = Object.freeze({ ...message.spec, kind, protocol: name, tag });
    kinds[kind] = spec;
    byTag.set(tag, spec);
  }
  if (byTag.size === 0) {
    throw new TypeError(`Cannot make protocol ${shown(name)}: it has no kinds, expected some`);
  }
  const made = Object.freeze({
    name,
    kinds: Object.freeze(kinds) as Protocol<Name, M>["kinds"],
    byTag,
  });
  protocols.set(name, made);
  return made;
}

/**
 * The protocol of a name that was made last in this isolate.
 *
 * @returns Undefined where there is none: no module that makes it was imported here.
 */
export function protocolNamed(name: string): AnyProtocol | undefined {
  return protocols.get(name);
}

/** Whether something is a protocol. */
export function isProtocol(value: unknown): value is AnyProtocol {
  if (typeof value !== "object" || value === null) return false;
  const { name, kinds, byTag } = value as Partial<AnyProtocol>;
  return typeof name === "string" && typeof kinds === "object" && byTag instanceof Map;
}

function entriesOf(messages: unknown, name: string): [string, unknown][] {
  if (typeof messages !== "object" || messages === null) {
    throw new TypeError(
      `Cannot make protocol ${shown(name)}: its kinds are ${shown(messages)}, expected an object ` +
        "such as { add: msg() }",
    );
  }
  // What is written `__proto__: msg()` is no kind but the prototype.
  const prototype = Object.getPrototypeOf(messages);
  if (prototype !== null && prototype !== Object.prototype) {
    throw new TypeError(
      `Cannot make protocol ${shown(name)}: its kinds have a prototype, expected a plain object ` +
        "without __proto__",
    );
  }
  return Object.entries(messages);
}

function checkMessage(value: unknown, kind: string, name: string): asserts value is MessageType {
  const message = value as Partial<MessageType> | null | undefined;
  if (typeof message?.spec?.shape === "string") return;
  throw new TypeError(
    `Cannot make protocol ${shown(name)}: ${shown(kind)} is ${shown(value)}, expected what msg() ` +
      "makes",
  );
}
