/** The kinds of frames that the shapes of messages travel in. */

import type { KindSpec } from "../protocol/protocol.ts";
import { type FrameKind, KIND } from "../wire/frame_layout.ts";

/** The kind of frame that a message travels in. */
export function frameKindOf({ shape }: Pick<KindSpec, "shape">): FrameKind {
  return shape === "tell" ? KIND.TELL : shape === "ask" ? KIND.ASK : KIND.OPEN;
}

/** The shape of the message that travels in a frame of TELL, ASK or OPEN. */
export function shapeOf(kind: FrameKind): KindSpec["shape"] {
  return kind === KIND.TELL ? "tell" : kind === KIND.ASK ? "ask" : "stream";
}
