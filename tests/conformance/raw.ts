/**
 * C as it is: the functions, flags and answers that the library keeps away from its users.
 *
 * Rule: nothing is converted and nothing is hidden; an answer is C's own result, or the name of
 * the error number that came with -1. Memory is only touched where this file's `map` put it.
 */

import process from "node:process";
import { C, STRUCTS } from "../../src/sys/abi.ts";
import { size, Struct } from "../../src/sys/bytes.ts";
import { describe } from "../../src/sys/errno.ts";
import { architecture, bind } from "../../src/sys/load.ts";
import { cString } from "../../src/sys/name.ts";
import type { CTable } from "../../src/sys/symbols.ts";

const RAW = {
  // --- mqueue.h -------------------------------------------------------------------------------
  /** mqd_t mq_open(const char *name, int oflag, mode_t mode, struct mq_attr *attr) — variadic */
  mq_open: {
    parameters: ["buffer name", "i32 oflag", "u32 mode", "buffer attr"],
    result: "i32",
  },
  /** int mq_close(mqd_t mqdes) */
  mq_close: { parameters: ["i32 mqdes"], result: "i32" },
  /** int mq_unlink(const char *name) */
  mq_unlink: { parameters: ["buffer name"], result: "i32" },
  /** int mq_getattr(mqd_t mqdes, struct mq_attr *attr) */
  mq_getattr: { parameters: ["i32 mqdes", "buffer attr"], result: "i32" },
  /** int mq_setattr(mqd_t mqdes, const struct mq_attr *newattr, struct mq_attr *oldattr) */
  mq_setattr: { parameters: ["i32 mqdes", "buffer newattr", "buffer oldattr"], result: "i32" },
  /** int mq_send(mqd_t mqdes, const char *msg_ptr, size_t msg_len, unsigned msg_prio) */
  mq_send: {
    parameters: ["i32 mqdes", "buffer msg_ptr", "size msg_len", "u32 msg_prio"],
    result: "i32",
  },
  /** int mq_timedsend(mqd_t, const char *, size_t, unsigned, const struct timespec *abs_timeout) */
  mq_timedsend: {
    parameters: [
      "i32 mqdes",
      "buffer msg_ptr",
      "size msg_len",
      "u32 msg_prio",
      "buffer abs_timeout",
    ],
    result: "i32",
  },
  /** ssize_t mq_receive(mqd_t mqdes, char *msg_ptr, size_t msg_len, unsigned *msg_prio) */
  mq_receive: {
    parameters: ["i32 mqdes", "buffer msg_ptr", "size msg_len", "buffer msg_prio"],
    result: "i32", // at most msgsize_max, 16 MiB
  },
  /** ssize_t mq_timedreceive(mqd_t, char *, size_t, unsigned *, const struct timespec *) */
  mq_timedreceive: {
    parameters: [
      "i32 mqdes",
      "buffer msg_ptr",
      "size msg_len",
      "buffer msg_prio",
      "buffer abs_timeout",
    ],
    result: "i32", // at most msgsize_max, 16 MiB
  },
  /** int mq_notify(mqd_t mqdes, const struct sigevent *sevp) */
  mq_notify: { parameters: ["i32 mqdes", "buffer sevp"], result: "i32" },

  // --- sys/mman.h -----------------------------------------------------------------------------
  /** int shm_open(const char *name, int oflag, mode_t mode) */
  shm_open: { parameters: ["buffer name", "i32 oflag", "u32 mode"], result: "i32" },
  /** int shm_unlink(const char *name) */
  shm_unlink: { parameters: ["buffer name"], result: "i32" },
  /** void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset) */
  mmap: {
    parameters: [
      "address addr",
      "size length",
      "i32 prot",
      "i32 flags",
      "i32 fd",
      "i64 offset",
    ],
    result: "i64", // signed, so that MAP_FAILED is -1 as it is everywhere else
  },
  /** int munmap(void *addr, size_t length) */
  munmap: { parameters: ["address addr", "size length"], result: "i32" },
  /** int msync(void *addr, size_t length, int flags) */
  msync: { parameters: ["address addr", "size length", "i32 flags"], result: "i32" },
  /** int mlock(const void *addr, size_t len) */
  mlock: { parameters: ["address addr", "size len"], result: "i32" },

  // --- fcntl.h, unistd.h, sys/stat.h ----------------------------------------------------------
  /** int open(const char *path, int flags, mode_t mode) — variadic */
  open: { parameters: ["buffer path", "i32 flags", "u32 mode"], result: "i32" },
  /** int close(int fd) */
  close: { parameters: ["i32 fd"], result: "i32" },
  /** ssize_t pread(int fd, void *buf, size_t count, off_t offset) */
  pread: { parameters: ["i32 fd", "buffer buf", "size count", "i64 offset"], result: "i32" },
  /** ssize_t pwrite(int fd, const void *buf, size_t count, off_t offset) */
  pwrite: { parameters: ["i32 fd", "buffer buf", "size count", "i64 offset"], result: "i32" },
  /** off_t lseek(int fd, off_t offset, int whence) */
  lseek: { parameters: ["i32 fd", "i64 offset", "i32 whence"], result: "i64" },
  /** int ftruncate(int fd, off_t length) */
  ftruncate: { parameters: ["i32 fd", "i64 length"], result: "i32" },
  /** int fcntl(int fd, int cmd, int arg) — variadic */
  fcntl: { parameters: ["i32 fd", "i32 cmd", "i32 arg"], result: "i32" },
  /** int pipe(int pipefd[2]) */
  pipe: { parameters: ["buffer pipefd"], result: "i32" },
  /** int fchmod(int fd, mode_t mode) */
  fchmod: { parameters: ["i32 fd", "u32 mode"], result: "i32" },
  /** mode_t umask(mode_t mask) */
  umask: { parameters: ["u32 mask"], result: "u32" },
  /** gid_t getegid(void) */
  getegid: { parameters: [], result: "u32" },

  // --- what a child does to itself ------------------------------------------------------------
  /** int setgroups(size_t size, const gid_t *list) */
  setgroups: { parameters: ["size size", "buffer list"], result: "i32" },
  /** int setresgid(gid_t rgid, gid_t egid, gid_t sgid) */
  setresgid: { parameters: ["u32 rgid", "u32 egid", "u32 sgid"], result: "i32" },
  /** int setresuid(uid_t ruid, uid_t euid, uid_t suid) */
  setresuid: { parameters: ["u32 ruid", "u32 euid", "u32 suid"], result: "i32" },
  /** int getrlimit(int resource, struct rlimit *rlim) */
  getrlimit: { parameters: ["i32 resource", "buffer rlim"], result: "i32" },
  /** int setrlimit(int resource, const struct rlimit *rlim) */
  setrlimit: { parameters: ["i32 resource", "buffer rlim"], result: "i32" },
  /** int unshare(int flags) */
  unshare: { parameters: ["i32 flags"], result: "i32" },
  /** int mount(const char *, const char *, const char *, unsigned long, const void *data) */
  mount: {
    parameters: [
      "buffer source",
      "buffer target",
      "buffer filesystemtype",
      "size mountflags",
      "buffer data",
    ],
    result: "i32",
  },
  /** int system(const char *command) */
  system: { parameters: ["buffer command"], result: "i32" },
  /** int siginterrupt(int sig, int flag) */
  siginterrupt: { parameters: ["i32 sig", "i32 flag"], result: "i32" },
  /** int setitimer(int which, const struct itimerval *new_value, struct itimerval *old_value) */
  setitimer: { parameters: ["i32 which", "buffer new_value", "buffer old_value"], result: "i32" },
} as const satisfies CTable;

