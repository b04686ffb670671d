/**
 * native_queue ROLE THERE BACK NATIVE: messages in batches, awaited; beside bench/c/await.c.
 *
 * NATIVE: the path of the native driver, or `-` for none.
 */

import { MessageBatch, MessageQueue } from "../../mod.ts";
import { run } from "./await_loops.ts";
import { MESSAGE_BYTES } from "./await_message.ts";
import { args, say } from "./loop.ts";
import { chooseDriver } from "./native_choice.ts";

const [role, there, back, native] = args("ROLE", "THERE", "BACK", "NATIVE") as [
  string,
  string,
  string,
  string,
];
chooseDriver(native);
const isPeer = role === "peer";
using out = MessageQueue.open(isPeer ? back : there, { access: "w" });
using into = MessageQueue.open(isPeer ? there : back, { access: "r" });

/** More than the queue holds: while one call takes messages, the peer makes more. */
const batch = new MessageBatch({ maxMessages: 64, maxMessageBytes: MESSAGE_BYTES });
/** The first message of the batch, as the loops want it. */
const first = new Uint8Array(MESSAGE_BYTES);

if (isPeer) say("ready");
await run<number>(role, {
  send: (message) => out.trySend(message) ? undefined : out.send(message),
  receive: () => into.receiveBatch(batch),
  receiveMany: () => into.receiveBatch(batch),
  messageIn() {
    first.set(batch.bytes(0));
    return first;
  },
  close() {},
});
