/** Actors whose modules cannot be started by a child, for tests. */

import { actor, type ActorDefinition, msg, protocol } from "../../../src/actor/mod.ts";

const Fragile = protocol("test.fragile", { hello: msg() });

/** Which module a child is told to import. */
const MODULES = {
  noActor: "./relay.ts",
  missing: "./fragile_missing.ts",
  throwing: "./throwing.ts",
} as const;

/** An actor that a child looks for in another module than that which made it. */
export default function fragileActor(
  what: keyof typeof MODULES,
): ActorDefinition<typeof Fragile, undefined> {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));
  const path = MODULES[what].replace(/\.ts$/, extension);
  const url = new URL(path, import.meta.url).href;
  return actor({ url }, Fragile, () => ({ hello() {} }), { export: "Relay" });
}
