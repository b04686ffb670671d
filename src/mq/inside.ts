/**
 * The inner door of this room: what the carriers of actor messages need of a queue beside what its
 * users have.
 *
 * Rule: nothing here is wider than the public calls beside it; it makes less, or waits for more.
 */

export { awaitMessage, awaitRoom, hasName, receiveAt, receiveLength } from "./message_queue.ts";
export { receivedPriority, ReceiveTarget } from "../sys/mod.ts";
