/**
 * The inner door of this room: who is alive, for the actors, and how the system's refusals are told.
 *
 * Rule: nothing here is for users; what they get is in mod.ts.
 */

export { refuse, shown, unless } from "../sys/mod.ts";
export {
  chooseNative,
  chosenNative,
  dieWithParent,
  host,
  type OutputReader,
  type ProcessEnd,
  readerOfNode,
  type StartedProcess,
  startProcess,
} from "../sys/mod.ts";
export { ByteLocks } from "./byte_locks.ts";
export {
  identityOf,
  isInOwnPidNamespace,
  isSameProcess,
  type ProcessIdentity,
  thisProcess,
} from "./process_identity.ts";
export { type ProcessSignal, ProcessWatch } from "./process_watch.ts";
