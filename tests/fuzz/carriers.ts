/**
 * Throws random and mutated frames into a carrier and counts what comes out, by what is wrong with
 * it. Each must come out once, as it went in: nothing crashes, hangs, or is counted twice.
 */

import type { Inbox, Outbox } from "../../src/actor/carriers/carrier.ts";
import { crc32c } from "../../src/actor/wire/crc32c.ts";
import { decodeFrame } from "../../src/actor/wire/frame.ts";
import { CONTROL_PRIORITY } from "../../src/actor/wire/priorities.ts";
import { Random } from "../support/random.ts";
import { FrameSource } from "./frames.ts";

/** Takes a frame that came out, and says why it was refused; `undefined` when it was not. */
export type Receive = (bytes: Uint8Array, byteLength: number) => string | undefined;

/** What is thrown, and at what. */
export interface FuzzOptions {
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  /** How many frames. */
  readonly frames: number;
  readonly seed: number;
  /** @default {what decodeFrame() says} */
  readonly receive?: Receive;
}

/** The key of frames that nothing is wrong with. */
export const VALID = "valid";

/** What decodeFrame() says. */
export const judged: Receive = (bytes, byteLength) => {
  const frame = decodeFrame(bytes, byteLength);
  return "problem" in frame ? frame.problem : undefined;
};

/**
 * Throws the frames, and takes them whenever there is no room.
 *
 * @returns How many there were for each reason; their sum is `frames`.
 * @throws {Error} With the seed, when one is lost, changed, or comes twice.
 */
export function fuzzCarrier(
  { inbox, outbox, frames, seed, receive = judged }: FuzzOptions,
): Map<string, number> {
  const random = new Random(seed), source = new FrameSource(random, outbox.maxFrameBytes);
  const into = new Uint8Array(inbox.maxFrameBytes);
  const counts = new Map<string, number>(), underWay = new Map<string, number>();
  let count = 0;
  const drain = () => {
    for (let byteLength; (byteLength = inbox.tryTake(into)) !== undefined;) {
      const key = keyOf(into, byteLength);
      const left = (underWay.get(key) ?? 0) - 1;
      if (left < 0) throw new Error(`a frame of ${byteLength} bytes came that was not sent`);
      if (left === 0) underWay.delete(key);
      else underWay.set(key, left);
      const reason = receive(into, byteLength) ?? VALID;
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    if (underWay.size > 0) throw new Error(`${underWay.size} frames did not come`);
  };
  try {
    for (; count < frames; count++) {
      const frame = source.next(), key = keyOf(frame, frame.length);
      const lane = random.oneIn(4) ? "control" : "message";
      const priority = lane === "control" ? CONTROL_PRIORITY : random.below(3);
      if (!outbox.trySend(frame, lane, priority)) {
        drain();
        if (!outbox.trySend(frame, lane, priority)) throw new Error("there is no room when empty");
      }
      underWay.set(key, (underWay.get(key) ?? 0) + 1);
    }
    drain();
  } catch (cause) {
    throw new Error(`seed ${seed}, frame ${count}: ${cause}`, { cause });
  }
  return counts;
}

function keyOf(bytes: Uint8Array, byteLength: number): string {
  return `${byteLength}:${crc32c(bytes, 0, byteLength)}`;
}
