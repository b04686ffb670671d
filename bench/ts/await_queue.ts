/**
 * await_queue ROLE THERE BACK HOW: Postbox, awaited; bench/c/await.c blocks instead.
 *
 * HOW: `spin` or `parked`; with `-into`, messages are received into one buffer, as C does it.
 */

import { MessageQueue } from "../../mod.ts";
import { run } from "./await_loops.ts";
import { MESSAGE_BYTES } from "./await_message.ts";
import { args, say } from "./loop.ts";

const [role, there, back, how] = args("ROLE", "THERE", "BACK", "HOW") as [
  string,
  string,
  string,
  string,
];
const spin = how.startsWith("spin");
const isPeer = role === "peer";
using out = MessageQueue.open(isPeer ? back : there, { access: "w", spin });
using into = MessageQueue.open(isPeer ? there : back, { access: "r", spin });

const buffer = new Uint8Array(MESSAGE_BYTES);

if (isPeer) say("ready");
await run<unknown>(role, {
  send: (message) => out.send(message),
  ...(how.endsWith("-into")
    ? { receive: () => into.receiveInto(buffer), messageIn: () => buffer }
    : { receive: () => into.receive(), messages: () => into }),
  close() {},
});
