/** A counter, for tests: it lives here, in a worker or in a process. */

import { actor, msg, protocol } from "../../../src/actor/mod.ts";
import { f64, struct } from "../../../src/region/mod.ts";

const Number = struct("number", { n: f64 });

export const Counter = protocol("test.counter", {
  add: msg(Number),
  slowAdd: msg(Number),
  total: msg().reply(Number),
  fail: msg(Number).reply(Number),
  crash: msg(),
  exit: msg(Number),
  hang: msg().reply(Number),
  count: msg(Number).stream(Number),
  bytes: msg(undefined, { codec: "raw" }).reply(undefined, { codec: "raw" }),
});

export default actor(import.meta, Counter, (context, init: { start: number }) => {
  let total = init.start;
  return {
    add: ({ n }) => {
      total += n;
    },
    async slowAdd({ n }) {
      await Promise.resolve();
      total += n;
    },
    total: () => ({ n: total }),
    fail({ n }) {
      throw new RangeError(`failed with ${n}`);
    },
    crash() {
      throw new Error("crashed as asked");
    },
    exit({ n }) {
      globalThis.process.exit(n);
    },
    hang: (_none, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
    async *count({ n }, { signal }) {
      for (let i = 0; i < n && !signal.aborted; i++) {
        yield { n: i };
        await Promise.resolve();
      }
      context.log.debug("counted");
    },
    bytes: (data) => data.toReversed(),
  };
});
