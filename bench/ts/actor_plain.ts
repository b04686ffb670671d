/** actor_plain ROLE: no library: an object, whose messages wait in a chain of promises. */

import { run } from "./actor_loops.ts";
import { args } from "./loop.ts";

const [role] = args("ROLE") as [string];

await run(role, {
  start() {
    let total = 0, last = Promise.resolve(0);
    const add = ({ by }: { by: number }) => last = last.then(() => total += by);
    return { tell: (note) => void add(note), ask: add, stop() {} };
  },
});
