/**
 * Linux error numbers (asm-generic/errno.h, the same on x86-64 and ARM64) with their names and plain words.
 *
 * @module
 */

/** The error numbers that the NICs tell apart. */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
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
  ENODEV: 19,
  EINVAL: 22,
  EMFILE: 24,
  ENOTTY: 25,
  ENOSPC: 28,
  ENOSYS: 38,
  EBADFD: 77,
  EMSGSIZE: 90,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ENOBUFS: 105,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
} as const;

/** One of {@linkcode Errno}'s numbers. */
export type Errno = (typeof Errno)[keyof typeof Errno];

const WORDS: Readonly<Record<Errno, string>> = {
  [Errno.EPERM]: "operation not permitted",
  [Errno.ENOENT]: "no such file or directory",
  [Errno.EINTR]: "interrupted by a signal",
  [Errno.EIO]: "input/output error",
  [Errno.ENXIO]: "no such device or address",
  [Errno.E2BIG]: "too many",
  [Errno.EBADF]: "bad file descriptor",
  [Errno.EAGAIN]: "try again",
  [Errno.ENOMEM]: "out of memory",
  [Errno.EACCES]: "permission denied",
  [Errno.EFAULT]: "bad address",
  [Errno.EBUSY]: "device or resource busy",
  [Errno.EEXIST]: "exists already",
  [Errno.ENODEV]: "no such device",
  [Errno.EINVAL]: "invalid argument",
  [Errno.EMFILE]: "too many open files",
  [Errno.ENOTTY]: "request not known to this device",
  [Errno.ENOSPC]: "no space left",
  [Errno.ENOSYS]: "not implemented by this kernel",
  [Errno.EBADFD]: "file descriptor in bad state",
  [Errno.EMSGSIZE]: "message too long",
  [Errno.EPROTONOSUPPORT]: "protocol not supported",
  [Errno.EOPNOTSUPP]: "operation not supported",
  [Errno.EAFNOSUPPORT]: "address family not supported",
  [Errno.EADDRINUSE]: "address in use",
  [Errno.EADDRNOTAVAIL]: "address not available",
  [Errno.ENETDOWN]: "network is down",
  [Errno.ENETUNREACH]: "network is unreachable",
  [Errno.ENOBUFS]: "no buffer space",
  [Errno.ECONNREFUSED]: "nobody listens",
  [Errno.EHOSTUNREACH]: "host is unreachable",
};

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Errno).map(([name, code]) => [code, `${WORDS[code]}, ${name}`]),
);

/** The error in words and by name: "permission denied, EACCES"; a number nobody expected: "errno 44". */
export function errnoText(code: number): string {
  return NAMES.get(code) ?? `errno ${code}`;
}
