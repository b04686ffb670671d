/**
 * Every way that the library and C have to move a message, behind two interfaces: the rows of the
 * four transferring calls run over all of them, so that all are held to the same words.
 */

import { MessageQueue } from "../../mod.ts";
import { assert } from "../assert.ts";
import { queueName } from "../support/names.ts";
import { children, say } from "./children.ts";
import { codeOf } from "./engine.ts";
import {
  C,
  type Descriptor,
  interruptSoon,
  mqOpen,
  mqReceive,
  mqSend,
  mqTimedsend,
  opened,
  realtime,
  type Received,
  WAITING,
} from "./raw.ts";

export const SIZES = { maxMessages: 2, maxMessageBytes: 16 };
export const FAR_MS = 600_000;
export const encoder = new TextEncoder();

/** What a sending call answered: "sent", or the code that it was refused with. */
type Sent = string;

/** A handle that sends in one particular way. */
export interface Sender extends Disposable {
  send(data: Uint8Array, priority: number): Sent;
}

/** A handle that receives in one particular way. */
export interface Receiver extends Disposable {
  receive(): Received;
  /** With a buffer of the caller's; `undefined` where the way brings its own. */
  receiveInto?(bufferBytes: number): Received;
}

/** How to open a handle by name: `waits` as C's calls do, or not. */
export interface Way<H> {
  label: string;
  /** The system call in which a thread that uses this way waits. */
  waitsIn: number;
  open(name: string, access: "r" | "w" | "rw", waits?: boolean): H;
}

const ACCESS = { r: C.O_RDONLY, w: C.O_WRONLY, rw: C.O_RDWR };

function rawHandle(name: string, access: "r" | "w" | "rw", waits: boolean): Descriptor {
  return opened(mqOpen(name, ACCESS[access] | (waits ? 0 : C.O_NONBLOCK)));
}

/** "sent" for true, `otherwise` for false, and the code of a refusal. */
function sentOr(otherwise: string, run: () => boolean): Sent {
  let sent = false;
  const code = codeOf(() => void (sent = run()));
  return code !== "ok" ? code : sent ? "sent" : otherwise;
}

/** The message, `otherwise` for undefined, and the code of a refusal. */
function receivedOr(
  otherwise: string,
  run: () => { text(): string; priority: number } | undefined,
): Received {
  let received: Received = otherwise;
  const code = codeOf(() => {
    const message = run();
    if (message !== undefined) received = { text: message.text(), priority: message.priority };
  });
  return code === "ok" ? received : code;
}

const sentOf = (result: number | string): Sent => result === 0 ? "sent" : String(result);

export const SENDERS = {
  mq_send: [
    {
      label: "trySend(), sendSync()",
      waitsIn: WAITING.poll,
      open(name, access, waits = false) {
        const queue = MessageQueue.open(name, { access });
        return {
          send: (data, priority) =>
            sentOr(
              "EAGAIN",
              () => waits ? queue.sendSync(data, { priority }) : queue.trySend(data, { priority }),
            ),
          [Symbol.dispose]: () => queue.close(),
        };
      },
    },
    {
      label: "mq_send()",
      waitsIn: WAITING.mq_timedsend,
      open(name, access, waits = false) {
        const handle = rawHandle(name, access, waits);
        return {
          send: (data, priority) => sentOf(mqSend(handle.fd, data, priority)),
          [Symbol.dispose]: () => handle.close(),
        };
      },
    },
  ],
  mq_timedsend: [
    {
      label: "sendSync({ timeoutMs })",
      waitsIn: WAITING.poll,
      open(name, access, waits = false) {
        const queue = MessageQueue.open(name, { access });
        const timeoutMs = waits ? FAR_MS : 0;
        return {
          send: (data, priority) =>
            sentOr("EAGAIN", () => queue.sendSync(data, { priority, timeoutMs })),
          [Symbol.dispose]: () => queue.close(),
        };
      },
    },
    {
      label: "mq_timedsend()",
      waitsIn: WAITING.mq_timedsend,
      open(name, access, waits = false) {
        const handle = rawHandle(name, access, waits);
        return {
          send: (data, priority) =>
            sentOf(mqTimedsend(handle.fd, data, priority, realtime(FAR_MS))),
          [Symbol.dispose]: () => handle.close(),
        };
      },
    },
  ],
} satisfies Record<string, Way<Sender>[]>;

