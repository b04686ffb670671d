/** Programs outside of the system that come again: their queue has the name of the one before. */

import { msg, protocol, system } from "../../src/actor/mod.ts";
import { MessageQueue, uniqueName } from "../../src/mq/mod.ts";
import { f64, struct } from "../../src/region/mod.ts";
import { FRAME_HEADER_BYTES } from "../../src/actor/wire/frame_layout.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import { test } from "../harness.ts";
import "../support/loaded.ts";

const Peer = protocol("test.peer", { put: msg(struct("put", { n: f64 })) });

/** The queue of a program outside. */
function program(name: string): MessageQueue {
  return MessageQueue.create(name, { maxMessages: 4, maxMessageBytes: 256 });
}

test("system.peer() speaks to a program that made its queue anew", async () => {
  await using shop = await system(`test-${crypto.randomUUID()}`);
  const name = uniqueName("test");
  const peer = shop.peer(Peer, name);
  for (const n of [1, 2, 3]) {
    using queue = program(name);
    try {
      await peer.put({ n });
      const { data } = queue.tryReceive()!;
      assertEquals(new DataView(data.buffer).getFloat64(FRAME_HEADER_BYTES, true), n);
    } finally {
      MessageQueue.unlink(name);
    }
  }
});

test("system.peer() rejects when its program took its queue away", async () => {
  await using shop = await system(`test-${crypto.randomUUID()}`);
  const name = uniqueName("test");
  const peer = shop.peer(Peer, name);
  using queue = program(name);
  await peer.put({ n: 1 });
  MessageQueue.unlink(name);
  await assertRejects(() => peer.put({ n: 2 }), Error, "its queue does not exist");
  assertEquals(queue.length, 1);
});
