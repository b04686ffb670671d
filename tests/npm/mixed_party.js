/**
 * One of the parties of mixed_test.ts, in JavaScript: the same file runs under Deno and under Node.
 *
 * Sends its messages to both others and receives theirs, in their order; for each message that it
 * sends it adds one to two words of the segment. Prints how many it got from whom.
 *
 * Arguments: LIBRARY ID MESSAGES MEMORY OWN_QUEUE OTHER_QUEUE OTHER_QUEUE
 */

import process from "node:process";

const [library, id, messages, memoryName, ownName, ...otherNames] = process.argv.slice(2);
const { MessageQueue, SharedMemory } = await import(library);
const PARTIES = otherNames.length + 1, COUNT = Number(messages), HASH = 2654435761;

function must(done, what) {
  if (!done) throw new Error(`${what} is not as it was sent`);
}

const memory = SharedMemory.open(memoryName);
// LAYOUT: as `struct words` of mixed_peer.c.
const sum64 = new BigUint64Array(memory.buffer, 0, 1);
const words = new Uint32Array(memory.buffer, 8, 2), SUM32 = 0, READY = 1;
const own = MessageQueue.open(ownName, { access: "r" });
const others = otherNames.map((name) => ({
  queue: MessageQueue.open(name, { access: "w" }),
  sent: 0,
}));

Atomics.add(words, READY, 1);
while (Atomics.load(words, READY) < PARTIES) await new Promise((done) => setTimeout(done, 1));

// LAYOUT: as `struct message` of mixed_peer.c.
const bytes = new Uint8Array(9), view = new DataView(bytes.buffer);
const received = new Array(PARTIES).fill(0);

function send(other) {
  view.setUint8(0, Number(id));
  view.setUint32(1, other.sent, true);
  view.setUint32(5, Math.imul(other.sent, HASH), true);
  if (!other.queue.trySend(bytes)) return false;
  other.sent++;
  Atomics.add(sum64, 0, 1n);
  Atomics.add(words, SUM32, 1);
  return true;
}

function take(message) {
  if (message === undefined) return false;
  const { buffer, byteLength } = message.data, view = new DataView(buffer);
  must(byteLength === 9 && message.priority === 0, "a message");
  const sender = view.getUint8(0), count = view.getUint32(1, true);
  must(count === received[sender]++, "the order of a sender");
  must(view.getUint32(5, true) === Math.imul(count, HASH) >>> 0, "the bytes of a message");
  return true;
}

const total = () => received.reduce((sum, count) => sum + count);
while (others.some(({ sent }) => sent < COUNT) || total() < COUNT * others.length) {
  let progress = false;
  for (const other of others) {
    if (other.sent < COUNT && send(other)) progress = true;
  }
  if (take(own.tryReceive())) progress = true;
  if (!progress) take(own.receiveSync({ timeoutMs: 1 }));
}
console.log(JSON.stringify(received));
