/** The actor that is measured: it adds what it is told, and takes payloads. */

import { actor, msg, protocol, type StandardSchema } from "../../src/actor/mod.ts";
import { f64, struct, text } from "../../src/region/mod.ts";

/** A schema as a library of schemas makes it, for an object whose property of a name is a number. */
function hasNumber<const K extends string>(key: K): StandardSchema<Record<K, number>> {
  return {
    "~standard": {
      version: 1,
      vendor: "bench",
      validate(value) {
        const given = value as Record<K, number> | null;
        if (typeof given?.[key] === "number") return { value: given };
        return { issues: [{ message: `expected a number`, path: [key] }] };
      },
    },
  };
}

const Note = struct("note", { by: f64, text: text(52) });
const Total = struct("total", { n: f64 });

/** `add`, `sum` and `take` in layouts as C has them; `pack` by MessagePack, and its schema's word. */
export const Counter = protocol("bench.counter", {
  add: msg(Note),
  sum: msg(Note).reply(Total),
  pack: msg(hasNumber("by")).reply(hasNumber("n")),
  take: msg(undefined, { codec: "raw" }).reply(Total),
});

export default actor(import.meta, Counter, () => {
  let total = 0;
  return {
    add({ by }) {
      total += by;
    },
    sum: ({ by }) => ({ n: total += by }),
    pack: ({ by }) => ({ n: total += by }),
    take: ({ length }) => ({ n: length }),
  };
});
