/**
 * The inner door of this room: what rooms above need of a handle, or of bytes in memory, and users
 * must not have.
 *
 * Rule: whoever gets a descriptor here uses it while the handle is open, and never closes it.
 */

export { crc32cByInstruction, mlock } from "../sys/mod.ts";
export { descriptorOf } from "./shared_memory.ts";
