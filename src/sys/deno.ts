/**
 * The driver for Deno: `Deno.dlopen` on the C library.
 *
 * Rule: the only file of `src/` and `cli/` that may say `Deno`.
 */

import { C } from "./abi.ts";
import { describe, ERRNO } from "./errno.ts";
import { denoFlags, type PermissionAnswer } from "./deno_flags.ts";
import { chosenNative } from "./native_choice.ts";
import { NATIVE_POLL } from "./native_symbols.ts";
import { readerOfWeb } from "./output_reader.ts";
import { Parking } from "./parking.ts";
import type {
  Driver,
  Functions,
  Host,
  Library,
  OwnProcess,
  ProcessEnd,
  Program,
  StartedProcess,
  Watch,
  Word,
} from "./port.ts";
import { enterParked, forgetParked, recording } from "./record.ts";
import { C_LIBRARY, type CTable, type CType, SYMBOLS } from "./symbols.ts";

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
  for (const [key, { symbol, parameters, result, optional }] of Object.entries(table)) {
    declared[key] = {
      optional: optional === true,
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
    c: asFields(symbols),
    errno: readErrno,
    word,
    addressOf: (view) =>
      Deno.UnsafePointer.value(Deno.UnsafePointer.of(view as Uint8Array<ArrayBuffer>)),
    viewOf: (address, byteLength) =>
      Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, byteLength),
    growClears: false,
    loadsWrite: false,
    seesInherited: true,
    hearsSignals: () => true, // a signal that nobody listens for interrupts nothing
    watch,
  };
}

function functionsIn<const T extends CTable>(path: string, table: T): Functions<T> {
  return asFields(Deno.dlopen(path, declarations(table)).symbols);
}

/**
 * V8 keeps the properties of a prototype as fields; a table this long would else be a hash table that
 * each call looks into.
 */
function asFields<T extends CTable>(symbols: unknown): Functions<T> {
  return Object.create(symbols as object) as Functions<T>;
}

/** What a watch needs: rows of the table, and a call that waits in the runtime's pool of threads. */
function parkingCalls() {
  const { calloc, free, close, eventfd, eventfd_read, eventfd_write } = SYMBOLS;
  const table = { calloc, free, close, eventfd, eventfd_read, eventfd_write };
  const { c } = load(table);
  const native = chosenNative(), { poll: row } = declarations(NATIVE_POLL);
  const { symbols } = native === undefined
    ? dlopen({ poll: { ...row!, name: "poll", nonblocking: true } })
    : Deno.dlopen(native, { poll: { ...row!, nonblocking: true } });
  const poll = symbols.poll as unknown as (
    fds: bigint,
    count: bigint,
    timeoutMs: number,
  ) => Promise<number>;
  return { c: recording(table, c), poll };
}

/**
 * Tells of a call that was refused, but for one that a signal ended: it is made again. errno is lost
 * in the pool, so by plain FFI nobody knows, and it is made again whatever it was.
 */
function checkPolled(result: number): void {
  if (result >= -1 || result === -ERRNO.EINTR) return;
  const { code, description } = describe(-result);
  throw new Error(`Cannot wait: poll(2) was refused: ${description} (${code}), expected events`);
}

let parking: ReturnType<typeof parkingCalls> | undefined;

/**
 * Waits for a descriptor in one parked call of poll(2), which an eventfd(2) ends.
 *
 * The call keeps the process running, so there is one only while somebody wants it; it only waits,
 * and whoever is called back does the work.
 */
