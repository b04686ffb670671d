/** Hashes bytes: work that keeps a processor busy. */

import { createHash } from "node:crypto";
import { threadId } from "node:worker_threads";
import { actor, msg, protocol, struct, text, u32 } from "../../mod.ts";

export const Hasher = protocol("hasher", {
  // Bytes as they are. What is too large for a message goes through shared memory by itself.
  hash: msg(undefined, { codec: "raw" })
    .reply(struct("hash", { sha256: text(64), thread: u32 })),
});

export default actor(import.meta, Hasher, () => ({
  hash: (bytes) => ({
    sha256: createHash("sha256").update(bytes).digest("hex"),
    thread: threadId,
  }),
}));
