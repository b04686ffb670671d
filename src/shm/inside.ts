/**
 * The inner door of this room: what rooms above need of a handle and users must not have.
 *
 * Rule: whoever gets a descriptor here uses it while the handle is open, and never closes it.
 */

export { mlock } from "../sys/mod.ts";
export { descriptorOf } from "./shared_memory.ts";
