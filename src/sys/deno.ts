/**
 * The driver for Deno: `Deno.dlopen` on the C library.
 *
 * Rule: the only file of `src/` and `cli/` that may say `Deno`.
 */

import { C, STRUCTS } from "./abi.ts";
import { C_LIBRARY, type CTable, type CType } from "./symbols.ts";
import type { Driver, Functions, Library, Watch } from "./port.ts";

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
    c: symbols as unknown as Functions<T>,
    errno: readErrno,
    addressOf: (view) =>
      Deno.UnsafePointer.value(Deno.UnsafePointer.of(view as Uint8Array<ArrayBuffer>)),
    viewOf: (address, byteLength) =>
      Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, byteLength),
    watch,
  };
}

/** What a watch needs beside the table: a call that waits in the runtime's pool of threads. */
function parkingCalls() {
  return dlopen({
    park: {
      name: "poll",
      parameters: ["buffer", "usize", "i32"],
      result: "i32",
      nonblocking: true,
    },
    eventfd: { parameters: ["u32", "i32"], result: "i32" },
    eventfd_write: { parameters: ["i32", "u64"], result: "i32" },
    eventfd_read: { parameters: ["i32", "buffer"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  }).symbols as unknown as ParkingCalls;
}

interface ParkingCalls {
  park(fds: Uint8Array, count: bigint, timeoutMs: number): Promise<number>;
  eventfd(count: number, flags: number): number;
  eventfd_write(fd: number, value: bigint): number;
  eventfd_read(fd: number, value: Uint8Array): number;
  close(fd: number): number;
}

let parking: ParkingCalls | undefined;

/**
 * Waits for a descriptor in one parked call of poll(2), which an eventfd(2) ends.
 *
 * The call keeps the process running, so there is one only while somebody wants it; it only waits
 * (errno is lost in the pool), and whoever is called back does the work.
 */
function watch(fd: number, onReadable: () => void): Watch {
  const c = parking ??= parkingCalls();
  const bell = c.eventfd(0, C.EFD_CLOEXEC | C.EFD_NONBLOCK);
  if (bell === -1) throw new Error("Cannot wait: eventfd(2) was refused, expected a descriptor");
  const { pollfd } = STRUCTS;
  const bytes = new Uint8Array(pollfd.bytes * 2), view = new DataView(bytes.buffer);
  for (const [index, polled] of [fd, bell].entries()) {
    view.setInt32(index * pollfd.bytes + pollfd.fd, polled, true);
    view.setInt16(index * pollfd.bytes + pollfd.events, C.POLLIN, true);
  }
  const count = new Uint8Array(8);
  let wanted = false, parked = false, running = false, stopped = false;

  async function run(): Promise<void> {
    running = true;
    while (wanted) {
      parked = true;
      await c.park(bytes, 2n, -1);
      parked = false;
      if (view.getInt16(pollfd.bytes + pollfd.revents, true) !== 0) c.eventfd_read(bell, count);
      if (wanted && view.getInt16(pollfd.revents, true) !== 0) onReadable();
    }
    running = false;
    if (stopped) c.close(bell);
  }

  function pause(): void {
    if (wanted && parked) c.eventfd_write(bell, 1n);
    wanted = false;
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
      if (!running) c.close(bell);
    },
    isParked: () => parked,
  };
}

export const deno: Driver = {
  isPresent: () => typeof globalThis.Deno?.dlopen === "function",
  platform: () => ({ os: Deno.build.os, arch: Deno.build.arch }),
  load,
};
