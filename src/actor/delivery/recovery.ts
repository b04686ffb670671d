/**
 * What a dead receiver has left in its slots, and what becomes of it: for its next incarnation, for
 * another receiver of the mailbox, or for the dead letters.
 *
 * Rule: whoever calls knows that the receiver is dead: it waited for its end, or the kernel has
 * released its lock. Each step may be done again, for who recovers may be killed as well; and a slot
 * is emptied last.
 */

import { decodeFrame, FRAME_HEADER_BYTES } from "../wire/frame.ts";
import { PAYLOAD_BYTES_OFFSET, REPLY_NAME_BYTES_OFFSET } from "../wire/frame_layout.ts";
import { u16At, u32At } from "../wire/little_endian.ts";
import { slotCount } from "./slot_layout.ts";
import type { SlotMemory } from "./slots.ts";

/** What is in a slot. */
export type Found =
  /** Nothing: it can be used. */
  | { readonly kind: "free" }
  /** A message that was handled, whose block may not be free yet. */
  | { readonly kind: "done" }
  /** A message, whole as far as its receiver knew it. */
  | { readonly kind: "held"; readonly length: number }
  /** A message was taken that is not here. */
  | { readonly kind: "torn"; readonly detail: string };

/** Looks into a slot whose receiver is dead. */
export function foundIn(memory: SlotMemory, slot: number): Found {
  switch (memory.stateOf(slot)) {
    case "empty":
      return { kind: "free" };
    case "done":
      return { kind: "done" };
    case "armed":
      if (memory.isBlank(slot)) return { kind: "free" };
      return { kind: "torn", detail: "bytes of a message are there and its priority is not" };
    case "damaged":
      return { kind: "torn", detail: "its priority is none" };
    case "held": {
      // What came back from the kernel is as its sender wrote it, and judged as any other.
      const known = memory.lengthOf(slot);
      if (known !== undefined) return { kind: "held", length: known };
      const bytes = memory.frameBytesOf(slot).slice(), length = lengthSaid(bytes);
      const frame = decodeFrame(bytes, length);
      if (!("problem" in frame)) return { kind: "held", length };
      return { kind: "torn", detail: `its receiver was killed over it: ${frame.detail}` };
    }
  }
}

/** The length that a frame says it has; of what is none, anything. */
function lengthSaid(bytes: Uint8Array): number {
  if (bytes.byteLength < FRAME_HEADER_BYTES) return 0;
  return FRAME_HEADER_BYTES + u16At(bytes, REPLY_NAME_BYTES_OFFSET) +
    u32At(bytes, PAYLOAD_BYTES_OFFSET);
}

/** A message that no receiver will take any more. */
export interface Leftover {
  /** Its frame, or what there is of it. */
  readonly bytes: Uint8Array;
  /** What is wrong with it; undefined where it is whole. */
  readonly torn: string | undefined;
  /** How often it was given to a handler. */
  readonly attempt: number;
  /** What the last attempt ended by, in words; may be empty. */
  readonly error: string;
}

/**
 * Empties all slots of a mailbox that has no receivers any more.
 *
 * @param refuse Tells of a message; it comes back when that is told.
 * @param free Frees the block of a message that was handled, or told, if it has one.
 */
export async function drainSlots(
  memory: SlotMemory,
  refuse: (leftover: Leftover) => Promise<void> | undefined,
  free: (bytes: Uint8Array) => void,
): Promise<void> {
  const slots = Array.from({ length: slotCount(memory.sizes) }, (_, slot) => slot)
    .sort((one, other) => (memory.orderOf(one) - memory.orderOf(other)) | 0);
  for (const slot of slots) {
    const found = foundIn(memory, slot);
    if (found.kind === "free") continue;
    const all = memory.frameBytesOf(slot).slice();
    const bytes = all.subarray(0, found.kind === "held" ? found.length : lengthSaid(all));
    if (found.kind !== "done") {
      await refuse({
        bytes: found.kind === "torn" ? all : bytes,
        torn: found.kind === "torn" ? found.detail : undefined,
        attempt: memory.attemptOf(slot),
        error: memory.errorOf(slot),
      });
    }
    free(bytes);
    memory.empty(slot);
  }
}

/**
 * Gives what a receiver serves, who is dead and does not come back, to another one. It takes it when
 * it begins, or is told to look.
 */
export function bequeath(memory: SlotMemory, row: number, heir: number): void {
  for (let other = 0; other < memory.sizes.receivers; other++) {
    if (memory.heirOf(other) === row) memory.setHeir(other, heir);
  }
}

/**
 * Writes down how a receiver ended, at the message that it had in hand, if it had one. No handler of
 * it runs any more: the next receiver is not to be measured by it.
 */
export function noteEnd(memory: SlotMemory, row: number, end: string): void {
  const slot = memory.inHandOf(row);
  if (slot !== undefined && memory.stateOf(slot) === "held") memory.setError(slot, end);
  memory.setHandling(row, 0, 0);
}

/** How often something was tried, in words. */
export function attemptsText(attempts: number, error: string): string {
  const often = attempts === 1 ? "once" : `${attempts} times`;
  return `it was tried ${often}` + (error === "" ? "" : `, and the actor ${error}`);
}
