/**
 * The binary interface of Linux that Postbox relies on: constants, structs, system call numbers.
 *
 * Rule: every number of C stands here, under its C name, and nowhere else. A test prints each of
 * them with a C compiler and compares (tests/process/abi_test.ts).
 */

import { architecture } from "./load.ts";

/** Constants that are the same on x86-64 and arm64. */
export const C = {
  O_RDONLY: 0o0,
  O_WRONLY: 0o1,
  O_RDWR: 0o2,
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_NONBLOCK: 0o4000,
  O_CLOEXEC: 0o2000000,

  AT_FDCWD: -100,
  AT_SYMLINK_NOFOLLOW: 0x100,
  AT_EMPTY_PATH: 0x1000,
  STATX_BASIC_STATS: 0x7ff,
  S_IFMT: 0o170000,
  S_IFREG: 0o100000,
  MQUEUE_MAGIC: 0x19800202,
  TMPFS_MAGIC: 0x01021994,

  PROT_READ: 0x1,
  PROT_WRITE: 0x2,
  MAP_SHARED: 0x01,
  MAP_PRIVATE: 0x02,
  MAP_FIXED: 0x10,
  MAP_ANONYMOUS: 0x20,
  MAP_NORESERVE: 0x4000,
  MS_SYNC: 4,
  MREMAP_MAYMOVE: 1,

  F_GETFD: 1,
  F_SETFD: 2,
  FD_CLOEXEC: 1,
  F_DUPFD_CLOEXEC: 1030,
  F_OFD_GETLK: 36,
  F_OFD_SETLK: 37,
  F_WRLCK: 1,
  F_UNLCK: 2,
  F_ADD_SEALS: 1033,
  F_GET_SEALS: 1034,
  F_SEAL_SEAL: 0x0001,
  F_SEAL_SHRINK: 0x0002,
  F_SEAL_GROW: 0x0004,
  F_SEAL_FUTURE_WRITE: 0x0010,
  MFD_CLOEXEC: 0x0001,
  MFD_ALLOW_SEALING: 0x0002,

  POLLIN: 0x001,
  POLLOUT: 0x004,
  EPOLL_CLOEXEC: 0o2000000,
  EPOLL_CTL_ADD: 1,
  EPOLL_CTL_DEL: 2,
  EPOLL_CTL_MOD: 3,
  EPOLLIN: 0x001,
  EPOLLOUT: 0x004,
  EPOLLERR: 0x008,
  EPOLLHUP: 0x010,
  EPOLLET: 0x80000000,
  EFD_CLOEXEC: 0o2000000,
  EFD_NONBLOCK: 0o4000,

  RTLD_NOW: 0x2,
  RTLD_NOLOAD: 0x4,
  RTLD_NODELETE: 0x1000,

  RLIMIT_FSIZE: 1,
  RLIMIT_NOFILE: 7,
  RLIMIT_MSGQUEUE: 12,

  _SC_PAGESIZE: 30,

  PR_SET_PDEATHSIG: 1,

  SIGKILL: 9,
  SIGEV_SIGNAL: 0,
  SIGEV_THREAD: 2,

  FUTEX_WAIT: 0,
  FUTEX_WAKE: 1,
  INT_MAX: 0x7fffffff,

  CLOCK_REALTIME: 0,
  CLOCK_MONOTONIC: 1,

  PTHREAD_PROCESS_SHARED: 1,
  PTHREAD_MUTEX_ROBUST: 1,
  PTHREAD_MUTEX_ERRORCHECK: 2,
  SEM_VALUE_MAX: 0x7fffffff,

  AF_NETLINK: 16,
  SOCK_RAW: 3,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,

  FSOPEN_CLOEXEC: 0x1,
  FSCONFIG_CMD_CREATE: 6,
  FSMOUNT_CLOEXEC: 0x1,
} as const;

