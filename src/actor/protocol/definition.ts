/**
 * actor(): what an actor does, in a module that a worker or another process can import.
 *
 * Rule: a definition is data, and runs nothing; it is named by its module and its export.
 */

import { shown } from "../../layout/mod.ts";
import type { Context } from "./context.ts";
import type { Handlers, WithoutUnknown } from "./handlers.ts";
import { checkOptions } from "./options.ts";
import { type AnyProtocol, isProtocol } from "./protocol.ts";

/** The key that tells a definition. The same in every copy of the library, wherever it is loaded. */
export const IS_ACTOR: unique symbol = Symbol.for("postbox.actor");

/** What a module knows of itself: `import.meta`. */
export interface ModuleMeta {
  /** Where it was loaded from. */
  readonly url: string;
  /** Whether the program was started with it, where the runtime says so. */
  readonly main?: boolean;
}

/** Where a definition is found. */
export interface ActorOptions {
  /**
   * The name that its module exports it by.
   * @default {"default"}
   */
  export?: string | undefined;
}

/** What an actor does: made by {@linkcode actor}, started by `spawn()`. */
export interface ActorDefinition<P extends AnyProtocol = AnyProtocol, Init = undefined> {
  /** The module that it is in. */
  readonly url: string;
  /** The name that the module exports it by. */
  readonly exportName: string;
  /** Whether that is the module that the program was started with; undefined: who knows. */
  readonly isMain: boolean | undefined;
  /** What it speaks. */
  readonly protocol: P;
  /** Makes its handlers, once for each incarnation. */
  setup(context: Context<P>, init: Init): Handlers<P> | Promise<Handlers<P>>;
  /** Told apart by it. */
  readonly [IS_ACTOR]: true;
}

/** Whatever definition. */
// deno-lint-ignore no-explicit-any -- whatever it is given; every use of it is inferred
export type AnyActorDefinition = ActorDefinition<AnyProtocol, any>;

/**
 * Says what an actor does: a function that makes its handlers, one for each kind of its protocol.
 *
 * The setup runs at each start, where the actor lives: its variables are the state of one
 * incarnation. The definition is the module's default export, or says by which name it is exported,
 * for that is how a worker or another process finds it; so it is in no main module.
 *
 * One handler runs at a time, streams excepted. A handler of a tell that throws ends the actor, and
 * supervision decides; what a handler of an ask or a stream throws goes to the asker.
 *
 * @example A counter
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { actor, msg, protocol } from "@postbox/postbox/actor";
 * import { f64, struct } from "@postbox/postbox/region";
 *
 * const Counter = protocol("counter", {
 *   add: msg(struct("add", { by: f64 })),
 *   total: msg().reply(struct("total", { n: f64 })),
 * });
 *
 * const counter = actor(import.meta, Counter, (_context, init: { start: number }) => {
 *   let n = init.start;
 *   return {
 *     add({ by }) {
 *       n += by;
 *     },
 *     total: () => ({ n }),
 *   };
 * });
 * assertEquals(counter.exportName, "default");
 * ```
 *
 * @param meta `import.meta` of the module that exports it.
 * @param protocol What it speaks.
 * @param setup Makes the handlers; its second parameter, if it has one, is what `spawn()` is given
 * as `init`.
 * @param options Where it is found.
 * @throws {TypeError} If an argument is not of its kind.
 */
export function actor<
  P extends AnyProtocol,
  Init = undefined,
  H extends Handlers<P> = Handlers<P>,
>(
  meta: ModuleMeta,
  protocol: P,
  setup: (
    context: Context<P>,
    init: Init,
  ) => (H & WithoutUnknown<H, P>) | Promise<H & WithoutUnknown<H, P>>,
  options: ActorOptions = {},
): ActorDefinition<P, Init> {
  const action = "define actor()";
  if (typeof meta?.url !== "string") {
    throw new TypeError(
      `Cannot ${action}: the first argument is ${shown(meta)}, expected import.meta`,
    );
  }
  if (!isProtocol(protocol)) {
    throw new TypeError(
      `Cannot ${action}: the second argument is ${shown(protocol)}, expected what protocol() makes`,
    );
  }
  if (typeof setup !== "function") {
    throw new TypeError(
      `Cannot ${action} of protocol ${shown(protocol.name)}: its setup is ${shown(setup)}, ` +
        "expected a function that makes the handlers",
    );
  }
  checkOptions(options, action, `{ export: "counter" }`);
  const { export: exportName = "default" } = options;
  if (typeof exportName !== "string" || exportName === "") {
    throw new TypeError(
      `Cannot ${action}: export is ${shown(exportName)}, expected the name that its module ` +
        "exports it by",
    );
  }
  const place = `${meta.url} ${exportName}`;
  places.set(place, (places.get(place) ?? 0) + 1);
  return Object.freeze({
    url: meta.url,
    exportName,
    isMain: meta.main,
    protocol,
    setup,
    [IS_ACTOR]: true as const,
  });
}

/** How many definitions say that they are found in a place: module and export. */
const places = new Map<string, number>();

/**
 * Whether another definition says that it is the same export of the same module. Here that does not
 * matter; a child, which imports the module, would run one of them in place of the other.
 */
export function isAmbiguous({ url, exportName }: AnyActorDefinition): boolean {
  return (places.get(`${url} ${exportName}`) ?? 0) > 1;
}

/** Whether something is a definition. */
export function isActorDefinition(value: unknown): value is AnyActorDefinition {
  return typeof value === "object" && value !== null &&
    (value as Partial<AnyActorDefinition>)[IS_ACTOR] === true;
}
