/** What spawn() was asked for, judged and with its defaults. */

import { shown } from "../../layout/mod.ts";
import { launchFacts, whyNotLaunchable } from "../launch/launch.ts";
import { checkMailboxName } from "../memory/names.ts";
import type { AnyActorDefinition } from "../protocol/definition.ts";
import { isActorDefinition, isAmbiguous } from "../protocol/definition.ts";
import { checkChoice, checkOptions } from "../protocol/options.ts";
import type { OnFull, SpawnOptions } from "../protocol/spawn_options.ts";
import { type RestartPolicy, restartPolicy } from "../supervision/restart_policy.ts";

/** Every option, whichever of them exclude each other. */
type AnySpawnOptions = {
  [K in SpawnOptions extends infer O ? O extends unknown ? keyof O : never : never]?:
    | (SpawnOptions extends infer O ? O extends { [P in K]?: infer V } ? V : never : never)
    | undefined;
};

/** What is to be spawned. */
export interface Plan {
  readonly definition: AnyActorDefinition;
  readonly in: "here" | "worker" | "process";
  readonly name: string | undefined;
  readonly mailbox: string | undefined;
  readonly size: number;
  readonly carrier: "local" | "queue" | "ring";
  readonly capacity: number | undefined;
  readonly onFull: OnFull;
  readonly restart: RestartPolicy;
  readonly stopMs: number;
  /** How messages are taken that must not be lost; undefined where there are none. */
  readonly kept: { readonly prefetch: number; readonly maxAttempts: number } | undefined;
  /** How long a handler of such a message may run, in milliseconds; undefined: for ever. */
  readonly deadlineMs: number | undefined;
  readonly init: unknown;
  readonly stdio: "label" | "inherit" | "ignore";
  readonly resourceLimits: AnySpawnOptions["resourceLimits"];
}

/** The most members of a pool. */
const MAX_SIZE = 64;
/** The most messages that are taken ahead; and how often one is tried, unless it is said otherwise. */
const MAX_PREFETCH = 128, DEFAULT_MAX_ATTEMPTS = 5;
/** How long an actor may go on when it is stopped, unless it is said otherwise. */
export const DEFAULT_STOP_MS = 5_000;

/**
 * Judges what spawn() was asked for.
 *
 * @throws {TypeError} If something is of the wrong kind, or excludes something else.
 * @throws {RangeError} If a number is out of its range.
 */
export function planOf(definition: unknown, given: unknown = {}): Plan {
  if (!isActorDefinition(definition)) {
    throw new TypeError(`Cannot spawn ${shown(definition)}: expected what actor() makes`);
  }
  checkOptions(given, "spawn", `{ in: "process" }`);
  const options = given as AnySpawnOptions;
  const { in: where = "here", size = 1, mailbox, capacity, onFull = "wait", name } = options;
  checkChoice(where, "in", ["here", "worker", "process"]);
  checkChoice(onFull, "onFull", ["wait", "fail", "drop-new", "drop-old"]);
  if (mailbox !== undefined) checkMailboxName(mailbox);
  checkCount(size, "size", MAX_SIZE);
  if (capacity !== undefined) checkCount(capacity, "capacity", Number.MAX_SAFE_INTEGER);
  const { stopMs = DEFAULT_STOP_MS, stdio = "label", resourceLimits } = options;
  if (!(typeof stopMs === "number" && stopMs >= 0)) {
    throw new RangeError(`Cannot spawn: stopMs is ${shown(stopMs)}, expected 0 or more`);
  }
  if (name !== undefined && (typeof name !== "string" || name === "")) {
    throw new TypeError(`Cannot spawn: name is ${shown(name)}, expected a text`);
  }
  checkChoice(stdio, "stdio", ["label", "inherit", "ignore"]);

  const kept = keptOf(definition, options);
  const hasQueue = mailbox !== undefined || size > 1 || kept !== undefined;
  const { carrier = where === "here" && !hasQueue ? "local" : "queue" } = options;
  checkChoice(carrier, "carrier", where === "here" ? ["queue", "local"] : ["queue", "ring"]);
  if (kept !== undefined && carrier === "local") {
    throw new TypeError(
      `Cannot spawn: protocol ${shown(definition.protocol.name)} has kinds of delivery ` +
        '"at-least-once" and the carrier is "local", expected "queue", which keeps them',
    );
  }
  if (carrier === "ring" && (mailbox !== undefined || size > 1)) {
    throw new TypeError(
      `Cannot spawn: carrier "ring" has no ${size > 1 ? "size" : "mailbox"}, expected one of them`,
    );
  }
  if (onFull === "drop-old" && carrier !== "local") {
    throw new TypeError(
      'Cannot spawn: onFull "drop-old" needs in: "here" and no mailbox, for a kernel queue would ' +
        "drop the most urgent message",
    );
  }
  if (where !== "here") {
    const { url, exportName } = definition;
    const why = whyNotLaunchable(url, launchFacts(where, url));
    if (why !== undefined) {
      throw new TypeError(`Cannot spawn export ${shown(exportName)} in: ${shown(where)}: ${why}`);
    }
    if (isAmbiguous(definition)) {
      throw new TypeError(
        `Cannot spawn export ${shown(exportName)} in: ${
          shown(where)
        }: its module defines another ` +
          'actor of that export, expected one: actor(…, { export: "its name" })',
      );
    }
  }
  return {
    definition,
    in: where,
    name,
    mailbox,
    size,
    carrier,
    capacity,
    onFull,
    restart: restartPolicy(options.restart ?? { keep: "temporary" }),
    stopMs,
    kept,
    deadlineMs: options.deadlineMs,
    init: options.init,
    stdio,
    resourceLimits,
  };
}

/** How messages are taken that must not be lost, where the protocol has such. */
function keptOf(
  { protocol }: AnyActorDefinition,
  { in: where = "here", prefetch, maxAttempts, deadlineMs }: AnySpawnOptions,
): Plan["kept"] {
  const isKept = [...protocol.byTag.values()].some(({ delivery }) => delivery === "at-least-once");
  const given = Object.entries({ prefetch, maxAttempts, deadlineMs })
    .find(([, value]) => value !== undefined);
  if (given !== undefined && !isKept) {
    throw new TypeError(
      `Cannot spawn: ${given[0]} is given, and no kind of protocol ${shown(protocol.name)} has ` +
        'delivery "at-least-once", expected one that has',
    );
  }
  if (prefetch !== undefined) checkCount(prefetch, "prefetch", MAX_PREFETCH);
  if (maxAttempts !== undefined) checkCount(maxAttempts, "maxAttempts", Number.MAX_SAFE_INTEGER);
  if (deadlineMs !== undefined && where === "here") {
    throw new TypeError(
      'Cannot spawn: deadlineMs is given and in is "here", expected "worker" or "process": a ' +
        "handler that hangs can only be killed with what it runs in",
    );
  }
  if (deadlineMs !== undefined && !(typeof deadlineMs === "number" && deadlineMs >= 1)) {
    throw new RangeError(
      `Cannot spawn: deadlineMs is ${shown(deadlineMs)}, expected 1 or more milliseconds`,
    );
  }
  if (!isKept) return undefined;
  return { prefetch: prefetch ?? 1, maxAttempts: maxAttempts ?? DEFAULT_MAX_ATTEMPTS };
}

function checkCount(value: unknown, what: string, most: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most) return;
  const bound = most === Number.MAX_SAFE_INTEGER ? "1 or more" : `1 to ${most}`;
  throw new RangeError(
    `Cannot spawn: ${what} is ${shown(value)}, expected a whole number of ${bound}`,
  );
}
