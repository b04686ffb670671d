/** send_receive NAME BYTES: trySend and tryReceiveInto on one handle; bench/c/send_receive.c in C. */

import { MessageQueue } from "../../mod.ts";
import { args, must, serve } from "./loop.ts";

const [name, bytes] = args("NAME", "BYTES") as [string, string];
const byteLength = Number(bytes);
using queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: byteLength });
MessageQueue.unlink(name);
const sent = new Uint8Array(byteLength).fill(120);
const received = new Uint8Array(byteLength);

serve((iterations) => {
  for (let i = 0; i < iterations; i++) {
    must(queue.trySend(sent), "trySend");
    must(queue.tryReceiveInto(received)?.byteLength === byteLength, "tryReceiveInto");
  }
});
