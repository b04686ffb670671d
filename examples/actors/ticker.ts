/** Answers by a stream: as many items as are taken, and no more. */

import { actor, f64, msg, protocol, struct, u32 } from "../../mod.ts";

export const Ticker = protocol("ticker", {
  squares: msg(struct("from", { first: u32 })).stream(struct("square", { n: u32, square: f64 })),
  made: msg().reply(struct("made", { count: u32 })),
});

export default actor(import.meta, Ticker, () => {
  let count = 0;
  return {
    // It runs as far as whoever asked gives it credit, and ends when they leave.
    *squares({ first }) {
      for (let n = first;; n++) {
        count++;
        yield { n, square: n * n };
      }
    },
    made: () => ({ count }),
  };
});
