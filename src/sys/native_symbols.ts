/**
 * The table of the native driver's functions: what runs. `native/bindings.ts` is what deno_bindgen
 * says of them, and a test compares the two.
 *
 * Rule: a result is at least 0, or an error number with its sign turned round; a checksum is all of
 * its 32 bits.
 */

import type { CTable } from "./symbols.ts";

/** What both sides agree on; `native/src/lib.rs` has the same number. */
export const NATIVE_ABI = 3;

/** The same function in several rows: its addresses as views, or as numbers. */
export const NATIVE_SYMBOLS = {
  /** The version of the interface. */
  abi: { symbol: "postbox_abi", parameters: [], result: "i32" },
  /** mq_send(3) */
  mq_send: {
    symbol: "postbox_mq_send",
    parameters: ["i32 mqd", "buffer address", "size length", "u32 priority"],
    result: "i32",
  },
  mq_send_at: {
    symbol: "postbox_mq_send",
    parameters: ["i32 mqd", "address address", "size length", "u32 priority"],
    result: "i32",
  },
  /** mq_receive(3) */
  mq_receive: {
    symbol: "postbox_mq_receive",
    parameters: ["i32 mqd", "buffer address", "size length", "address priority_address"],
    result: "i32",
  },
  mq_receive_at: {
    symbol: "postbox_mq_receive",
    parameters: ["i32 mqd", "address address", "size length", "address priority_address"],
    result: "i32",
  },
  /** Takes what there is, as far as a batch has room: how many messages. */
  mq_drain: {
    symbol: "postbox_mq_drain",
    parameters: ["i32 mqd", "address batch", "u32 max_messages", "u32 slot_bytes"],
    result: "i32",
  },
  /** mremap(2) */
  mremap: {
    symbol: "postbox_mremap",
    parameters: ["address old_address", "size old_size", "size new_size", "i32 flags"],
    result: "i64",
  },
  /** sem_open(3) */
  sem_open: {
    symbol: "postbox_sem_open",
    parameters: ["buffer name", "i32 oflag", "u32 mode", "u32 value"],
    result: "i64",
  },
  /** CRC-32C of a part of some bytes. */
  crc32c: {
    symbol: "postbox_crc32c",
    parameters: ["buffer address", "u32 start", "u32 end", "u32 seed"],
    result: "u32",
  },
  /** Takes over SIGBUS, once a process: a descriptor of the counts, a word for each place and for all. */
  guard_install: { symbol: "postbox_guard_install", parameters: [], result: "i32" },
  /** Guards a range of addresses: its id. */
  guard_add: {
    symbol: "postbox_guard_add",
    parameters: ["address address", "size length"],
    result: "i32",
  },
  guard_extend: {
    symbol: "postbox_guard_extend",
    parameters: ["i32 id", "size length"],
    result: "i32",
  },
  /** Guards a range that nobody of this thread knows as long as there is room for the next. */
  guard_abandon: { symbol: "postbox_guard_abandon", parameters: ["i32 id"], result: "i32" },
  guard_is_live: { symbol: "postbox_guard_is_live", parameters: ["i32 id"], result: "i32" },
  /** The id of the range that an address is in. */
  guard_find: { symbol: "postbox_guard_find", parameters: ["address address"], result: "i32" },
  guard_remove: { symbol: "postbox_guard_remove", parameters: ["i32 id"], result: "i32" },
} as const satisfies CTable;

/** poll(2): the one that is called in a thread of the runtime's pool, where that has one. */
export const NATIVE_POLL = {
  poll: {
    symbol: "postbox_poll",
    parameters: ["address fds", "size count", "i32 timeout_ms"],
    result: "i32",
  },
} as const satisfies CTable;