const library = bind(RAW);

/** The functions of C, as they are. */
export const c = library.c;
/** The memory at an address that `map` gave; touching it past its end ends the process. */
export const viewOf = library.viewOf;

/** Constants of C that only the tests need; the same on x86-64 and arm64. */
export const R = {
  O_ACCMODE: 0o3,
  O_TRUNC: 0o1000,
  F_GETFD: 1,
  F_GETFL: 3,
  SEEK_SET: 0,
  SEEK_CUR: 1,
  PROT_NONE: 0,
  PROT_EXEC: 4,
  MAP_LOCKED: 0x2000,
  MS_ASYNC: 1,
  MS_INVALIDATE: 2,
  SIGEV_NONE: 1,
  SIGALRM: 14,
  ITIMER_REAL: 0,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  CLONE_NEWNS: 0x00020000,
  CLONE_NEWIPC: 0x08000000,
  MS_REC: 0x4000,
  MS_PRIVATE: 0x40000,
  TMPFS_MAGIC: 0x01021994,
} as const;

/** System calls in which a thread can wait, by the C function that makes them. */
export const WAITING = {
  x86_64: { poll: 7, mq_timedsend: 242, mq_timedreceive: 243 },
  aarch64: { poll: 73, mq_timedsend: 182, mq_timedreceive: 183 },
}[architecture()];