/**
 * Structs: the size and the offsets of the fields that are used, all in bytes, the same on x86-64
 * and arm64. (`struct stat` is not: statx(2) stands in for it.)
 */
export const STRUCTS = {
  /** mq_open(3): four longs, the rest reserved. */
  mq_attr: { bytes: 64, mq_flags: 0, mq_maxmsg: 8, mq_msgsize: 16, mq_curmsgs: 24 },
  /** mq_notify(3) */
  sigevent: { bytes: 64, sigev_value: 0, sigev_signo: 8, sigev_notify: 12 },
  /** poll(2) */
  pollfd: { bytes: 8, fd: 0, events: 4, revents: 6 },
  /** futex(2) */
  timespec: { bytes: 16, tv_sec: 0, tv_nsec: 8 },
  /** sem_overview(7) */
  sem_t: { bytes: 32 },
  /** fcntl(2): locks of open file descriptions; all zero but the type is the whole file */
  flock: { bytes: 32, l_type: 0, l_start: 8, l_len: 16 },
  /** getrlimit(2) */
  rlimit: { bytes: 16, rlim_cur: 0, rlim_max: 8 },
  /** statx(2) */
  statx: {
    bytes: 256,
    stx_nlink: 16,
    stx_uid: 20,
    stx_gid: 24,
    stx_mode: 28,
    stx_ino: 32,
    stx_size: 40,
    stx_blocks: 48,
    stx_dev_major: 136,
    stx_dev_minor: 140,
  },
  /** statfs(2) */
  statfs: { bytes: 120, f_type: 0, f_bsize: 8, f_bavail: 32 },
  /** getdents64(2): `struct linux_dirent64`, records of d_reclen bytes */
  linux_dirent64: { d_reclen: 16, d_type: 18, d_name: 19 },
} as const;

/** What differs between the architectures. */
export interface MachineAbi {
  /** epoll_ctl(2): packed on x86-64 alone */
  epoll_event: { bytes: number; events: number; data: number };
  /** pthread.h of glibc; those of musl are as long or shorter */
  pthread_mutex_t: { bytes: number };
  pthread_mutexattr_t: { bytes: number };
  O_DIRECTORY: number;
  SYS_futex: bigint;
  SYS_getdents64: bigint;
  SYS_mq_notify: bigint;
  SYS_pidfd_send_signal: bigint;
  SYS_pidfd_open: bigint;
  SYS_fsopen: bigint;
  SYS_fsconfig: bigint;
  SYS_fsmount: bigint;
}

/** Per architecture; system calls made after Linux 5.1 have one number everywhere. */
export const MACHINES: Record<"x86_64" | "aarch64", MachineAbi> = {
  x86_64: {
    epoll_event: { bytes: 12, events: 0, data: 4 },
    pthread_mutex_t: { bytes: 40 },
    pthread_mutexattr_t: { bytes: 4 },
    O_DIRECTORY: 0o200000,
    SYS_futex: 202n,
    SYS_getdents64: 217n,
    SYS_mq_notify: 244n,
    SYS_pidfd_send_signal: 424n,
    SYS_pidfd_open: 434n,
    SYS_fsopen: 430n,
    SYS_fsconfig: 431n,
    SYS_fsmount: 432n,
  },
  aarch64: {
    epoll_event: { bytes: 16, events: 0, data: 8 },
    pthread_mutex_t: { bytes: 48 },
    pthread_mutexattr_t: { bytes: 8 },
    O_DIRECTORY: 0o40000,
    SYS_futex: 98n,
    SYS_getdents64: 61n,
    SYS_mq_notify: 184n,
    SYS_pidfd_send_signal: 424n,
    SYS_pidfd_open: 434n,
    SYS_fsopen: 430n,
    SYS_fsconfig: 431n,
    SYS_fsmount: 432n,
  },
};

/** The table of this machine. */
export function machine(): MachineAbi {
  return MACHINES[architecture()];
}
