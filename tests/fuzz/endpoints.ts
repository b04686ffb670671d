/**
 * Throws random and mutated frames at an actor that lives: into the inbox of its endpoint, its ring,
 * or its mailbox. Half of those that nothing is wrong with are for it, of its own kinds.
 */

import type { Outbox } from "../../src/actor/carriers/carrier.ts";
import { addressOf, type AnyRef } from "../../src/actor/protocol/ref.ts";
import { decodeFrame } from "../../src/actor/wire/frame.ts";
import { Subject } from "../actor/actors/subject.ts";
import { Random } from "../support/random.ts";
import { FrameSource } from "./frames.ts";

/** What is thrown, and at what. */
export interface EndpointFuzzOptions {
  readonly actor: AnyRef;
  readonly outbox: Outbox;
  readonly frames: number;
  readonly seed: number;
}

/** Kinds that do no harm whatever they are given. */
const { note, wholeNote, whole, wholeLater, echo, bytes, fail, failLater } = Subject.kinds;
const TAGS = [note, wholeNote, whole, wholeLater, echo, bytes, fail, failLater].map(({ tag }) =>
  tag
);

/** Throws the frames. @returns How many of them are none, for each problem. */
export async function fuzzEndpoint(
  { actor, outbox, frames, seed }: EndpointFuzzOptions,
): Promise<Map<string, number>> {
  const random = new Random(seed), { actor: to, mailbox } = addressOf(actor);
  const targets = { to: mailbox === undefined ? to : 0, tags: TAGS };
  const source = new FrameSource(random, Math.min(outbox.maxFrameBytes, 1024), targets);
  const problems = new Map<string, number>();
  for (let count = 0; count < frames; count++) {
    const frame = source.next(), judged = decodeFrame(frame, frame.length);
    if ("problem" in judged) problems.set(judged.problem, (problems.get(judged.problem) ?? 0) + 1);
    await outbox.send(frame, random.oneIn(2) ? "message" : "control", random.below(32_768));
  }
  return problems;
}
