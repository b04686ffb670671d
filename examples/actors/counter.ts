/** A counter: what it understands, and what it does. It can live anywhere. */

import { actor, f64, msg, protocol, struct, u32 } from "../../mod.ts";

/** What is said. A struct is a schema; one of zod, valibot or arktype is as good. */
export const Counter = protocol("counter", {
  add: msg(struct("add", { by: f64 })), // told: nobody waits for an answer
  total: msg().reply(struct("total", { n: f64, pid: u32 })), // asked
});

/** What is done: the setup runs at each start, and its variables are the actor's state. */
export default actor(import.meta, Counter, (context, init: { start: number }) => {
  let n = init.start;
  context.log.info(`starts with ${n}`);
  return {
    add({ by }) {
      n += by;
    },
    total: () => ({ n, pid: globalThis.process.pid }),
  };
});
