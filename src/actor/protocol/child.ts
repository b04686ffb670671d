/** child(): an actor that is to be started together with others, under one supervisor. */

import type { ActorDefinition, AnyActorDefinition } from "./definition.ts";
import type { AnyProtocol } from "./protocol.ts";
import type { Ref } from "./ref.ts";
import type { SpawnArguments, SpawnOptions } from "./spawn_options.ts";

/** An actor to be started, and how. */
export interface ChildSpec<P extends AnyProtocol = AnyProtocol> {
  /** What it does. */
  readonly definition: AnyActorDefinition;
  /** How it is spawned. */
  readonly options: SpawnOptions | undefined;
  /** For the compiler alone. */
  readonly protocol?: P | undefined;
}

/** The refs of children, in their order. */
export type RefsOf<C extends readonly ChildSpec[]> = {
  -readonly [I in keyof C]: C[I] extends ChildSpec<infer P> ? Ref<P> : never;
};

/**
 * An actor to be started by `supervise()`, with the options that `spawn()` takes.
 *
 * @example Two that stand and fall together
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { actor, child, msg, protocol, system } from "@postbox/postbox/actor";
 *
 * const Greeter = protocol("greeter", { crash: msg(), incarnation: msg().reply() });
 * const greeter = actor(import.meta, Greeter, () => ({
 *   crash() {
 *     throw new Error("as asked");
 *   },
 *   incarnation() {},
 * }));
 * await using shop = await system(`doc-${crypto.randomUUID().slice(0, 8)}`);
 * const refs = await shop.supervise("one-for-all", [child(greeter), child(greeter)]);
 * assertEquals(refs.length, 2);
 * ```
 */
export function child<P extends AnyProtocol, Init>(
  definition: ActorDefinition<P, Init>,
  ...[options]: SpawnArguments<NoInfer<Init>>
): ChildSpec<P> {
  return { definition, options: options as SpawnOptions | undefined };
}
