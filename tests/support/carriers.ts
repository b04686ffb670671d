/** Carriers for tests: made and opened by their names, and two sides that keep both busy. */

import "./loaded.ts";
import { MessageQueue, SharedMemory } from "../../mod.ts";
import type { Inbox, Outbox } from "../../src/actor/carriers/carrier.ts";
import {
  createQueueInbox,
  openQueueInbox,
  openQueueOutbox,
} from "../../src/actor/carriers/queue.ts";
import { createRingInbox, openRingInbox, openRingOutbox } from "../../src/actor/carriers/ring.ts";
import { CONTROL_PRIORITY } from "../../src/actor/wire/priorities.ts";

/** A carrier between processes, as small as tests need it. */
export interface NamedCarrier {
  create(name: string): Inbox;
  openInbox(name: string): Inbox;
  openOutbox(name: string): Outbox;
  unlink(name: string): void;
}

/** Room for a handful of frames in each. */
export const SMALL_QUEUE = { maxMessages: 10, maxMessageBytes: 256 };
export const SMALL_RING = { lanes: 8, messageBytes: 1024, controlBytes: 512 };

/** Those that other processes can open. */
export const NAMED_CARRIERS: Readonly<Record<"queue" | "ring", NamedCarrier>> = {
  queue: {
    create: (name) => createQueueInbox(name, SMALL_QUEUE),
    openInbox: openQueueInbox,
    openOutbox: openQueueOutbox,
    unlink: (name) => MessageQueue.unlink(name),
  },
  ring: {
    create: (name) => createRingInbox(name, SMALL_RING),
    openInbox: openRingInbox,
    openOutbox: openRingOutbox,
    unlink: (name) => SharedMemory.unlink(name),
  },
};

/** One of two sides that ask each other. */
export interface Side {
  readonly inbox: Inbox;
  /** The way to the other side. */
  readonly outbox: Outbox;
  /** How many questions each side asks. */
  readonly asks: number;
}

/** So many questions are on the way: more than a carrier has room for, as credit allows. */
const CREDIT = 32;

const ASK = 1, ANSWER = 2;

/**
 * Asks as fast as it can, and answers the other side. Like an endpoint it takes each frame at once
 * and never waits for an answer of its own to go, so two full carriers do not stop each other.
 */
export async function askAndAnswer({ inbox, outbox, asks }: Side): Promise<void> {
  const into = new Uint8Array(inbox.maxFrameBytes), answer = new Uint8Array([ANSWER]);
  const answering: Promise<void>[] = [];
  let answered = 0, served = 0;
  let room: () => void = () => {};
  const asking = (async () => {
    for (let asked = 0; asked < asks; asked++) {
      while (asked - answered >= CREDIT) await new Promise<void>((resolve) => room = resolve);
      await outbox.send(new Uint8Array([ASK]), "message", asked % 3);
    }
  })();
  while (answered < asks || served < asks) {
    await inbox.take(into);
    if (into[0] === ANSWER) {
      answered++;
      room();
    } else {
      served++;
      if (outbox.trySend(answer, "control", CONTROL_PRIORITY)) continue;
      answering.push(outbox.send(answer, "control", CONTROL_PRIORITY));
    }
  }
  await Promise.all([asking, ...answering]);
}

/** A frame of numbers: the sender's, its own, and a length and bytes that follow from both. */
export function numberedFrame(sender: number, index: number): Uint8Array {
  const frame = new Uint8Array(8 + (index * 7 + sender) % 90).fill(index + sender);
  new Uint32Array(frame.buffer, 0, 2).set([sender, index]);
  return frame;
}

/** Whose frame it is and which; throws when it is none, or not whole. */
export function numbersOf(into: Uint8Array, byteLength: number): [sender: number, index: number] {
  const frame = into.slice(0, byteLength);
  if (byteLength < 8) throw new Error(`a frame of ${byteLength} bytes`);
  const [sender, index] = new Uint32Array(frame.buffer, 0, 2) as unknown as [number, number];
  const expected = numberedFrame(sender, index);
  if (expected.length === frame.length && expected.every((byte, i) => byte === frame[i])) {
    return [sender, index];
  }
  throw new Error(`frame ${index} of sender ${sender} is not what was sent: ${frame}`);
}
