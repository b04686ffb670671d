/**
 * POSIX shared memory and mapped files, seen through real SharedArrayBuffers.
 *
 * @example Memory that another process can open
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SharedMemory, uniqueName } from "@postbox/postbox/shm";
 *
 * const name = uniqueName("doc");
 * using memory = SharedMemory.create(name, { byteLength: 5 });
 * try {
 *   memory.write("hello");
 *   using reader = SharedMemory.open(name, { access: "r" });
 *   assertEquals(new TextDecoder().decode(reader.read()), "hello");
 * } finally {
 *   SharedMemory.unlink(name);
 * }
 * ```
 *
 * @module
 */

export {
  ClosedError,
  LayoutError,
  type LayoutErrorInit,
  PosixError,
  type PosixErrorInit,
} from "../errors.ts";
export { type Owner, uniqueName } from "../sys/mod.ts";
export { type MemoryEntry } from "./list.ts";
export { MappedFile, type MappedFileOptions, type MappingKind } from "./mapped_file.ts";
export { type Seal } from "./memfd.ts";
export { Segment } from "./segment.ts";
export {
  type AnonymousMemoryOptions,
  type CreateMemoryOptions,
  type InheritedMemoryOptions,
  type MemoryAccess,
  type MemoryStatus,
  type OpenMemoryOptions,
  type OpenOrCreateMemoryOptions,
  type ReadOptions,
  type ReserveOptions,
  SharedMemory,
  type StdioEntry,
  type WriteOptions,
} from "./shared_memory.ts";
