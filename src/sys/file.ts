/**
 * Files and directories through the port: Deno's own file access to /proc and /dev needs more
 * permissions than a queue should cost.
 */

import { C, machine, STRUCTS } from "./abi.ts";
import { byteLengthOf, rest, size, Struct } from "./bytes.ts";
import { check, type Hint } from "./check.ts";
import { sys } from "./load.ts";
import { cString } from "./name.ts";
import { enterDescriptor } from "./record.ts";

const encoder = new TextEncoder();

/** open(2); `target` is what errors call it, if not by its path. */
export function open(path: string, flags: number, hint?: Hint, target = path): number {
  const bytes = cString(path);
  const { c } = sys();
  return check(c.open(bytes, flags | C.O_CLOEXEC, 0), "open", "open file", target, hint);
}

/** close(2) */
export function close(fd: number, target: string): void {
  check(sys().c.close(fd), "close", "close", target);
}

/** pread(2): how many bytes were there, fewer than asked at the end of the object. */
export function pread(fd: number, into: Uint8Array, offset: number, target: string): number {
  const { c } = sys();
  const byteLength = byteLengthOf(into);
  let done = 0;
  while (done < byteLength) {
    const room = rest(into, done);
    const count = size(byteLength - done), from = BigInt(offset + done);
    const read = check(c.pread(fd, room, count, from), "pread", "read", target);
    if (read === 0) break;
    done += read;
  }
  return done;
}

/** pwrite(2) until everything is written. */
export function pwrite(
  fd: number,
  data: Uint8Array,
  offset: number,
  target: string,
  hint: Hint,
): void {
  const { c } = sys();
  const byteLength = byteLengthOf(data);
  let done = 0;
  while (done < byteLength) {
    const left = rest(data, done);
    const count = size(byteLength - done), to = BigInt(offset + done);
    done += check(c.pwrite(fd, left, count, to), "pwrite", "write", target, hint);
  }
}

/** What statx(2) says of an open object. */
export interface FileStatus {
  isFile: boolean;
  /** Permission bits only. */
  mode: number;
  uid: number;
  gid: number;
  byteLength: number;
  allocatedBytes: number;
  linkCount: number;
  inode: number;
  /** The file system, as one string to compare. */
  device: string;
}

/** statx(2) of a descriptor. */
export function statx(fd: number, target: string): FileStatus {
  return status(fd, cString(""), C.AT_EMPTY_PATH, target);
}

/** statx(2) of a path; of a symbolic link itself unless `follow`. */
export function statPath(path: string, { follow = false } = {}): FileStatus {
  return status(C.AT_FDCWD, cString(path), follow ? 0 : C.AT_SYMLINK_NOFOLLOW, path);
}

/** {@linkcode statPath} of an entry of a directory, whatever bytes its name has. */
export function statEntry(directory: string, { name, bytes }: DirectoryEntry): FileStatus {
  const path = new Uint8Array([...encoder.encode(`${directory}/`), ...bytes, 0]);
  return status(C.AT_FDCWD, path, C.AT_SYMLINK_NOFOLLOW, `${directory}/${name}`);
}

function status(fd: number, path: Uint8Array, flags: number, target: string): FileStatus {
  const layout = STRUCTS.statx;
  const struct = new Struct(layout.bytes);
  const { c } = sys();
  check(
    c.statx(fd, path, flags, C.STATX_BASIC_STATS, struct.bytes),
    "statx",
    "look at",
    target,
  );
  const mode = struct.u16(layout.stx_mode);
  return {
    isFile: (mode & C.S_IFMT) === C.S_IFREG,
    mode: mode & 0o7777,
    uid: struct.u32(layout.stx_uid),
    gid: struct.u32(layout.stx_gid),
    byteLength: struct.u64(layout.stx_size),
    allocatedBytes: struct.u64(layout.stx_blocks) * 512,
    linkCount: struct.u32(layout.stx_nlink),
    inode: struct.u64(layout.stx_ino),
    device: `${struct.u32(layout.stx_dev_major)}:${struct.u32(layout.stx_dev_minor)}`,
  };
}

/** What statfs(2) says of the file system that a path lies on. */
export interface FileSystemStatus {
  /** The magic number of its kind. */
  type: number;
  /** What is left for users without privileges. */
  availableBytes: number;
}

/** statfs(2) */
export function statfs(path: string, target = path): FileSystemStatus {
  const { bytes, f_type, f_bsize, f_bavail } = STRUCTS.statfs;
  const struct = new Struct(bytes);
  const where = cString(path);
  check(sys().c.statfs(where, struct.bytes), "statfs", "look at the file system of", target);
  return {
    type: struct.u64(f_type),
    availableBytes: struct.u64(f_bavail) * struct.u64(f_bsize),
  };
}

