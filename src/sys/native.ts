/**
 * The native driver: looked at, loaded, and put in the place of the C functions that it does better.
 *
 * Rule: nobody outside this room sees which of the two a call goes to.
 */

import type { Driver, Functions, Library, Word } from "./port.ts";
import { NATIVE_ABI, NATIVE_SYMBOLS } from "./native_symbols.ts";
import { NATIVE_VARIABLE } from "./native_choice.ts";
import { checkNativeFile } from "./native_file.ts";
import type { SYMBOLS } from "./symbols.ts";

/** What the native driver brings. */
export type Native = Functions<typeof NATIVE_SYMBOLS>;

type Plain = Library<typeof SYMBOLS>;

/** What is used of a runtime's driver. */
type Loader = Pick<Driver, "functionsIn" | "platform">;

/**
 * Loads the native driver from a file.
 *
 * @throws {Error} If it is not there, for another processor, or of another version.
 */
export function loadNative(path: string, plain: Plain, loader: Loader): Native {
  const problem = (found: string, expected: string, cause?: unknown) =>
    new Error(
      `Cannot load the native driver ${JSON.stringify(path)}: ${found}, expected ${expected} ` +
        `(${NATIVE_VARIABLE} or useNative() chose it)`,
      { cause },
    );
  checkNativeFile(path, plain, loader.platform().arch, problem);
  let native: Native;
  try {
    native = loader.functionsIn(path, NATIVE_SYMBOLS);
  } catch (cause) {
    const { abi } = NATIVE_SYMBOLS;
    let version: number | undefined;
    try {
      version = loader.functionsIn(path, { abi }).abi();
    } catch {
      throw problem(
        `it does not load (${(cause as Error).message})`,
        "what deno task native builds on this machine",
        cause,
      );
    }
    throw problem(`its version is ${version}`, `version ${NATIVE_ABI}`, cause);
  }
  const version = native.abi();
  if (version !== NATIVE_ABI) throw problem(`its version is ${version}`, `version ${NATIVE_ABI}`);
  return native;
}

/**
 * The C library, with the functions whose errors come by value in the place of their own: nothing
 * that happens between the call and errno() changes them, not even a result of 64 bits, which is
 * made of memory.
 *
 * Who calls one of these asks for errno after each refusal: it is kept until then.
 */
export function withNative(plain: Plain, native: Native): Plain {
  let refusal = 0;
  const small = (result: number): number => {
    if (result >= 0) return result;
    refusal = -result;
    return -1;
  };
  const large = (result: bigint, refused: bigint): bigint => {
    if (result >= 0n) return result;
    refusal = Number(-result);
    return refused;
  };
  const own: Partial<Plain["c"]> = {
    mq_send: (mqd, bytes, length, priority) => small(native.mq_send(mqd, bytes, length, priority)),
    mq_send_at: (mqd, address, length, priority) =>
      small(native.mq_send_at(mqd, address, length, priority)),
    mq_receive: (mqd, into, length, priority) =>
      small(native.mq_receive(mqd, into, length, priority)),
    mq_receive_at: (mqd, address, length, priority) =>
      small(native.mq_receive_at(mqd, address, length, priority)),
    mremap: (address: Word, from, to, flags) => large(native.mremap(address, from, to, flags), -1n),
    sem_open: (name, flags, mode, value) => large(native.sem_open(name, flags, mode, value), 0n),
  };
  const functions = { ...Object.getPrototypeOf(plain.c), ...own };
  return {
    ...plain,
    c: Object.create(functions),
    errno() {
      if (refusal === 0) return plain.errno();
      const number = refusal;
      refusal = 0;
      return number;
    },
  };
}
