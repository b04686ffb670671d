/**
 * Files and directories through the port: Deno's own file access to /proc and /dev needs more
 * permissions than a queue should cost.
 */

import { C, machine, STRUCTS } from "./abi.ts";
import { size, Struct } from "./bytes.ts";
import { check, type Hint } from "./check.ts";
import { sys } from "./load.ts";
import { cString } from "./name.ts";

/** open(2) */
export function open(path: string, flags: number, hint?: Hint): number {
  const bytes = cString(path);
  const { c } = sys();
  return check(c.open(bytes, flags | C.O_CLOEXEC, 0), "open", "open file", path, hint);
}

/** close(2) */
export function close(fd: number, target: string): void {
  check(sys().c.close(fd), "close", "close", target);
}

/** pread(2): how many bytes were there, fewer than asked at the end of the object. */
export function pread(fd: number, into: Uint8Array, offset: number, target: string): number {
  const { c } = sys();
  let done = 0;
  while (done < into.byteLength) {
    const rest = done === 0 ? into : into.subarray(done);
    const count = size(rest.byteLength), from = BigInt(offset + done);
    const read = check(c.pread(fd, rest, count, from), "pread", "read", target);
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
  let done = 0;
  while (done < data.byteLength) {
    const rest = done === 0 ? data : data.subarray(done);
    const count = size(rest.byteLength), to = BigInt(offset + done);
    done += check(c.pwrite(fd, rest, count, to), "pwrite", "write", target, hint);
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

/** statfs(2): the magic number of the file system that a path lies on. */
export function fileSystemOf(path: string): number {
  const struct = new Struct(STRUCTS.statfs.bytes);
  const bytes = cString(path);
  check(sys().c.statfs(bytes, struct.bytes), "statfs", "look at the file system of", path);
  return struct.u64(STRUCTS.statfs.f_type);
}

/** fcntl(2) F_SETFD: a child that is started later does not get the descriptor. */
export function closeOnExec(fd: number, target: string): void {
  check(sys().c.fcntl(fd, C.F_SETFD, C.FD_CLOEXEC), "fcntl", "keep to this process", target);
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
  return new TextDecoder().decode(into.subarray(0, length));
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
  name: string;
  /** DT_REG, DT_DIR, … of readdir(3). */
  type: number;
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
  const { d_reclen, d_type, d_name } = STRUCTS.linux_dirent64;
  const records = new Struct(32 * 1024);
  const decoder = new TextDecoder();
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
      const name = decoder.decode(records.bytes.subarray(start, records.bytes.indexOf(0, start)));
      if (name === "." || name === "..") continue;
      entries.push({ name, type: records.bytes[at + d_type]! });
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
