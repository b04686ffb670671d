/** first_use NAME: imports the library, opens a queue, sends one message. */

import { MessageQueue } from "../../mod.ts";
import { args } from "./loop.ts";

const [name] = args("NAME") as [string];
using queue = MessageQueue.open(name, { access: "w" });
queue.trySend("x");
