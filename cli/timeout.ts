/** Deadlines of waits, told apart from what else can go wrong. */

/** Whether a wait ended at its deadline. */
export function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}
