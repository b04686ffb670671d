/**
 * Imports the library, makes a queue, sends one message, unlinks the queue.
 *
 * Takes no arguments: the module to read them with would cost more than what is measured.
 */

import { MessageQueue, uniqueName } from "../../mod.ts";

const name = uniqueName("bench");
using queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 64 });
MessageQueue.unlink(name);
queue.trySend("x");
