/** An actor that is begun with a ref to another, for tests: its module knows the protocol of that. */

import { actor, msg, protocol, type Ref } from "../../../src/actor/mod.ts";
import { f64, struct } from "../../../src/region/mod.ts";
import { Counter } from "./counter.ts";

const Total = struct("total", { n: f64 });

export const Heir = protocol("test.heir", {
  /** Asks the other. @returns What it said, or -1 for one that cannot be asked. */
  total: msg().reply(Total),
});

type CounterRef = Ref<typeof Counter>;

export default actor(import.meta, Heir, (_context, { counter }: { counter: CounterRef }) => ({
  total: () =>
    Object.keys(Counter.kinds).every((kind) => kind in counter) ? counter.total() : { n: -1 },
}));
