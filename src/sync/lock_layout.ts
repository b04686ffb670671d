/**
 * What the layouts of all locks have in common; all fields little-endian.
 *
 * ```text
 * byte 0                       60     64               128
 *      +---------- ... --------+------+------ ... -----+---- ... ----+
 *      | the lock's own        | mark | event count    | more of it  |
 *      +---------- ... --------+------+------ ... -----+---- ... ----+
 * ```
 *
 * - `mark` says which lock it is, and the version of its layout.
 * - The event count (src/wait) is where waiters are woken from. Its own mark is written last: who
 *   finds it finds the whole lock.
 */

/** What the offset of a lock is a multiple of, and the size of a line. */
export const LOCK_ALIGN_BYTES = 64;

/** Where things are, in bytes. */
export const MARK_OFFSET = 60, EVENTS_OFFSET = 64;

/** What is to know of a kind of lock before its memory is used. */
export interface LockLayout {
  /** What errors call it, after "a": `mutex`. */
  readonly kind: string;
  readonly byteLength: number;
  /** Four letters in memory. */
  readonly mark: number;
}

/** A mark: three letters and the version, in the order of memory. */
export function markOf(letters: string): number {
  return [...letters].reduceRight((mark, letter) => mark << 8 | letter.charCodeAt(0), 0);
}
