/**
 * A stream: an endless one, of which five items are taken.
 *
 *     deno run --allow-ffi --allow-read examples/stream.ts
 */

import { system, uniqueName } from "../mod.ts";
import tickerActor from "./actors/ticker.ts";

const shop = await system(uniqueName("stream").slice(1));
try {
  const ticker = await shop.spawn(tickerActor, { in: "worker" });

  // credit: how many items may be on their way; so far the actor is ahead, and no farther.
  for await (const { n, square } of ticker.squares({ first: 10 }, { credit: 4 })) {
    console.log(`${n} × ${n} = ${square}`);
    if (n === 14) break; // which ends the handler, too
  }
  const { count } = await ticker.made();
  console.log(count <= 5 + 4 ? "it made no more than it had credit for" : `it made ${count}`);
} finally {
  await shop.close();
}
