/** await_queue ROLE THERE BACK spin|parked: Postbox, awaited; bench/c/await.c blocks instead. */

import { MessageQueue } from "../../mod.ts";
import { run } from "./await_loops.ts";
import { args, say } from "./loop.ts";

const [role, there, back, how] = args("ROLE", "THERE", "BACK", "HOW") as [
  string,
  string,
  string,
  string,
];
const spin = how === "spin";
const isPeer = role === "peer";
using out = MessageQueue.open(isPeer ? back : there, { access: "w", spin });
using into = MessageQueue.open(isPeer ? there : back, { access: "r", spin });

if (isPeer) say("ready");
await run(role, {
  send: (message) => out.send(message),
  receive: () => into.receive(),
  messages: () => into,
  close() {},
});
