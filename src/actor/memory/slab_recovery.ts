/**
 * What is freed after a death: blocks whose owner is dead, and blocks whose message is gone.
 *
 * Rule: slab_layout.ts says why each step is sound, and in which order. Nothing here believes that
 * somebody is dead but by the lock of its endpoint.
 */

import type { HandOvers } from "./hand_overs.ts";
import { bodyIn, type Owner, stateIn, wordOf } from "./owner.ts";
import { FREE, IN_FLIGHT, QUEUED, WRITING } from "./slab_layout.ts";
import type { MailboxKey, SlabSegment } from "./slab_segment.ts";

/** Frees the blocks of a segment that dead ones were writing or reading; how many those were. */
export function reclaimIn(segment: SlabSegment, isDead: (owner: Owner) => boolean): number {
  let freed = 0;
  for (let block = 0; block < segment.count; block++) {
    const word = segment.wordOf(block), state = stateIn(word);
    if ((state !== WRITING && state !== IN_FLIGHT) || !isDead(bodyIn(word))) continue;
    if (segment.exchange(block, word, wordOf(FREE, segment.generationOf(block)))) freed++;
  }
  return freed;
}

/** A mailbox that somebody takes from. */
export interface Emptied {
  readonly key: MailboxKey;
  /** Whether it has no message now. */
  readonly isEmpty: () => boolean;
  /** Whether others take from it, too. */
  readonly isShared: boolean;
}

/** Frees the blocks of a segment whose messages for a mailbox are gone; how many those were. */
export function recoverIn(
  segment: SlabSegment,
  { key, isEmpty, isShared }: Emptied,
  handOvers: HandOvers,
): number {
  let freed = 0;
  for (let block = 0; block < segment.count; block++) {
    if (stateIn(segment.wordOf(block)) !== QUEUED || !segment.isFor(block, key)) continue;
    const sender = segment.senderOf(block);
    const count = handOvers.settledAt(sender); // 1
    const word = segment.wordOf(block); // 2
    if (count === undefined || stateIn(word) !== QUEUED) continue;
    if (!segment.isFor(block, key) || segment.senderOf(block) !== sender) continue;
    if (!isEmpty()) return freed; // 3
    if (isShared && !handOvers.nobodyTakes()) return freed; // 4
    if (!handOvers.isStill(sender, count)) continue; // 5
    if (segment.exchange(block, word, wordOf(FREE, bodyIn(word)))) freed++; // 6
  }
  return freed;
}