/** fcntl(2) F_GETFD: whether a descriptor ends with this program. All that we open do. */
export function isCloseOnExec(fd: number, target: string): boolean {
  return (check(sys().c.fcntl(fd, C.F_GETFD, 0), "fcntl", "look at", target) & C.FD_CLOEXEC) !== 0;
}

const LOWEST_DUPLICATE = 3; // never in the place of a standard stream that was closed

/** fcntl(2) F_DUPFD_CLOEXEC: one more descriptor for the same. */
export function duplicate(fd: number, action: string, target: string): number {
  const { c } = sys();
  return check(c.fcntl_dupfd(fd, C.F_DUPFD_CLOEXEC, LOWEST_DUPLICATE), "fcntl", action, target);
}

/** fcntl(2) F_SETFD: a child that is started later does not get the descriptor; it is ours now. */
export function closeOnExec(fd: number, target: string): void {
  check(sys().c.fcntl(fd, C.F_SETFD, C.FD_CLOEXEC), "fcntl", "keep to this process", target);
  enterDescriptor(fd);
}

/** readlink(2) */
export function readLink(path: string): string {
  const into = new Uint8Array(4096); // PATH_MAX
  const bytes = cString(path);
  const { c } = sys();
  const length = check(
    c.readlink(bytes, into, size(into.byteLength)),
    "readlink",
    "read link",
    path,
  );
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(into.subarray(0, length));
}

/** The whole of a small text file, as those of /proc. */
export function readText(path: string): string {
  const fd = open(path, C.O_RDONLY);
  try {
    let into = new Uint8Array(4096);
    for (let done = 0;;) {
      const read = pread(fd, into.subarray(done), done, path);
      done += read;
      if (done < into.byteLength) return new TextDecoder().decode(into.subarray(0, done));
      const larger = new Uint8Array(into.byteLength * 2);
      larger.set(into);
      into = larger;
    }
  } finally {
    close(fd, path);
  }
}

/** One name in a directory. */
export interface DirectoryEntry {
  /** As text; bytes that are no UTF-8 are U+FFFD in it. */
  name: string;
  /** As it is. */
  bytes: Uint8Array;
}

/** readdir(3): `.` and `..` left out, in the order of the file system. */
export function readDirectory(path: string): DirectoryEntry[] {
  const fd = open(path, C.O_RDONLY | machine().O_DIRECTORY);
  try {
    return readDirectoryOf(fd, path);
  } finally {
    close(fd, path);
  }
}

function readDirectoryOf(fd: number, path: string): DirectoryEntry[] {
  const { c } = sys();
  const { d_reclen, d_name } = STRUCTS.linux_dirent64;
  const records = new Struct(32 * 1024);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true }); // a BOM is part of a name
  const entries: DirectoryEntry[] = [];
  for (;;) {
    const number = machine().SYS_getdents64, room = size(records.bytes.byteLength);
    const length = check(
      c.getdents64(number, fd, records.bytes, room),
      "getdents64",
      "read directory",
      path,
    );
    if (length === 0) return entries;
    for (let at = 0; at < length; at += records.u16(at + d_reclen)) {
      const start = at + d_name;
      const bytes = records.bytes.slice(start, records.bytes.indexOf(0, start));
      const name = decoder.decode(bytes);
      if (name !== "." && name !== "..") entries.push({ name, bytes });
    }
  }
}

/**
 * Mounts a file system where nobody else sees it and gives a descriptor of its root directory.
 *
 * Needs CAP_SYS_ADMIN. The mount ends when the descriptor is closed.
 */
export function mountPrivately(fileSystem: string): number {
  const { c } = sys();
  const { SYS_fsopen, SYS_fsconfig, SYS_fsmount, O_DIRECTORY } = machine();
  const type = cString(fileSystem), root = cString(".");
  const context = check(
    c.fsopen(SYS_fsopen, type, C.FSOPEN_CLOEXEC),
    "fsopen",
    "mount",
    fileSystem,
  );
  try {
    const { FSCONFIG_CMD_CREATE, FSMOUNT_CLOEXEC } = C;
    check(
      c.fsconfig(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, null, null, 0),
      "fsconfig",
      "mount",
      fileSystem,
    );
    const mount = check(
      c.fsmount(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0),
      "fsmount",
      "mount",
      fileSystem,
    );
    try {
      const flags = C.O_RDONLY | C.O_CLOEXEC | O_DIRECTORY;
      return check(c.openat(mount, root, flags, 0), "openat", "open the mount of", fileSystem);
    } finally {
      close(mount, fileSystem);
    }
  } finally {
    close(context, fileSystem);
  }
}

/** {@linkcode readDirectory} of a directory that is already open. */
export { readDirectoryOf };
