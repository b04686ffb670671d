/**
 * The one table of C functions that Postbox calls. A driver turns it into calls of its runtime.
 *
 * Rule: a row says what C says. Each parameter is written `type name`, the name being that of the
 * C declaration above it, the type one of {@linkcode CType}. Where a row differs from the
 * declaration, it says why.
 */

/**
 * How a C value crosses the boundary.
 *
 * ```text
 * type      C                         JavaScript
 * i32 u32   int, unsigned             number
 * i64       long, off_t, ssize_t      bigint, or number
 * size      size_t                    number, through Library.word()
 * buffer    pointer to memory of ours Uint8Array, or null for NULL
 * address   pointer to any memory     bigint, or number
 * ```
 */
export type CType = "i32" | "u32" | "i64" | "size" | "buffer" | "address";

/** glibc resolves mq_*, shm_* and the rest through it; musl maps the name to itself. */
export const C_LIBRARY = "librt.so.1";

/** One row: a C function as the drivers declare it. */
export interface CFunction {
  /** The name in the library, where it differs from the key. */
  readonly symbol?: string;
  readonly parameters: readonly `${CType} ${string}`[];
  readonly result: CType;
  /** The result is a new descriptor, or -1: record.ts keeps a record of those. */
  readonly opens?: true;
  /** The only parameter is a descriptor that is none any more after the call. */
  readonly closes?: true;
  /** Not every C library has it: look before calling it. */
  readonly optional?: true;
}

/** A table of C functions, by the name they are called by. */
export type CTable = Readonly<Record<string, CFunction>>;