function watch(fd: number, onReadable: () => void): Watch {
  const { c, poll } = parking ??= parkingCalls();
  const bell = c.eventfd(0, C.EFD_CLOEXEC | C.EFD_NONBLOCK);
  if (bell === -1) throw new Error("Cannot wait: eventfd(2) was refused, expected a descriptor");
  const place = c.calloc(1n, BigInt(Parking.bytes()));
  if (place === 0n) {
    c.close(bell);
    throw new Error("Cannot wait: calloc(3) was refused, expected memory");
  }
  // SAFETY: ours until it is freed in end(), and nobody uses this view then.
  const polled = new Parking(
    Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(place)!, Parking.bytes()),
  );
  polled.fill(fd, bell);
  enterParked({ bell, place });
  const count = new Uint8Array(8);
  let wanted = false, parked = false, running = false, stopped = false;

  async function run(): Promise<void> {
    running = true;
    try {
      while (wanted) {
        parked = true;
        polled.begin();
        const result = await poll(place, 2n, -1);
        parked = false;
        checkPolled(result);
        if (polled.rang) c.eventfd_read(bell, count);
        if (wanted && polled.isReady) onReadable();
      }
    } finally {
      running = false;
      if (stopped) end();
      else if (wanted) run(); // it threw: that is told, and the others are served on
    }
  }

  function pause(): void {
    if (wanted && parked) c.eventfd_write(bell, 1n);
    wanted = false;
  }

  function end(): void {
    forgetParked({ bell, place });
    c.close(bell);
    c.free(place);
  }

  return {
    resume() {
      if (stopped) return;
      wanted = true;
      if (!running) run();
    },
    pause,
    stop() {
      if (stopped) return;
      stopped = true;
      pause();
      if (!running) end();
    },
    isParked: () => parked,
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

const STREAMS = { pipe: "piped", inherit: "inherit", ignore: "null" } as const;

/**
 * Starts a process by Deno.Command, which needs --allow-run for this executable and nothing else:
 * node:child_process would read the environment.
 */
function start(program: Program, own: OwnProcess): StartedProcess {
  const { v8Flags, env, output } = program;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", ...denoFlags(facts(own), v8Flags), mainOf(program), ...program.args],
    env,
    stdin: "null",
    stdout: STREAMS[output],
    stderr: STREAMS[output],
  });
  const child = command.spawn();
  return {
    pid: child.pid,
    stdout: output === "pipe" ? readerOfWeb(child.stdout) : undefined,
    stderr: output === "pipe" ? readerOfWeb(child.stderr) : undefined,
    ended: child.status.then(({ code, signal }): ProcessEnd =>
      signal === null ? { code } : { signal }
    ),
    kill(signal) {
      try {
        child.kill(signal as Deno.Signal);
      } catch (error) {
        // It has ended already: two ways in which Deno says so.
        if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
      }
    },
    hold: (holds) => holds ? child.ref() : child.unref(),
  };
}

/**
 * The main module of a child. What it imports, also by a call that names the module, belongs to the
 * program, which needs no permission to read it.
 */
function mainOf({ entryUrl, moduleUrl }: Program): string {
  const text = `import ${JSON.stringify(entryUrl)};\n` +
    `export const load = () => import(${JSON.stringify(moduleUrl)});\n`;
  return `data:text/javascript,${encodeURIComponent(text)}`;
}

/** What a worker of `node:worker_threads` was told: Deno itself does not tell it, whatever its types say. */
let programUrl: string | undefined;
const mainUrl = (): string | undefined => Deno.mainModule ?? programUrl;

function facts(own: OwnProcess) {
  const words = own.commandLine().slice(1);
  const args = Deno.args;
  const isOurs = words.slice(words.length - args.length).join("\0") === args.join("\0");
  return {
    words: isOurs ? words.slice(0, words.length - args.length) : words,
    query,
    mainUrl: mainUrl() ?? "",
    isFile: own.isFile,
  };
}

function query(question: object): PermissionAnswer {
  return Deno.permissions.querySync(question as Deno.PermissionDescriptor);
}

const host: Host = {
  pid: () => Deno.pid,
  mainUrl,
  belongsTo: (mainUrl) => programUrl = mainUrl,
  whyNoProcess() {
    if (!Deno.build.standalone) return undefined;
    return "this program was made by deno compile, which has no command line to run other " +
      "modules with, expected a program that deno run runs";
  },
  whyNoWorker(moduleUrl) {
    const { protocol, host, pathname } = new URL(moduleUrl);
    if (protocol === "file:") {
      const path = decodeURIComponent(pathname);
      if (query({ name: "read", path }).state === "granted") return undefined;
      return `a worker may not read ${path}, expected the flag --allow-read, which Deno wants for ` +
        "the modules of a worker and not for those of a process";
    }
    if (!protocol.startsWith("http")) return undefined;
    if (query({ name: "import", host }).state === "granted") return undefined;
    return `a worker may not import from ${host}, expected the flag --allow-import=${host}`;
  },
  start,
  workersPrint: true,
};

function environment(name: string): string | undefined {
  // Asked first: to read a variable without permission would throw, or ask the user.
  const isGranted = query({ name: "env", variable: name }).state === "granted";
  return isGranted ? Deno.env.get(name) : undefined;
}

export const deno: Driver = {
  isPresent: () => typeof globalThis.Deno?.dlopen === "function",
  platform: () => ({ os: Deno.build.os, arch: Deno.build.arch }),
  load,
  functionsIn,
  environment,
  host,
};
