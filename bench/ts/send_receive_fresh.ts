/** send_receive_fresh NAME BYTES: trySend and tryReceive, which gives each message its own array. */

import { MessageQueue } from "../../mod.ts";
import { args, must, serve } from "./loop.ts";

const [name, bytes] = args("NAME", "BYTES") as [string, string];
const byteLength = Number(bytes);
using queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: byteLength });
MessageQueue.unlink(name);
const sent = new Uint8Array(byteLength).fill(120);

serve((iterations) => {
  for (let i = 0; i < iterations; i++) {
    must(queue.trySend(sent), "trySend");
    must(queue.tryReceive()?.data.byteLength === byteLength, "tryReceive");
  }
});