export const RECEIVERS = {
  mq_receive: [
    {
      label: "tryReceive(), receiveSync()",
      waitsIn: WAITING.poll,
      open(name, access, waits = false) {
        const queue = MessageQueue.open(name, { access });
        return {
          receive: () =>
            receivedOr("EAGAIN", () => waits ? queue.receiveSync() : queue.tryReceive()),
          [Symbol.dispose]: () => queue.close(),
        };
      },
    },
    {
      label: "tryReceiveInto(), receiveIntoSync()",
      waitsIn: WAITING.poll,
      open(name, access, waits = false) {
        const queue = MessageQueue.open(name, { access });
        const receiveInto = (bufferBytes: number) =>
          receivedOr("EAGAIN", () => {
            const buffer = new Uint8Array(bufferBytes);
            const got = waits ? queue.receiveIntoSync(buffer) : queue.tryReceiveInto(buffer);
            if (got === undefined) return undefined;
            const text = new TextDecoder().decode(buffer.subarray(0, got.byteLength));
            return { text: () => text, priority: got.priority };
          });
        return {
          receive: () => receiveInto(SIZES.maxMessageBytes),
          receiveInto,
          [Symbol.dispose]: () => queue.close(),
        };
      },
    },
    {
      label: "mq_receive()",
      waitsIn: WAITING.mq_timedreceive,
      open(name, access, waits = false) {
        const handle = rawHandle(name, access, waits);
        return {
          receive: () => mqReceive(handle.fd),
          receiveInto: (bufferBytes) => mqReceive(handle.fd, bufferBytes),
          [Symbol.dispose]: () => handle.close(),
        };
      },
    },
  ],
  mq_timedreceive: [
    {
      label: "receiveSync({ timeoutMs })",
      waitsIn: WAITING.poll,
      open(name, access, waits = false) {
        const queue = MessageQueue.open(name, { access });
        const timeoutMs = waits ? FAR_MS : 0;
        return {
          receive: () => receivedOr("EAGAIN", () => queue.receiveSync({ timeoutMs })),
          [Symbol.dispose]: () => queue.close(),
        };
      },
    },
    {
      label: "mq_timedreceive()",
      waitsIn: WAITING.mq_timedreceive,
      open(name, access, waits = false) {
        const handle = rawHandle(name, access, waits);
        return {
          receive: () => mqReceive(handle.fd, SIZES.maxMessageBytes, realtime(FAR_MS)),
          receiveInto: (bufferBytes) => mqReceive(handle.fd, bufferBytes, realtime(FAR_MS)),
          [Symbol.dispose]: () => handle.close(),
        };
      },
    },
  ],
} satisfies Record<string, Way<Receiver>[]>;

export type Sending = keyof typeof SENDERS;
export type Receiving = keyof typeof RECEIVERS;

/** What a child does; see `children.ts`. */
export const programs = {
  /** Sends into a full queue. Says so before and after. */
  sendWaiting(name: string, how: string, way: string) {
    using sender = (SENDERS[how as Sending] as Way<Sender>[])[Number(way)]!.open(name, "w", true);
    say("sending");
    return sender.send(encoder.encode("late"), 7);
  },

  /** Receives from an empty queue. Says so before and after. */
  receiveWaiting(name: string, how: string, way: string) {
    using receiver = (RECEIVERS[how as Receiving] as Way<Receiver>[])[Number(way)]!
      .open(name, "r", true);
    say("receiving");
    return receiver.receive();
  },

  /** Sends into a full queue while signals arrive. */
  sendInterrupted(name: string, how: string, way: string) {
    using sender = (SENDERS[how as Sending] as Way<Sender>[])[Number(way)]!.open(name, "w", true);
    interruptSoon();
    return sender.send(encoder.encode("never"), 7);
  },

  /** Receives from an empty queue while signals arrive. */
  receiveInterrupted(name: string, how: string, way: string) {
    using receiver = (RECEIVERS[how as Receiving] as Way<Receiver>[])[Number(way)]!
      .open(name, "r", true);
    interruptSoon();
    return receiver.receive();
  },
};

export const child = children(import.meta.url, programs);

/** A queue with a name, for the ways to open it by. */
export function namedQueue(): Disposable & { name: string; queue: MessageQueue } {
  const it = queueName();
  const queue = MessageQueue.create(it.name, SIZES);
  return {
    name: it.name,
    queue,
    [Symbol.dispose]() {
      queue.close();
      it[Symbol.dispose]();
    },
  };
}

export function fill(queue: MessageQueue): void {
  while (queue.trySend("full")) assert(queue.length <= queue.maxMessages);
}

/** Everything that waits, in the order in which it comes out: `text@priority`. */
export function drain(queue: MessageQueue): string[] {
  const messages: string[] = [];
  for (let message = queue.tryReceive(); message !== undefined; message = queue.tryReceive()) {
    messages.push(`${message.text()}@${message.priority}`);
  }
  return messages;
}