/** What C answered: its result, or the name of the error number when that is -1. */
export function answer<T extends number | bigint>(run: () => T): T | string {
  const result = run();
  const number = library.errno();
  return result === -1 || result === -1n ? describe(number).code : result;
}

/** The result of a call that has to work for the test to mean anything. */
export function must<T extends number | bigint>(run: () => T): T {
  const result = answer(run);
  if (typeof result === "string") throw new Error(`${run}: ${result}`);
  return result;
}

export { C, cString, size };

/** A descriptor that is closed at the end of the scope, unless the test closed it. */
export class Descriptor implements Disposable {
  readonly fd: number;
  #open = true;

  constructor(fd: number) {
    this.fd = fd;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    must(() => c.close(this.fd));
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

// --- queues ------------------------------------------------------------------------------------

/** `struct mq_attr` with what mq_open and mq_setattr look at. */
export function attributes({ flags = 0, maxmsg = 2, msgsize = 16, curmsgs = 0 } = {}): Struct {
  const struct = new Struct(STRUCTS.mq_attr.bytes);
  struct.setI64(STRUCTS.mq_attr.mq_flags, flags);
  struct.setI64(STRUCTS.mq_attr.mq_maxmsg, maxmsg);
  struct.setI64(STRUCTS.mq_attr.mq_msgsize, msgsize);
  struct.setI64(STRUCTS.mq_attr.mq_curmsgs, curmsgs);
  return struct;
}

/** The fields of a `struct mq_attr`. */
export function fieldsOf(struct: Struct) {
  return {
    flags: struct.u64(STRUCTS.mq_attr.mq_flags),
    maxmsg: struct.u64(STRUCTS.mq_attr.mq_maxmsg),
    msgsize: struct.u64(STRUCTS.mq_attr.mq_msgsize),
    curmsgs: struct.u64(STRUCTS.mq_attr.mq_curmsgs),
  };
}

/** mq_getattr(3) of a descriptor. */
export function attributesOf(mqd: number) {
  const struct = attributes();
  must(() => c.mq_getattr(mqd, struct.bytes));
  return fieldsOf(struct);
}

/** mq_open(3): a descriptor or the name of the error; small sizes unless told otherwise. */
export function mqOpen(
  name: string,
  flags: number,
  { mode = 0o600, attr = attributes() as Struct | null } = {},
): number | string {
  const bytes = cString(name);
  return answer(() => c.mq_open(bytes, flags, mode, attr?.bytes ?? null));
}

/** A queue of two messages of 16 bytes by a name that is already gone: only the descriptor is left. */
export function rawQueue(flags: number = C.O_RDWR): Descriptor {
  const name = `/test-${crypto.randomUUID()}`;
  const mqd = opened(mqOpen(name, flags | C.O_CREAT | C.O_EXCL));
  must(() => c.mq_unlink(cString(name)));
  return mqd;
}

/** What an open call gave, as a descriptor to close; throws when it was refused. */
export function opened(result: number | string): Descriptor {
  if (typeof result === "number") return new Descriptor(result);
  throw new Error(`the descriptor was refused: ${result}`);
}

/** mq_send(3): 0 or the name of the error. */
export function mqSend(mqd: number, data: Uint8Array, priority: number): number | string {
  return answer(() => c.mq_send(mqd, data, size(data.byteLength), priority));
}

/** mq_timedsend(3): 0 or the name of the error. */
export function mqTimedsend(
  mqd: number,
  data: Uint8Array,
  priority: number,
  deadline: Uint8Array,
): number | string {
  return answer(() => c.mq_timedsend(mqd, data, size(data.byteLength), priority, deadline));
}

/** What a receiving call gave: the message, or the name of the error. */
export type Received = { text: string; priority: number } | string;

/** mq_receive(3), or mq_timedreceive(3) when there is a deadline. */
export function mqReceive(mqd: number, bufferBytes = 16, deadline?: Uint8Array): Received {
  const into = new Uint8Array(bufferBytes), room = size(bufferBytes);
  const priority = new Struct(4);
  const length = answer(() =>
    deadline === undefined
      ? c.mq_receive(mqd, into, room, priority.bytes)
      : c.mq_timedreceive(mqd, into, room, priority.bytes, deadline)
  );
  if (typeof length === "string") return length;
  return { text: new TextDecoder().decode(into.subarray(0, length)), priority: priority.u32(0) };
}

/** `struct timespec` */
export function timespec(seconds: number, nanoseconds: number): Uint8Array {
  const struct = new Struct(16);
  struct.setI64(0, seconds);
  struct.setI64(8, nanoseconds);
  return struct.bytes;
}

/** A point of CLOCK_REALTIME, in milliseconds from now. */
export function realtime(fromNowMs: number): Uint8Array {
  const atMs = Date.now() + fromNowMs;
  return timespec(Math.floor(atMs / 1000), (atMs % 1000) * 1e6);
}

/** `struct sigevent` for mq_notify(3). */
export function sigevent(notify: number, signo: number): Uint8Array {
  const struct = new Struct(STRUCTS.sigevent.bytes);
  struct.setI32(STRUCTS.sigevent.sigev_signo, signo);
  struct.setI32(STRUCTS.sigevent.sigev_notify, notify);
  return struct.bytes;
}

// --- memory ------------------------------------------------------------------------------------

/** shm_open(3): a descriptor or the name of the error. */
export function shmOpen(name: string, flags: number, mode = 0o600): number | string {
  const bytes = cString(name);
  return answer(() => c.shm_open(bytes, flags, mode));
}

/** shm_unlink(3): 0 or the name of the error. */
export function shmUnlink(name: string): number | string {
  const bytes = cString(name);
  return answer(() => c.shm_unlink(bytes));
}

/** An object of `byteLength` zero bytes by a name that is already gone. */
export function rawMemory(byteLength: number): Descriptor {
  const name = `/test-${crypto.randomUUID()}`;
  const object = opened(shmOpen(name, C.O_RDWR | C.O_CREAT | C.O_EXCL));
  must(() => c.shm_unlink(cString(name)));
  must(() => c.ftruncate(object.fd, BigInt(byteLength)));
  return object;
}

/** pwrite(2): how many bytes, or the name of the error. */
export function pwrite(fd: number, text: string, offset = 0): number | string {
  const data = new TextEncoder().encode(text);
  return answer(() => c.pwrite(fd, data, size(data.byteLength), BigInt(offset)));
}

/** pread(2): the bytes as text, or the name of the error in brackets. */
export function pread(fd: number, byteLength: number, offset = 0): string {
  const into = new Uint8Array(byteLength);
  const read = answer(() => c.pread(fd, into, size(byteLength), BigInt(offset)));
  return typeof read === "string" ? `[${read}]` : new TextDecoder().decode(into.subarray(0, read));
}

/** How mmap(2) is called. */
export interface MapOptions {
  address?: bigint;
  byteLength?: number;
  protection?: number;
  flags?: number;
  fd?: number;
  offset?: bigint;
}

/** mmap(2): the address, or the name of the error. One readable, writable, shared page by default. */
export function mmap(options: MapOptions): bigint | string {
  const { address = 0n, byteLength = PAGE, protection = C.PROT_READ | C.PROT_WRITE } = options;
  const { flags = C.MAP_SHARED, fd = -1, offset = 0n } = options;
  const length = BigInt(byteLength);
  return answer(() => c.mmap(address, length, protection, flags, fd, offset));
}

/** A mapping made by C, for as long as the scope lasts. */
export class Mapped implements Disposable {
  readonly address: bigint;
  readonly byteLength: number;
  #mapped = true;

  constructor(options: MapOptions) {
    const address = mmap(options);
    if (typeof address === "string") throw new Error(`mmap was refused: ${address}`);
    this.address = address;
    this.byteLength = options.byteLength ?? PAGE;
  }

  /** The bytes. Never kept: after the scope they are gone. */
  get bytes(): Uint8Array {
    return new Uint8Array(viewOf(this.address, this.byteLength));
  }

  /** Some of the bytes, read as text. */
  text(byteLength: number, offset = 0): string {
    return new TextDecoder().decode(this.bytes.slice(offset, offset + byteLength));
  }

  /** Writes text. */
  write(text: string, offset = 0): void {
    this.bytes.set(new TextEncoder().encode(text), offset);
  }

  unmap(): void {
    if (!this.#mapped) return;
    this.#mapped = false;
    must(() => c.munmap(this.address, BigInt(this.byteLength)));
  }

  [Symbol.dispose](): void {
    this.unmap();
  }
}

/** The size of a memory page, in bytes. */
export const PAGE: number = bind({ sysconf: { parameters: ["i32 name"], result: "i32" } }).c
  .sysconf(
    C._SC_PAGESIZE,
  );

/** Page-aligned, and below everything that the kernel places by itself: nobody maps it by chance. */
export const NOWHERE = 0x40000n;

// --- what a child does to itself ---------------------------------------------------------------

/** A user that owns nothing. */
export const NOBODY = 65534;

/** Becomes another user without capabilities, for good. Only in a child, and only as root. */
export function becomeUser(uid: number = NOBODY, gid: number = uid): void {
  must(() => c.setgroups(0n, null));
  must(() => c.setresgid(gid, gid, gid));
  must(() => c.setresuid(uid, uid, uid));
}

/** Lowers a soft limit of this process. Only in a child. */
export function lowerLimit(resource: number, value: number): void {
  const limit = new Struct(STRUCTS.rlimit.bytes);
  must(() => c.getrlimit(resource, limit.bytes));
  limit.setI64(STRUCTS.rlimit.rlim_cur, value);
  must(() => c.setrlimit(resource, limit.bytes));
}

/** Gives the calling thread a /dev/shm of its own. Only in a child, with CAP_SYS_ADMIN. */
export function mountOwnShm(options: string): void {
  const none = cString("none"), root = cString("/"), target = cString("/dev/shm");
  must(() => c.unshare(R.CLONE_NEWNS));
  // Otherwise the mount would show up in the namespace that we came from.
  must(() => c.mount(none, root, null, BigInt(R.MS_REC | R.MS_PRIVATE), null));
  must(() => c.mount(none, target, cString("tmpfs"), 0n, cString(options)));
}

/** Sends this process SIGALRM again and again, so that no race with the wait can lose it. */
export function interruptSoon(everyMs = 30): void {
  process.on("SIGALRM", () => {});
  // LINUX: the runtime installs its handlers with SA_RESTART; without it mq_receive comes back.
  must(() => c.siginterrupt(R.SIGALRM, 1));
  const microseconds = BigInt(everyMs) * 1000n;
  const every = new BigInt64Array([0n, microseconds, 0n, microseconds]);
  must(() => c.setitimer(R.ITIMER_REAL, new Uint8Array(every.buffer), null));
}