// A result that is `ssize_t` or a fixed address in C is declared `i32` wherever its low half says
// all we need: an i32 allocates nothing, so errno is still whole when it is read (docs/decisions).
export const SYMBOLS = {
  // --- mqueue.h -------------------------------------------------------------------------------
  /** mqd_t mq_open(const char *name, int oflag, mode_t mode, struct mq_attr *attr) — variadic */
  mq_open: {
    parameters: ["buffer name", "i32 oflag", "u32 mode", "buffer attr"],
    result: "i32",
    opens: true,
  },
  /** int mq_close(mqd_t mqdes) */
  mq_close: { parameters: ["i32 mqdes"], result: "i32", closes: true },
  /** int mq_unlink(const char *name) */
  mq_unlink: { parameters: ["buffer name"], result: "i32" },
  /** int mq_getattr(mqd_t mqdes, struct mq_attr *attr) */
  mq_getattr: { parameters: ["i32 mqdes", "buffer attr"], result: "i32" },
  /** int mq_send(mqd_t mqdes, const char *msg_ptr, size_t msg_len, unsigned msg_prio) */
  mq_send: {
    parameters: ["i32 mqdes", "buffer msg_ptr", "size msg_len", "u32 msg_prio"],
    result: "i32",
  },
  mq_send_at: {
    symbol: "mq_send", // the bytes by their address
    parameters: ["i32 mqdes", "address msg_ptr", "size msg_len", "u32 msg_prio"],
    result: "i32",
  },
  /** ssize_t mq_receive(mqd_t mqdes, char *msg_ptr, size_t msg_len, unsigned *msg_prio) */
  mq_receive: {
    parameters: ["i32 mqdes", "buffer msg_ptr", "size msg_len", "address msg_prio"],
    result: "i32", // at most msgsize_max, 16 MiB
  },
  mq_receive_at: {
    symbol: "mq_receive", // the bytes by their address
    parameters: ["i32 mqdes", "address msg_ptr", "size msg_len", "address msg_prio"],
    result: "i32",
  },
  /** int mq_notify(mqd_t mqdes, const struct sigevent *sevp) */
  mq_notify: { parameters: ["i32 mqdes", "buffer sevp"], result: "i32" },

  // --- sys/mman.h -----------------------------------------------------------------------------
  /** int shm_open(const char *name, int oflag, mode_t mode) */
  shm_open: { parameters: ["buffer name", "i32 oflag", "u32 mode"], result: "i32", opens: true },
  /** int shm_unlink(const char *name) */
  shm_unlink: { parameters: ["buffer name"], result: "i32" },
  /** int memfd_create(const char *name, unsigned flags) */
  memfd_create: { parameters: ["buffer name", "u32 flags"], result: "i32", opens: true },
  /** void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset), MAP_FIXED */
  mmap_fixed: {
    symbol: "mmap",
    parameters: [
      "address addr",
      "size length",
      "i32 prot",
      "i32 flags",
      "i32 fd",
      "i64 offset",
    ],
    result: "i32", // -1 or the low half of addr, which ends in twelve zero bits
  },
  /** int msync(void *addr, size_t length, int flags) */
  msync: { parameters: ["address addr", "size length", "i32 flags"], result: "i32" },
  /** int mlock(const void *addr, size_t len) */
  mlock: { parameters: ["address addr", "size len"], result: "i32" },
  /** int munmap(void *addr, size_t length) */
  munmap: { parameters: ["address addr", "size length"], result: "i32" },
  /** void *mremap(void *old_address, size_t old_size, size_t new_size, int flags) — variadic */
  mremap: {
    parameters: ["address old_address", "size old_size", "size new_size", "i32 flags"],
    result: "address",
  },

  // --- fcntl.h, unistd.h, sys/stat.h, sys/vfs.h -----------------------------------------------
  /** int open(const char *path, int flags, mode_t mode) — variadic */
  open: { parameters: ["buffer path", "i32 flags", "u32 mode"], result: "i32", opens: true },
  /** int openat(int dirfd, const char *path, int flags, mode_t mode) — variadic */
  openat: {
    parameters: ["i32 dirfd", "buffer path", "i32 flags", "u32 mode"],
    result: "i32",
    opens: true,
  },
  /** int close(int fd) */
  close: { parameters: ["i32 fd"], result: "i32", closes: true },
  /** ssize_t read(int fd, void *buf, size_t count) */
  read: { parameters: ["i32 fd", "buffer buf", "size count"], result: "i32" }, // ≤ 0x7ffff000
  /** ssize_t pread(int fd, void *buf, size_t count, off_t offset) */
  pread: { parameters: ["i32 fd", "buffer buf", "size count", "i64 offset"], result: "i32" },
  /** ssize_t pwrite(int fd, const void *buf, size_t count, off_t offset) */
  pwrite: { parameters: ["i32 fd", "buffer buf", "size count", "i64 offset"], result: "i32" },
  /** ssize_t readlink(const char *path, char *buf, size_t size) */
  readlink: { parameters: ["buffer path", "buffer buf", "size size"], result: "i32" },
  /** int posix_fallocate(int fd, off_t offset, off_t len); the result is the error number */
  posix_fallocate: { parameters: ["i32 fd", "i64 offset", "i64 len"], result: "i32" },
  /** int statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *buf) */
  statx: {
    parameters: ["i32 dirfd", "buffer path", "i32 flags", "u32 mask", "buffer buf"],
    result: "i32",
  },
  /** int statfs(const char *path, struct statfs *buf) */
  statfs: { parameters: ["buffer path", "buffer buf"], result: "i32" },
  /** int fcntl(int fd, int cmd, int arg) — variadic */
  fcntl: { parameters: ["i32 fd", "i32 cmd", "i32 arg"], result: "i32" },
  /** int fcntl(int fd, int cmd, struct flock *arg) — variadic */
  fcntl_flock: {
    symbol: "fcntl",
    parameters: ["i32 fd", "i32 cmd", "buffer arg"],
    result: "i32",
  },
  /** The same with F_DUPFD_CLOEXEC */
  fcntl_dupfd: {
    symbol: "fcntl",
    parameters: ["i32 fd", "i32 cmd", "i32 arg"],
    result: "i32",
    opens: true,
  },

  // --- poll.h, sys/epoll.h, sched.h, sys/resource.h, unistd.h ---------------------------------
  /** int poll(struct pollfd *fds, nfds_t nfds, int timeout) */
  poll: { parameters: ["buffer fds", "size nfds", "i32 timeout"], result: "i32" },
  /** int epoll_create1(int flags) */
  epoll_create1: { parameters: ["i32 flags"], result: "i32", opens: true },
  /** int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout) */
  epoll_wait: {
    parameters: ["i32 epfd", "buffer events", "i32 maxevents", "i32 timeout"],
    result: "i32",
  },
  /** int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event) */
  epoll_ctl: { parameters: ["i32 epfd", "i32 op", "i32 fd", "buffer event"], result: "i32" },
  /** int sched_yield(void) */
  sched_yield: { parameters: [], result: "i32" },
  /** int getrlimit(int resource, struct rlimit *rlim) */
  getrlimit: { parameters: ["i32 resource", "buffer rlim"], result: "i32" },
  /** long sysconf(int name) */
  sysconf: { parameters: ["i32 name"], result: "i32" },
  /** uid_t geteuid(void) */
  geteuid: { parameters: [], result: "u32" },
  /** int prctl(int op, long a, long b, long c, long d) — variadic */
  prctl: { parameters: ["i32 op", "i64 a", "i64 b", "i64 c", "i64 d"], result: "i32" },

  /** int socket(int domain, int type, int protocol) */
  socket: { parameters: ["i32 domain", "i32 type", "i32 protocol"], result: "i32", opens: true },

  // --- sys/eventfd.h, stdlib.h: what ends a call that is parked in another thread, its memory ----
  /** int eventfd(unsigned initval, int flags) */
  eventfd: { parameters: ["u32 initval", "i32 flags"], result: "i32", opens: true },
  /** int eventfd_read(int fd, eventfd_t *value) */
  eventfd_read: { parameters: ["i32 fd", "buffer value"], result: "i32" },
  /** int eventfd_write(int fd, eventfd_t value) */
  eventfd_write: { parameters: ["i32 fd", "i64 value"], result: "i32" },
  /** void *calloc(size_t n, size_t size) */
  calloc: { parameters: ["size n", "size size"], result: "address" },
  /** void free(void *p) */
  free: { parameters: ["address p"], result: "i32" }, // void: what comes back means nothing

  // --- time.h, pthread.h: the results of pthread_* are error numbers ---------------------------
  /** int clock_gettime(clockid_t clockid, struct timespec *tp) */
  clock_gettime: { parameters: ["i32 clockid", "buffer tp"], result: "i32" },
  /** int pthread_mutexattr_init(pthread_mutexattr_t *attr) */
  pthread_mutexattr_init: { parameters: ["buffer attr"], result: "i32" },
  /** int pthread_mutexattr_setpshared(pthread_mutexattr_t *attr, int pshared) */
  pthread_mutexattr_setpshared: { parameters: ["buffer attr", "i32 pshared"], result: "i32" },
  /** int pthread_mutexattr_setrobust(pthread_mutexattr_t *attr, int robustness) */
  pthread_mutexattr_setrobust: { parameters: ["buffer attr", "i32 robustness"], result: "i32" },
  /** int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int kind) */
  pthread_mutexattr_settype: { parameters: ["buffer attr", "i32 kind"], result: "i32" },
  /** int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr) */
  pthread_mutex_init: { parameters: ["address mutex", "buffer attr"], result: "i32" },
  /** int pthread_mutex_trylock(pthread_mutex_t *mutex) */
  pthread_mutex_trylock: { parameters: ["address mutex"], result: "i32" },
  /** int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *abstime) */
  pthread_mutex_timedlock: { parameters: ["address mutex", "buffer abstime"], result: "i32" },
  /** int pthread_mutex_clocklock(pthread_mutex_t *, clockid_t clockid, const struct timespec *) */
  pthread_mutex_clocklock: {
    parameters: ["address mutex", "i32 clockid", "buffer abstime"],
    result: "i32",
    optional: true, // glibc 2.30; not in musl
  },
  /** int pthread_mutex_unlock(pthread_mutex_t *mutex) */
  pthread_mutex_unlock: { parameters: ["address mutex"], result: "i32" },
  /** int pthread_mutex_consistent(pthread_mutex_t *mutex) */
  pthread_mutex_consistent: { parameters: ["address mutex"], result: "i32" },

  // --- semaphore.h ----------------------------------------------------------------------------
  /** int sem_init(sem_t *sem, int pshared, unsigned value) */
  sem_init: { parameters: ["address sem", "i32 pshared", "u32 value"], result: "i32" },
  /** sem_t *sem_open(const char *name, int oflag, mode_t mode, unsigned value) — variadic */
  sem_open: {
    parameters: ["buffer name", "i32 oflag", "u32 mode", "u32 value"],
    result: "address",
  },
  /** int sem_close(sem_t *sem) */
  sem_close: { parameters: ["address sem"], result: "i32" },
  /** int sem_unlink(const char *name) */
  sem_unlink: { parameters: ["buffer name"], result: "i32" },
  /** int sem_trywait(sem_t *sem) */
  sem_trywait: { parameters: ["address sem"], result: "i32" },
  /** int sem_timedwait(sem_t *sem, const struct timespec *abs_timeout) */
  sem_timedwait: { parameters: ["address sem", "buffer abs_timeout"], result: "i32" },
  /** int sem_clockwait(sem_t *sem, clockid_t clockid, const struct timespec *abs_timeout) */
  sem_clockwait: {
    parameters: ["address sem", "i32 clockid", "buffer abs_timeout"],
    result: "i32",
    optional: true, // glibc 2.30; not in musl
  },
  /** int sem_post(sem_t *sem) */
  sem_post: { parameters: ["address sem"], result: "i32" },
  /** int sem_getvalue(sem_t *sem, int *sval) */
  sem_getvalue: { parameters: ["address sem", "buffer sval"], result: "i32" },

  // --- syscall(2), for what the C libraries do not all wrap -----------------------------------
  /** int mq_notify(mqd_t mqdes, const struct sigevent *sevp), past the C library */
  mq_notify_raw: {
    symbol: "syscall",
    parameters: ["i64 number", "i32 mqdes", "buffer sevp"],
    result: "i32",
  },
  /**
   * int futex(uint32_t *uaddr, int futex_op, uint32_t val, const struct timespec *timeout), and two
   * parameters that neither FUTEX_WAIT nor FUTEX_WAKE reads
   */
  futex: {
    symbol: "syscall",
    parameters: [
      "i64 number",
      "address uaddr",
      "i32 futex_op",
      "u32 val",
      "buffer timeout",
    ],
    result: "i32",
  },
  /** ssize_t getdents64(int fd, void *dirp, size_t count) */
  getdents64: {
    symbol: "syscall",
    parameters: ["i64 number", "i32 fd", "buffer dirp", "size count"],
    result: "i32",
  },
  /** int pidfd_open(pid_t pid, unsigned flags) */
  pidfd_open: {
    symbol: "syscall",
    parameters: ["i64 number", "i32 pid", "u32 flags"],
    result: "i32",
    opens: true,
  },
  /** int pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned flags) */
  pidfd_send_signal: {
    symbol: "syscall",
    parameters: ["i64 number", "i32 pidfd", "i32 sig", "buffer info", "u32 flags"],
    result: "i32",
  },
  /** int fsopen(const char *fs_name, unsigned flags) */
  fsopen: {
    symbol: "syscall",
    parameters: ["i64 number", "buffer fs_name", "u32 flags"],
    result: "i32",
    opens: true,
  },
  /** int fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux) */
  fsconfig: {
    symbol: "syscall",
    parameters: [
      "i64 number",
      "i32 fd",
      "u32 cmd",
      "buffer key",
      "buffer value",
      "i32 aux",
    ],
    result: "i32",
  },
  /** int fsmount(int fsfd, unsigned flags, unsigned attr_flags) */
  fsmount: {
    symbol: "syscall",
    parameters: ["i64 number", "i32 fsfd", "u32 flags", "u32 attr_flags"],
    result: "i32",
    opens: true,
  },
} as const satisfies CTable;
