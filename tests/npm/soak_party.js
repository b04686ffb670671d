/**
 * One of the parties of soak_test.ts, in JavaScript: the same file runs under Deno and under Node.
 *
 * Sends to every queue and receives from those that it is told, with nothing but awaited calls, of
 * which many are called off. Fails at once at a message that is not as it was sent or comes before
 * an older one of its stream: those of one sender with one priority in one queue. Prints `ready`,
 * begins at a line of standard input, prints `sent` and at last what it did.
 *
 * Arguments: LIBRARY SELF EACH COUNTS RECEIVES QUEUE QUEUE QUEUE QUEUE
 */

import { once } from "node:events";
import process from "node:process";

const [library, self, each, countsName, receives, ...queueNames] = process.argv.slice(2);
const { MessageQueue, SharedMemory } = await import(library);

// LAYOUT: as soak_test.ts draws it; soak_peer.c has the same numbers.
const PARTIES = 8, LEVELS = 4, LEVEL_STEP = 8192, END_PRIORITY = 0, HASH = 2654435761;
const SELF = Number(self), EACH = Number(each);

/** One wait in so many is called off, unless it is over before. */
const IMPATIENT = 3;

const counts = SharedMemory.open(countsName).bytes;
const queues = queueNames.map((name) => MessageQueue.open(name));
const did = { sent: 0, received: 0, cancelled: 0 };

let state = SELF + 1;
function below(bound) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
}

function must(done, what, ...numbers) {
  if (!done) throw new Error(`${what} (${numbers.join(", ")})`);
}

const streamOf = (queue, sender, level) => (queue * PARTIES + sender) * LEVELS + level;
const checkOf = (index) => Math.imul(index + 1, HASH) >>> 0;

/** The moments at which a signal is aborted. */
const MOMENTS = [(abort) => abort(), queueMicrotask, setImmediate, (abort) => setTimeout(abort, 1)];

function abortSoon(controller) {
  MOMENTS[below(MOMENTS.length)](() => controller.abort());
}

/** What a wait is given to end it early: mostly nothing. */
function impatience() {
  if (below(IMPATIENT) !== 0) return undefined;
  if (below(2) === 0) return { timeoutMs: below(3) };
  const controller = new AbortController();
  abortSoon(controller);
  return { signal: controller.signal };
}

/** What the call gives, or `undefined` when it was called off, as it was told to be. */
async function unlessCalledOff(call, options) {
  try {
    return await call(options);
  } catch (error) {
    const expected = options?.signal === undefined
      ? options?.timeoutMs !== undefined && error.name === "TimeoutError"
      : error === options.signal.reason;
    if (!expected) throw error;
    did.cancelled++;
    return undefined;
  }
}

// One buffer for all: a message that has to wait is copied, so the buffer is free at once.
const outgoing = new Uint32Array(4), outgoingBytes = new Uint8Array(outgoing.buffer);

async function send(queue, level, sequence, options) {
  const priority = 1 + LEVEL_STEP * level;
  const check = checkOf(streamOf(queue, SELF, level) * EACH + sequence);
  outgoing.set([SELF, priority, sequence, check]);
  await queues[queue].send(outgoingBytes, { priority, ...options });
  did.sent++;
  return true;
}

/** Sends a stream: one message that may be called off and sent again, or several at once. */
async function sendStream(queue, level) {
  for (let next = 0; next < EACH;) {
    const several = Math.min(1 + below(3), EACH - next);
    if (several === 1) {
      const sent = await unlessCalledOff((how) => send(queue, level, next, how), impatience());
      if (sent) next++;
    } else {
      await Promise.all(Array.from({ length: several }, () => send(queue, level, next++)));
    }
  }
}

/** What looks at the messages of one queue; gives true at the end. */
function judge(queue) {
  const newest = new Int32Array(PARTIES * LEVELS).fill(-1);
  return (data, priority) => {
    if (priority === END_PRIORITY) return true;
    must(data.byteLength === 16, "not the length of a message", data.byteLength);
    const words = new Uint32Array(data.buffer, data.byteOffset, 4);
    const [sender, itsPriority, sequence, check] = words;
    must(priority === itsPriority, "not the priority it was sent with", priority, ...words);
    const level = (priority - 1) / LEVEL_STEP, stream = streamOf(queue, sender, level);
    const index = stream * EACH + sequence;
    must(check === checkOf(index), "not the bytes of a message here", queue, ...words);
    const here = stream - streamOf(queue, 0, 0);
    must(sequence > newest[here], "out of order", queue, sender, priority, sequence, newest[here]);
    newest[here] = sequence;
    Atomics.add(counts, index, 1);
    did.received++;
    return false;
  };
}

/** The ways to receive: each takes some messages, and gives true when the end was among them. */
const WAYS = [
  async function iterate(queue, isEnd) {
    let left = 1 + below(30);
    for await (const { data, priority } of queue) {
      if (isEnd(data, priority)) return true;
      if (--left === 0) return false;
    }
  },
  async function receive(queue, isEnd) {
    const message = await unlessCalledOff((how) => queue.receive(how), impatience());
    return message !== undefined && isEnd(message.data, message.priority);
  },
  async function receiveInto(queue, isEnd) {
    const data = new Uint8Array(queue.maxMessageBytes);
    const got = await unlessCalledOff((how) => queue.receiveInto(data, how), impatience());
    return got !== undefined && isEnd(data.subarray(0, got.byteLength), got.priority);
  },
  async function receiveSeveral(queue, isEnd) {
    const enough = new AbortController(), { signal } = enough;
    const call = () => unlessCalledOff((how) => queue.receive(how), { signal });
    const calls = [call(), call(), call()];
    if (below(IMPATIENT) === 0) abortSoon(enough);
    let ended = false;
    for (const message of calls) {
      const { data, priority } = await message ?? {};
      if (data === undefined || !isEnd(data, priority)) continue;
      ended = true;
      enough.abort(); // nothing comes for the others
    }
    return ended;
  },
];

/** Receives until the end comes, and hands it on to the next. */
async function receiveAll(index) {
  const queue = queues[index], isEnd = judge(index);
  while (!await WAYS[below(WAYS.length)](queue, isEnd));
  await queue.send("", { priority: END_PRIORITY });
}

console.log("ready");
await once(process.stdin, "data");
process.stdin.destroy();

const receiving = receives.split(",").map((index) => receiveAll(Number(index)));
const sending = queues.flatMap((_, queue) =>
  Array.from({ length: LEVELS }, (_, level) => sendStream(queue, level))
);
const allSent = Promise.all(sending).then(() => console.log("sent"));
await Promise.all([allSent, ...receiving]);
console.log(JSON.stringify(did));
