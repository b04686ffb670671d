/**
 * Turns the -1 of a C function into a PosixError: the one place that does.
 *
 * Rule: everything after the C call and before errno is read must not allocate (FFI: a garbage
 * collection overwrites errno), so the parts of the error are passed one by one and put together
 * only when there is one.
 */

import { PosixError } from "../errors.ts";
import { descriptorHint } from "./descriptors.ts";
import { describe, ERRNO, type ErrnoName } from "./errno.ts";
import { sys } from "./load.ts";

/** Gives the way out of a refusal, where there is one. Called only when a call was refused. */
export type Hint = (code: string) => string | undefined;

/** The error for a call that was refused with an error number. */
export function refused(
  errno: number,
  syscall: string,
  action: string,
  target: string,
  hint?: Hint,
): PosixError {
  const { code, description } = describe(errno);
  const way = wayOut(code, hint);
  return new PosixError({ action, target, syscall, errno, code, description, hint: way });
}

/** The hint, or none where looking for its numbers is refused too: the first refusal counts. */
function wayOut(code: string, hint: Hint | undefined): string | undefined {
  try {
    return hint?.(code) ?? descriptorHint(code);
  } catch (error) {
    if (error instanceof PosixError) return undefined;
    throw error;
  }
}

/** The error for what we refuse ourselves, because the system would do something worse. */
export function refuse(
  code: ErrnoName,
  syscall: string,
  action: string,
  target: string,
  hint?: string,
): PosixError {
  return refused(ERRNO[code], syscall, action, target, () => hint);
}

/** Passes a result on, or throws when it is -1. */
export function check(
  result: number,
  syscall: string,
  action: string,
  target: string,
  hint?: Hint,
): number {
  if (result !== -1) return result;
  throw refused(sys().errno(), syscall, action, target, hint);
}

/** What a call gives, or undefined when the system refused it with this code. */
export function unless<T>(code: ErrnoName, call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof PosixError && error.code === code) return undefined;
    throw error;
  }
}

// Compiled before it is needed: compiling it between a refused call and the reading of errno
// would allocate there.
check(0, "", "", "");
