/**
 * The inner door of this room: what the carriers of actor messages need of a ring beside what its
 * users have.
 *
 * Rule: a mark is a word of a peer's. Whoever reads it here bounds it.
 */

export { type MarkedReader, markOf, tryReadMarked } from "./consumer.ts";
export { awaitRoom, tryPushMarked, usedBytesOf } from "./producer.ts";
