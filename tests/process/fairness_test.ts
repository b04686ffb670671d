/** A thread full of messages still serves its sockets, its timers and the other queues. */

import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { assertEquals, assertGreaterOrEqual } from "../assert.ts";
import { test } from "../harness.ts";
import "../support/loaded.ts";
import { privateQueue } from "../support/names.ts";
import { within } from "../support/until.ts";

test("sockets and timers have their turn beside queues that always have messages", async () => {
  using first = privateQueue(), second = privateQueue();
  const queues = [first, second], rounds = [0, 0];
  let stop = false;
  const loops = queues.map(async (queue, index) => {
    queue.trySend("round");
    for await (const message of queue) {
      if (stop) return;
      rounds[index]!++;
      queue.trySend(message.data); // never empty
    }
  });

  const server = createServer((socket) => socket.pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  await within("the connection", once(socket, "connect"));
  for (let i = 0; i < 20; i++) {
    socket.write(String(i % 10));
    const [echo] = await within("the echo", once(socket, "data"));
    assertEquals(String(echo), String(i % 10));
    await within("a timer", new Promise<void>((resolve) => setTimeout(resolve, 1)));
  }
  socket.destroy();
  server.close();
  await once(server, "close");

  stop = true;
  await within("the loops' end", Promise.all(loops));
  for (const count of rounds) assertGreaterOrEqual(count, 100);
});
