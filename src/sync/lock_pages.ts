/**
 * Where pthread finds a lock: a second mapping of its page, which this thread keeps.
 *
 * Rule: C never gets an address inside a SharedArrayBuffer for a lock that has an owner. A thread's
 * list of what it holds leads through the locks, and the kernel walks it when the thread ends: by
 * then an engine may have unmapped the buffer, and the lock would stay owned for ever.
 *
 * ```text
 * SharedArrayBuffer  |      page 0      |      page 1      |  unmapped by the engine
 *                              │
 *                              │ mremap(2): the same page of the object, a second time
 *                              ▼
 * LockPage           |      page 0      |                     unmapped when the buffer is collected
 * ```
 *
 * Who holds a lock holds its buffer, whatever becomes of the guard: the page has to stay, and Bun
 * writes into the memory of a buffer that it has collected.
 *
 * A thread that ends takes no page away: a process that ends needs nothing, and a worker's pages
 * stay until the process ends.
 */

import { Guard, isWhole, mremapShared, munmap, pageBytes, sys } from "../sys/mod.ts";

/** A page with locks, as this thread sees it for C. */
export class LockPage {
  readonly address: bigint;
  /** How many locks in it this thread holds. */
  #held = 0;
  /** Keeps the buffer from being collected while there are some. */
  #keeps: SharedArrayBuffer | undefined;

  readonly #guard: Guard | undefined;

  constructor(address: bigint) {
    this.address = address;
    // Somebody may cut the object off between our look at a lock and what C does with it.
    this.#guard = Guard.ofMapping(address, pageBytes());
  }

  /**
   * SAFETY: nobody uses a lock in it any more. The list of this thread may lead through it for ever
   * where the page was cut off: C found zeros in the place of a lock that was held, and did not take
   * it out of the list. Then it stays.
   */
  unmap(): void {
    if (!isWhole(this.#guard)) return;
    this.#guard?.end();
    munmap(this.address, pageBytes(), "a page of locks");
  }

  /** A lock in it was taken, in the buffer that it is a page of. */
  take(buffer: SharedArrayBuffer): void {
    this.#held++;
    this.#keeps = buffer;
  }

  /** A lock in it was given back. */
  giveBack(): void {
    if (--this.#held === 0) this.#keeps = undefined;
  }
}

/** The pages of this thread, by their numbers in the buffer. */
const pagesOf = new WeakMap<SharedArrayBuffer, Map<number, LockPage>>();

const collected = new FinalizationRegistry<Map<number, LockPage>>((pages) => {
  // SAFETY: whoever uses a lock references its buffer, and so does a page in which one is held.
  for (const page of pages.values()) page.unmap();
});

/**
 * The page that a place in shared memory is in, mapped for C.
 *
 * @throws {TypeError} If the memory is no object of the kernel's that processes share.
 */
export function lockPage(buffer: SharedArrayBuffer, byteOffset: number, name: string): LockPage {
  const number = Math.floor(byteOffset / pageBytes());
  let pages = pagesOf.get(buffer);
  const known = pages?.get(number);
  if (known !== undefined) return known;

  const page = new LockPage(mapPage(buffer, number, name));
  if (pages === undefined) {
    pagesOf.set(buffer, pages = new Map());
    collected.register(buffer, pages);
  }
  pages.set(number, page);
  return page;
}

/**
 * Makes sure that a buffer still shows what the page of its locks does: after the memory was closed
 * it does not, and what looks like zeros there may be a lock that others hold.
 *
 * @throws {TypeError} As {@linkcode lockPage} does.
 */
export function checkStillShared(
  buffer: SharedArrayBuffer,
  byteOffset: number,
  name: string,
): void {
  const bytes = pageBytes();
  munmap(mapPage(buffer, Math.floor(byteOffset / bytes), name), bytes, name);
}

function mapPage(buffer: SharedArrayBuffer, number: number, name: string): bigint {
  const bytes = pageBytes();
  // SAFETY: inside the buffer, which the caller references; a segment begins where a page does.
  const start = sys().addressOf(new Uint8Array(buffer)) + BigInt(number * bytes);
  const address = mremapShared(start, bytes, name);
  if (address !== undefined) return address;
  throw new TypeError(
    `Cannot use the memory for "${name}": no process shares it, expected that of an open ` +
      "SharedMemory",
  );
}
