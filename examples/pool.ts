/**
 * A pool: several workers take from one queue of the kernel, so who is free gets the next message.
 *
 *     deno run --allow-ffi --allow-read examples/pool.ts
 */

import { system, uniqueName } from "../mod.ts";
import hasherActor from "./actors/hasher.ts";

const shop = await system(uniqueName("pool").slice(1));
try {
  // One ref for all three. The mailbox is a queue with a name: C programs could send to it, too.
  const hasher = await shop.spawn(hasherActor, { in: "worker", mailbox: "hasher", size: 3 });

  const files = Array.from({ length: 12 }, (_, index) => new Uint8Array(1 << 20).fill(index));
  const replies = await Promise.all(files.map((bytes) => hasher.hash(bytes)));

  const threads = new Set(replies.map(({ thread }) => thread));
  console.log(`${replies.length} hashes by ${threads.size} workers`);
  console.log(`the first is ${replies[0]!.sha256.slice(0, 16)}…`);
} finally {
  await shop.close();
}
