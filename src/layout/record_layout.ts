/**
 * The layout of a record, version 1: two copies of a struct, of which one is in force. All fields
 * are little-endian; a record begins at a multiple of 64 bytes.
 *
 * ```text
 * byte 0            128            132         136      192                  192 + stride
 *      +-------------+--------------+-----------+--------+--------------------+-----------------+
 *      | mutex       | sequence u32 | begun u32 | 0      | copy 0             | copy 1          |
 *      +-------------+--------------+-----------+--------+--------------------+-----------------+
 * written by its owner, who is the only one that writes any of the rest
 *
 * stride: the bytes of the struct, rounded up to 64
 * ```
 *
 * - `sequence` is the number of the last update that was committed, and copy `sequence & 1` is in
 *   force. Zeroed memory is a record of zeros: update 0.
 * - `begun` is the number of the last update that was begun: `sequence`, or one more.
 *
 * A writer, who owns the mutex:
 *
 * ```text
 * W1  s = sequence
 * W2  begun = s + 1
 * W3  (nothing after this is seen before W2 is)
 * W4  write copy (s + 1) & 1: first all of copy s & 1, then what changes
 * W5  sequence = s + 1, a release
 * ```
 *
 * A reader, who owns nothing and writes nothing in the record:
 *
 * ```text
 * R1  s = sequence, an acquire
 * R2  read copy s & 1
 * R3  (nothing before this is done after R4 is)
 * R4  b = begun
 * R5  what was read is update s as a whole if b - s, modulo 2^32, is 0 or 1; else read again
 * ```
 *
 * Why R5 is right. All of update s is there at R1: its W5 is the release that R1 acquires. What
 * else is ever written to copy s & 1 belongs to updates with numbers of the same parity. Those up to s
 * are over before the W5 of update s, an update that was begun and never committed included: the
 * next owner of the mutex repeats it under the same number, from the copy of everything on. So a
 * wrong byte at R2 was written by an update u >= s + 2. The W2 of u is seen before any of its W4
 * (W3), and R2 is before R4 (R3), so b is u or later, for `begun` never goes back: b - s >= 2.
 * And b is never behind s: the W2 of update s is before its W5.
 *
 * So one update beside a reader does not make it read again; only the second one does. A writer
 * that is killed leaves `begun` one ahead of `sequence`, or the mutex to an heir: readers go on
 * with copy `sequence & 1`, which nobody writes, and the next writer begins the same update again.
 *
 * The numbers wrap. A reader that is stopped between R1 and R4 while exactly 2^32 updates are begun,
 * or one more, takes what it read for whole; nothing else goes wrong there.
 *
 * SYNC: how the two orders are had.
 *
 * - W3 in C is `__atomic_thread_fence(__ATOMIC_RELEASE)` after the store. In JavaScript it is
 *   `Atomics.store(begun)`, then an `Atomics.load` of anything: on arm64 the load-acquire (LDAR)
 *   stays behind the store-release (STLR), and what follows stays behind the load. An atomic
 *   read-modify-write alone would not do: made of LDAXR and STLXR, only its load holds back what
 *   follows, and the plain stores may be seen before its own. On x86-64 stores are seen in order.
 * - R3 in C is `__atomic_thread_fence(__ATOMIC_ACQUIRE)`. In JavaScript it is an `Atomics.store` to
 *   a word of the reader's own: the reads before stay before the STLR, the load of R4 (LDAR) behind
 *   it. On x86-64 loads are done in order.
 *
 * A memory that a peer filled with anything else is safe to read: `sequence & 1` names one of the
 * two copies whatever it is, and who reads again does so a bounded number of times.
 */

/** What the byte offset of a record, and of its copies, is a multiple of. */
export const RECORD_ALIGN_BYTES = 64;

/** Offsets in a record, in bytes. The mutex is a field like any other (`lock_fields.ts`). */
export const RECORD_MUTEX_OFFSET = 0, RECORD_SEQUENCE_OFFSET = 128, RECORD_BEGUN_OFFSET = 132;

/** Where copy 0 begins; copy 1 is a stride behind it. */
export const RECORD_COPIES_OFFSET = 192;

/** From copy 0 to copy 1, in bytes, for a struct of so many. */
export function recordStrideBytes(contentBytes: number): number {
  return Math.ceil(contentBytes / RECORD_ALIGN_BYTES) * RECORD_ALIGN_BYTES;
}

/** The size of a record, for a struct of so many bytes. */
export function recordBytes(contentBytes: number): number {
  return RECORD_COPIES_OFFSET + 2 * recordStrideBytes(contentBytes);
}
