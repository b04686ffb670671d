/**
 * Error numbers: their names and what they say, the same on x86-64 and arm64.
 *
 * A test compares each number with what a C compiler says (tests/process/abi_test.ts).
 */

/** The error numbers that the calls of Postbox can give, by name. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  ERANGE: 34,
  EDEADLK: 35,
  ENAMETOOLONG: 36,
  ENOLCK: 37,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  EBADMSG: 74,
  EOVERFLOW: 75,
  EMSGSIZE: 90,
  EOPNOTSUPP: 95,
  ETIMEDOUT: 110,
  ESTALE: 116,
  EDQUOT: 122,
  ECANCELED: 125,
  EOWNERDEAD: 130,
  ENOTRECOVERABLE: 131,
} as const;

/** The name of an error number. */
export type ErrnoName = keyof typeof ERRNO;

const DESCRIPTIONS: Record<ErrnoName, string> = {
  EPERM: "operation not permitted",
  ENOENT: "it does not exist",
  ESRCH: "no such process",
  EINTR: "interrupted by a signal",
  EIO: "input/output error",
  ENXIO: "no such device or address",
  E2BIG: "the argument list is too long",
  EBADF: "the descriptor is not open for this",
  EAGAIN: "it would have to wait",
  ENOMEM: "out of memory",
  EACCES: "permission denied",
  EFAULT: "bad address",
  EBUSY: "it is in use",
  EEXIST: "it exists already",
  EXDEV: "it is on another file system",
  ENODEV: "this kind of file cannot do it",
  ENOTDIR: "a part of the path is no directory",
  EISDIR: "it is a directory",
  EINVAL: "invalid argument",
  ENFILE: "too many files are open in the system",
  EMFILE: "too many descriptors or queues for this process or user",
  ENOTTY: "it is no terminal",
  ETXTBSY: "it is being executed",
  EFBIG: "it would be larger than allowed",
  ENOSPC: "no space left",
  ESPIPE: "illegal seek",
  EROFS: "the file system is read-only",
  EMLINK: "too many links",
  EPIPE: "nobody reads at the other end",
  ERANGE: "numerical result out of range",
  EDEADLK: "it would deadlock",
  ENAMETOOLONG: "the name is too long",
  ENOLCK: "no locks available",
  ENOSYS: "the kernel lacks this call",
  ENOTEMPTY: "directory not empty",
  ELOOP: "a symbolic link stands in the way",
  EBADMSG: "bad message",
  EOVERFLOW: "a value is too large",
  EMSGSIZE: "the message does not fit",
  EOPNOTSUPP: "not supported",
  ETIMEDOUT: "timed out",
  ESTALE: "the file handle is stale",
  EDQUOT: "the disk quota is used up",
  ECANCELED: "operation canceled",
  EOWNERDEAD: "the owner died",
  ENOTRECOVERABLE: "the state cannot be recovered",
};

const NAMES = new Map<number, ErrnoName>(
  (Object.keys(ERRNO) as ErrnoName[]).map((name) => [ERRNO[name], name]),
);

/** Name and words of an error number; one that is not in the table keeps its number. */
export function describe(errno: number): { code: string; description: string } {
  const name = NAMES.get(errno);
  return name === undefined
    ? { code: `E${errno}`, description: `error number ${errno}` }
    : { code: name, description: DESCRIPTIONS[name] };
}
