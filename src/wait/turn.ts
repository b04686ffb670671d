/**
 * Turns of the event loop: who finds what it waits for at once, again and again, lets others in.
 *
 * Rule: an await that is fulfilled at once leaves no room for timers, sockets and other waits. After
 * so many in a row the next is fulfilled in a turn of its own, with what it found before, so nobody
 * overtakes it meanwhile.
 */

// Those that there are when the library is loaded: a test may put clocks of its own in their place,
// and turns that never come would leave a descriptor unread, and the processor busy.
const { setImmediate, clearImmediate } = globalThis;

/** Calls a function in the next turn, unless that is taken back by what this gives. */
export function nextTurn(run: () => void): () => void {
  const immediate = setImmediate(run);
  return () => clearImmediate(immediate);
}

/** So many finds in a row. */
const AT_ONCE = 256;

let atOnce = 0;

/** What was found at once, or a promise of it when it is the others' turn. */
export function foundAtOnce<T>(value: T): T | Promise<T> {
  if (++atOnce < AT_ONCE) return value;
  atOnce = 0;
  return new Promise((resolve) => nextTurn(() => resolve(value)));
}

/** To be called where a turn begins: it is nobody's fault what was found before. */
export function turnBegins(): void {
  atOnce = 0;
}
