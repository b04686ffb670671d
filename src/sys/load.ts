/**
 * Chooses the driver of this runtime and loads the C library, once a thread, at the first use; and
 * the native driver beside it, where that was chosen.
 *
 * Rule: the only choice of a runtime in the library; a driver knows its own.
 */

import { deno } from "./deno.ts";
import { koffiDriver } from "./koffi.ts";
import { loadNative, type Native, withNative } from "./native.ts";
import { fixNative, unfixNative } from "./native_choice.ts";
import type { Driver, Functions, Host, Library, Sys } from "./port.ts";
import { recording } from "./record.ts";
import { type CTable, SYMBOLS } from "./symbols.ts";

/** In the order in which they are asked. A new runtime is one more file and one more entry. */
const DRIVERS: readonly Driver[] = [deno, koffiDriver];

function driver(): Driver {
  const found = DRIVERS.find((candidate) => candidate.isPresent());
  if (found === undefined) {
    throw new Error(
      "Cannot load the C library: this runtime has no driver, expected Deno 2.9, Node 20.19 or " +
        "later",
    );
  }
  checkPlatform(found.platform());
  return found;
}

/** Refuses a system that has no POSIX message queues, or whose layouts nobody compared. */
export function checkPlatform({ os, arch }: { os: string; arch: string }): void {
  if (os !== "linux") {
    throw new Error(
      `Cannot load the C library: the system is ${os}, expected linux, whose kernel has the ` +
        "queues; on other systems run inside a Linux container",
    );
  }
  if (arch !== "x86_64" && arch !== "aarch64") {
    throw new Error(
      `Cannot load the C library: the processor is ${arch}, expected x86_64 or aarch64, whose ` +
        "layouts are known",
    );
  }
}

/** Binds any table of C functions; what is not in {@linkcode SYMBOLS} is for tests. */
export function bind<const T extends CTable>(table: T): Library<T> {
  return driver().load(table);
}

/** Binds a table of another library. */
export function functionsIn<const T extends CTable>(path: string, table: T): Functions<T> {
  return driver().functionsIn(path, table);
}

/** The machine's architecture, in the names of {@linkcode Driver.platform}. */
export function architecture(): "x86_64" | "aarch64" {
  return driver().platform().arch as "x86_64" | "aarch64";
}

/** A variable of the environment, where it may be read. */
export function environment(name: string): string | undefined {
  return driver().environment(name);
}

/** The runtime as a program. */
export function host(): Host {
  return driver().host;
}

let loaded: Sys | undefined;

/** The C library of this thread. */
export function sys(): Sys {
  return loaded ??= load();
}

/** The native driver of this thread; undefined where none was chosen, or nothing used yet. */
export function nativeInUse(): Sys["native"] {
  return loaded?.native;
}

function load(): Sys {
  const own = driver();
  const plain = own.load(SYMBOLS);
  const path = fixNative(own.environment);
  let native: Native | undefined;
  try {
    if (path !== undefined) native = loadNative(path, plain, own);
  } catch (error) {
    unfixNative();
    throw error;
  }
  const library = native === undefined ? plain : withNative(plain, native);
  return { ...library, c: recording(SYMBOLS, library.c), native };
}
