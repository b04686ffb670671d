/**
 * The only room that knows C. Its door: the thin functions, the constants, names and errors.
 *
 * The table is in `symbols.ts`, the port in `port.ts`, its drivers in `deno.ts` and `koffi.ts`.
 */

export { C, machine, STRUCTS } from "./abi.ts";
export {
  checkMaking,
  checkOptions,
  kindError,
  permissionBits,
  shown,
  wholeNumber,
} from "./argument.ts";
export { BatchMemory, type BatchSize } from "./batch.ts";
export { BUFFER, BYTE_OFFSET, byteLengthOf } from "./bytes.ts";
export { crc32cByInstruction } from "./checksum.ts";
export { check, type Hint, refuse, refused, unless } from "./check.ts";
export * from "./clock.ts";
export * from "./epoll.ts";
export { describe, ERRNO, type ErrnoName } from "./errno.ts";
export * from "./file.ts";
export * from "./futex.ts";
export { Guard, guardOf, isWhole } from "./guard.ts";
export * from "./launch.ts";
export { architecture, host, sys } from "./load.ts";
export * from "./lock.ts";
export * from "./memory.ts";
export * from "./mqueue.ts";
export { chooseNative, chosenNative } from "./native_choice.ts";
export { nameHint, uniqueName } from "./name.ts";
export { type OutputReader, readerOfNode } from "./output_reader.ts";
export * from "./owner.ts";
export * from "./parked.ts";
export type { Host, ProcessEnd, Program, StartedProcess, Word } from "./port.ts";
export * from "./process.ts";
export * from "./pthread.ts";
export {
  type DescriptorRecord,
  descriptorsIn,
  exchangeThread,
  forgetDescriptor,
  formatRecord,
  magicOf,
  parkedIn,
  RECORD_BYTES,
  RECORD_MAGIC,
  recordIn,
  recordOn,
} from "./record.ts";
export * from "./semaphore.ts";
export {
  isReadOnly,
  markReadOnly,
  type SharedRange,
  sharedRange,
  type SharedRangeRule,
} from "./shared.ts";
export { type SignalName, signalNumber } from "./signal.ts";
export * from "./watch.ts";
