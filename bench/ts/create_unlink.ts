/** create_unlink NAME: create, close, unlink; bench/c/create_unlink.c is the same in C. */

import { MessageQueue } from "../../mod.ts";
import { args, serve } from "./loop.ts";

const [name] = args("NAME") as [string];

serve((iterations) => {
  for (let i = 0; i < iterations; i++) {
    MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 64 }).close();
    MessageQueue.unlink(name);
  }
});
