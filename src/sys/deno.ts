/**
 * The driver for Deno: `Deno.dlopen` on the C library.
 *
 * Rule: the only file of `src/` and `cli/` that may say `Deno`.
 */

import { C_LIBRARY, type CTable, type CType } from "./symbols.ts";
import type { Driver, Functions, Library, Word } from "./port.ts";

const NATIVE_TYPES: Record<CType, Deno.NativeType> = {
  i32: "i32",
  u32: "u32",
  i64: "i64",
  size: "usize",
  buffer: "buffer",
  address: "u64",
};

function declarations(table: CTable): Record<string, Deno.ForeignFunction> {
  const declared: Record<string, Deno.ForeignFunction> = {};
  for (const [key, { symbol, parameters, result }] of Object.entries(table)) {
    declared[key] = {
      name: symbol ?? key,
      parameters: parameters.map((parameter) =>
        NATIVE_TYPES[parameter.slice(0, parameter.indexOf(" ")) as CType]
      ),
      result: NATIVE_TYPES[result] as Deno.NativeResultType,
    };
  }
  return declared;
}

function dlopen(symbols: Record<string, Deno.ForeignFunction>) {
  try {
    return Deno.dlopen(C_LIBRARY, symbols);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) {
      throw new Error(
        "Cannot load the C library: Deno was started without permission for it, expected the " +
          "flag --allow-ffi",
        { cause },
      );
    }
    throw new Error(
      `Cannot load the C library: ${C_LIBRARY} was not found or lacks a function, expected Linux ` +
        "with glibc 2.34 or later, or musl",
      { cause },
    );
  }
}

function load<const T extends CTable>(table: T): Library<T> {
  const { symbols } = dlopen({
    ...declarations(table),
    __errno_location: { parameters: [], result: "pointer" },
  });
  const location = (symbols.__errno_location as () => Deno.PointerValue)();
  // SAFETY: errno's word belongs to this thread and lives as long as it; a module instance never
  // changes its thread, and each worker loads its own.
  const errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location!, 4));
  const readErrno = () => errno[0]!;
  readErrno(); // compiled now, not between a refused call and its errno
  return {
    // V8 keeps the properties of a prototype as fields; a table this long would else be a hash table
    // that each call looks into.
    c: Object.create(symbols) as Functions<T>,
    errno: readErrno,
    word,
    addressOf: (view) =>
      Deno.UnsafePointer.value(Deno.UnsafePointer.of(view as Uint8Array<ArrayBuffer>)),
    viewOf: (address, byteLength) =>
      Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, byteLength),
    growClears: false,
    hearsSignals: () => true, // a signal that nobody listens for interrupts nothing
    watch: undefined,
  };
}

let lastNumber = 0;
let lastWord = 0n;

/** A BigInt: a Number would take a path ten times slower. The last one is kept: sizes repeat. */
function word(value: Word): bigint {
  if (typeof value === "bigint") return value;
  if (value !== lastNumber) {
    lastWord = BigInt(value);
    lastNumber = value;
  }
  return lastWord;
}

export const deno: Driver = {
  isPresent: () => typeof globalThis.Deno?.dlopen === "function",
  platform: () => ({ os: Deno.build.os, arch: Deno.build.arch }),
  load,
};
