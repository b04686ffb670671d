/**
 * The port to C: what a driver of a runtime offers to the rest of `src/sys`.
 *
 * A driver is one file beside this one (`deno.ts`, `koffi.ts`). Nothing outside this folder sees the port.
 */

import type { OutputReader } from "./output_reader.ts";
import type { NATIVE_SYMBOLS } from "./native_symbols.ts";
import type { CFunction, CTable, CType, SYMBOLS } from "./symbols.ts";

/** The JavaScript value that stands for a C result. */
export type JsValue<T extends CType> = T extends "i32" | "u32" ? number
  : T extends "i64" | "size" | "address" ? bigint
  : Uint8Array | null;

/** A 64-bit argument: every driver takes both, and one of them faster ({@linkcode Library.word}). */
export type Word = bigint | number;

/** The JavaScript value that stands for a C parameter. */
export type Argument<T extends CType> = T extends "i64" | "size" | "address" ? Word : JsValue<T>;

type TypeIn<P extends string> = P extends `${infer T extends CType} ${string}` ? T : never;

type Values<P extends readonly string[]> = { -readonly [I in keyof P]: Argument<TypeIn<P[I]>> };

type Callable<F extends CFunction> = (...values: Values<F["parameters"]>) => JsValue<F["result"]>;

/** The callable form of a table. */
export type Functions<T extends CTable> = {
  readonly [K in keyof T]:
    | Callable<T[K]>
    | (T[K] extends { readonly optional: true } ? null | undefined : never);
};

/** A loaded C library, seen through one table. */
export interface Library<T extends CTable> {
  /** The C functions of the table, by their keys. */
  readonly c: Functions<T>;

  /**
   * errno of this thread.
   *
   * Only exact as the very next thing after a call: any allocation in between may collect
   * garbage, and the collector's own system calls overwrite it.
   */
  errno(): number;

  /** A safe integer as the 64-bit argument that costs this runtime least. */
  word(value: Word): Word;

  /**
   * Where the bytes of a view begin.
   *
   * SAFETY: valid as long as the view's buffer is referenced, and only for buffers that do not
   * move: growable SharedArrayBuffers never do.
   */
  addressOf(view: Uint8Array): bigint;

  /** The memory at an address, as an ArrayBuffer that nobody owns. */
  viewOf(address: bigint, byteLength: number): ArrayBuffer;

  /**
   * Whether `SharedArrayBuffer.grow()` writes zeros over the bytes that it adds, as JavaScriptCore's
   * does; V8's only makes them accessible.
   */
  readonly growClears: boolean;

  /**
   * Whether `Atomics.load()` is a write for the kernel, as JavaScriptCore's compiled code is, which
   * adds 0 instead. In a private mapping that freezes the page.
   */
  readonly loadsWrite: boolean;

  /**
   * Whether FD_CLOEXEC tells inherited descriptors from our own: Node and Bun set it on all that
   * they inherit.
   */
  readonly seesInherited: boolean;

  /**
   * Whether a signal that interrupts a call may be one that the program listens for; false when it
   * can only be one that the runtime keeps to itself, as Node does with the end of children.
   */
  hearsSignals(): boolean;

  /**
   * Has the event loop wait for a descriptor.
   *
   * SAFETY: in Node it ends the process for what is no descriptor, or none that can be polled, and
   * for one that is watched already: call it through `watchReadable()`, which makes sure of that.
   */
  watch(fd: number, onReadable: () => void): Watch;
}

/** A descriptor that the event loop waits for. It is paused at first. */
export interface Watch {
  /** Calls back as long as it is readable, and keeps the process running for it. */
  resume(): void;
  /** No longer keeps the process running, and need not call back; it may, a last time. */
  pause(): void;
  /** Ends it; the descriptor may be closed then. Stopping twice does nothing. */
  stop(): void;
  /** Whether a call waits for it in a thread of the runtime's; a moment longer than it is wanted. */
  isParked(): boolean;
}

/** The library that Postbox runs on. */
export interface Sys extends Library<typeof SYMBOLS> {
  /** What the native driver has beside functions of C; undefined where none was chosen. */
  readonly native: Functions<typeof NATIVE_SYMBOLS> | undefined;
}

/** A module that another process of this runtime is to run. */
export interface Program {
  /** What it runs first of all: a module of this library. */
  readonly entryUrl: string;
  /** A module that it will import by `import()`, and may whatever it may not read. */
  readonly moduleUrl: string;
  /** What it finds in `process.argv.slice(2)`. */
  readonly args: readonly string[];
  /** Beside the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Flags for V8 beside those of this process, with their dashes. */
  readonly v8Flags: readonly string[];
  /** Where its standard output and its standard error go. */
  readonly output: "pipe" | "inherit" | "ignore";
}

/** What a driver asks the system about the process that it runs in. */
export interface OwnProcess {
  /** The words that it was started with, the program's first: proc_pid_cmdline(5). */
  commandLine(): readonly string[];
  /** Whether there is a file, whatever this process may read. */
  isFile(path: string): boolean;
}

/** How a process ended, as wait(2) tells it, or why there never was one. */
export type ProcessEnd =
  | { readonly code: number }
  | { readonly signal: string }
  | { readonly error: unknown };

/** A process that was started, or was to be. */
export interface StartedProcess {
  /** Undefined where there never was one. */
  readonly pid: number | undefined;
  /** What it prints, with `output: "pipe"`. */
  readonly stdout: OutputReader | undefined;
  readonly stderr: OutputReader | undefined;
  /** Its end, as soon as it is known; never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** kill(2); nothing when it has ended. */
  kill(signal: string): void;
  /** Whether it keeps this process running; at first it does. */
  hold(holds: boolean): void;
}

/** The runtime as a program: what others of it need to be started. */
export interface Host {
  /** The number of this process. */
  pid(): number;
  /** The module that this process, or worker, was started with; undefined where there is none. */
  mainUrl(): string | undefined;
  /** In a worker that the runtime does not tell: the module that its program was started with. */
  belongsTo(mainUrl: string | undefined): void;
  /** Why no other process of this runtime can be started from here, as the end of a sentence. */
  whyNoProcess(): string | undefined;
  /** Why a worker cannot import a module, as the end of a sentence. */
  whyNoWorker(moduleUrl: string): string | undefined;
  /**
   * Starts another process of this runtime, with what this one may do and no more. Throws what the
   * runtime throws when it refuses.
   */
  start(program: Program, own: OwnProcess): StartedProcess;
  /** Whether what a worker prints goes to the standard streams and not to its parent. */
  readonly workersPrint: boolean;
}

/** What a driver's file exports. */
export interface Driver {
  /** Whether this runtime is the driver's. */
  isPresent(): boolean;
  /** The machine: `linux`/`x86_64`, … */
  platform(): { os: string; arch: string };
  /** Loads the C library and binds a table; throws with a way out when it cannot. */
  load<const T extends CTable>(table: T): Library<T>;
  /** Binds a table of a library of its own; throws what the runtime throws. */
  functionsIn<const T extends CTable>(path: string, table: T): Functions<T>;
  /** A variable of the environment, where this thread may read it: never asks, never throws. */
  environment(name: string): string | undefined;
  /** The runtime as a program. */
  readonly host: Host;
}
