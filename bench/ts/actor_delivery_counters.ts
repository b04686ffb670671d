/** The actors whose deliveries are measured: they add what they are told, by three promises. */

import { actor, type Delivery, handledIds, msg, once, protocol } from "../../src/actor/mod.ts";
import { f64, record, Region, struct, text } from "../../src/region/mod.ts";

const Note = struct("note", { by: f64, text: text(52) });
const Total = struct("total", { n: f64 });

/** Where the third counts. */
export const Totals = struct("totals", { total: record({ n: f64, handled: handledIds(64) }) });

/** `add` and `sum` as of bench/ts/actor_counter.ts. */
function adding(delivery: Delivery) {
  return { add: msg(Note, { delivery }), sum: msg(Note, { delivery }).reply(Total) };
}

const Plain = protocol("bench.plain", adding("at-most-once"));
const Kept = protocol("bench.kept", adding("at-least-once"));
const Counted = protocol("bench.counted", adding("at-least-once"));

function handlers() {
  let total = 0;
  return {
    add({ by }: { by: number }) {
      total += by;
    },
    sum: ({ by }: { by: number }) => ({ n: total += by }),
  };
}

export const plain = actor(import.meta, Plain, handlers, { export: "plain" });

export const kept = actor(import.meta, Kept, handlers, { export: "kept" });

/** Its total is in a region of that name. */
export const counted = actor(import.meta, Counted, (_context, regionName: string) => {
  const { total } = Region.open(regionName, Totals).fields;
  const add = (by: number, id: string) => once(total, id, (draft) => void (draft.n += by));
  return {
    add: ({ by }, { id }) => void add(by, id),
    sum({ by }, { id }) {
      add(by, id);
      return { n: total.read().n };
    },
  };
}, { export: "counted" });
