/** Two actors, one of which can be made to crash. */

import { actor, msg, protocol, struct, text, u32 } from "../../mod.ts";

const State = struct("state", { jobs: u32, incarnation: u32 });

export const Floor = protocol("floor", {
  work: msg(struct("job", { name: text(32) })),
  state: msg().reply(State),
});

/** It works. A module can have several actors, each of which says by which name it is exported. */
export const worker = actor(import.meta, Floor, (context) => {
  let jobs = 0;
  return {
    work({ name }) {
      if (name === "impossible") throw new Error("this cannot be done"); // ends this incarnation
      jobs++;
    },
    state: () => ({ jobs, incarnation: context.incarnation }),
  };
}, { export: "worker" });

/** It notes what was done, and must not survive the worker whose work it notes. */
export const clerk = actor(import.meta, Floor, (context) => {
  let jobs = 0;
  return {
    work: () => void jobs++,
    state: () => ({ jobs, incarnation: context.incarnation }),
  };
}, { export: "clerk" });
