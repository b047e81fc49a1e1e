/**
 * The C library, by Deno's FFI. All calls into it go through here.
 *
 * Signatures keep to what Deno compiles to direct calls: lengths are `u32`, results `i32`, memory is a buffer. An
 * `i32` that C reads as 64 bits must not be negative. Buffers for {@linkcode Libc.ppollAside} and all C structures come
 * from {@linkcode memory}, which the garbage collector never moves.
 *
 * @module
 */
import { NicError } from "../error.ts";

/** Memory handed to C; null is a null pointer. */
export type CBuffer = ArrayBufferView | null;

/** The functions of the C library that the NICs use: see their manual pages. A result of -1 left its {@linkcode errno}. */
export interface Libc {
  /** open(2) */
  open(path: CBuffer, flags: number, mode: number): number;
  /** close(2) */
  close(fd: number): number;
  /** read(2) */
  read(fd: number, into: CBuffer, length: number): number;
  /** write(2) */
  write(fd: number, from: CBuffer, length: number): number;
  /** ioctl(2) with a structure. */
  ioctl(fd: number, request: number, argument: CBuffer): number;
  /** ioctl(2) with a number that is not negative. */
  ioctlValue(fd: number, request: number, argument: number): number;
  /** fcntl(2) with a number that is not negative. */
  fcntl(fd: number, command: number, argument: number): number;
  /** poll(2), on this thread: only with a timeout of 0. */
  poll(fds: CBuffer, count: number, timeout: number): number;
  /** ppoll(2) on this thread: nothing else runs meanwhile. */
  ppoll(fds: CBuffer, count: number, timeout: CBuffer, mask: Deno.PointerValue): number;
  /** ppoll(2) on another thread, so that errno is lost. The timespec may be null: for ever. */
  ppollAside(fds: CBuffer, count: number, timeout: CBuffer, mask: Deno.PointerValue): Promise<number>;
  /** eventfd(2) */
  eventfd(value: number, flags: number): number;
  /** socket(2) */
  socket(family: number, type: number, protocol: number): number;
  /** bind(2) */
  bind(fd: number, address: CBuffer, length: number): number;
  /** listen(2) */
  listen(fd: number, backlog: number): number;
  /** accept4(2) */
  accept4(fd: number, address: CBuffer, length: CBuffer, flags: number): number;
  /** connect(2) */
  connect(fd: number, address: CBuffer, length: number): number;
  /** umask(2), of the whole process. */
  umask(mask: number): number;
  /** setsockopt(2) */
  setsockopt(fd: number, level: number, option: number, value: CBuffer, length: number): number;
  /** getsockopt(2) */
  getsockopt(fd: number, level: number, option: number, value: CBuffer, length: CBuffer): number;
  /** sendto(2) */
  sendto(fd: number, from: CBuffer, length: number, flags: number, to: CBuffer, toLength: number): number;
  /** recvfrom(2) */
  recvfrom(
    fd: number,
    into: CBuffer,
    length: number,
    flags: number,
    from: CBuffer,
    fromLength: CBuffer,
  ): number;
  /** sendmmsg(2); answers how many messages were sent. */
  sendmmsg(fd: number, messages: CBuffer, count: number, flags: number): number;
  /** mmap(2); an address of -1: it failed. */
  mmap(
    at: Deno.PointerValue,
    length: bigint,
    protection: number,
    flags: number,
    fd: number,
    offset: bigint,
  ): Deno.PointerValue;
  /** munmap(2) */
  munmap(at: Deno.PointerValue, length: bigint): number;
  /** syscall(2) of a number, a command, a structure and its length: bpf(2). */
  syscall(number: number, command: number, structure: CBuffer, length: number): number;
  /** syscall(2) of seccomp(2), by its number. */
  seccomp(number: number, operation: number, flags: number, program: CBuffer): number;
  /** sched_setscheduler(2) */
  sched_setscheduler(id: number, policy: number, parameters: CBuffer): number;
  /** prctl(2), of the calling thread. */
  prctl(option: number, a: number, b: number, c: number, d: number): number;
  /** capset(2), of the calling thread. */
  capset(header: CBuffer, data: CBuffer): number;
  /** getpwnam(3); null: there is no such user. */
  getpwnam(name: CBuffer): Deno.PointerValue;
  /** setgroups(2), of all threads. */
  setgroups(count: number, groups: CBuffer): number;
  /** setresgid(2), of all threads. */
  setresgid(real: number, effective: number, saved: number): number;
  /** setresuid(2), of all threads. */
  setresuid(real: number, effective: number, saved: number): number;
  /** unshare(2), of the calling thread. */
  unshare(flags: number): number;
  /** setns(2), of the calling thread. */
  setns(fd: number, type: number): number;
  /** if_nametoindex(3); 0: no such interface. */
  if_nametoindex(name: CBuffer): number;
  /** if_indextoname(3); null: no such interface. The name takes 16 bytes. */
  if_indextoname(index: number, name: CBuffer): Deno.PointerValue;
  /** if_nameindex(3) */
  if_nameindex(): Deno.PointerValue;
  /** if_freenameindex(3) */
  if_freenameindex(list: Deno.PointerValue): void;
  /** inet_pton(3); 1: the text was an address. */
  inet_pton(family: number, text: CBuffer, into: CBuffer): number;
}

const SYMBOLS = {
  open: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  ioctl: { parameters: ["i32", "u32", "buffer"], result: "i32" },
  ioctlValue: { name: "ioctl", parameters: ["i32", "u32", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  poll: { parameters: ["buffer", "u32", "i32"], result: "i32" },
  ppoll: { parameters: ["buffer", "u32", "buffer", "pointer"], result: "i32" },
  ppollAside: {
    name: "ppoll",
    parameters: ["buffer", "u32", "buffer", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept4: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  umask: { parameters: ["u32"], result: "u32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  sendto: { parameters: ["i32", "buffer", "u32", "i32", "buffer", "u32"], result: "i32" },
  recvfrom: { parameters: ["i32", "buffer", "u32", "i32", "buffer", "buffer"], result: "i32" },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  syscall: { parameters: ["i32", "i32", "buffer", "u32"], result: "i32" },
  seccomp: { name: "syscall", parameters: ["i32", "i32", "u32", "buffer"], result: "i32" },
  sched_setscheduler: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  prctl: { parameters: ["i32", "u32", "u32", "u32", "u32"], result: "i32" },
  capset: { parameters: ["buffer", "buffer"], result: "i32" },
  getpwnam: { parameters: ["buffer"], result: "pointer" },
  setgroups: { parameters: ["u32", "buffer"], result: "i32" },
  setresgid: { parameters: ["u32", "u32", "u32"], result: "i32" },
  setresuid: { parameters: ["u32", "u32", "u32"], result: "i32" },
  unshare: { parameters: ["i32"], result: "i32" },
  setns: { parameters: ["i32", "i32"], result: "i32" },
  if_nametoindex: { parameters: ["buffer"], result: "u32" },
  if_indextoname: { parameters: ["u32", "buffer"], result: "pointer" },
  if_nameindex: { parameters: [], result: "pointer" },
  if_freenameindex: { parameters: ["pointer"], result: "void" },
  inet_pton: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** glibc everywhere but on musl systems such as Alpine. */
const LIBRARIES = ["libc.so.6", `libc.musl-${Deno.build.arch}.so.1`, "libc.so"];

let loaded: Libc | undefined;
let lastError = new Int32Array(1);

/** The C library, opened at the first call. Throws a {@linkcode NicError} in the name of `nic`: not Linux, no permission. */
export function libc(nic: string = "linux"): Libc {
  return loaded ??= load(nic);
}

/** The error of the last synchronous call that failed, an {@linkcode Errno} mostly. */
export function errno(): number {
  return lastError[0]!;
}

function load(nic: string): Libc {
  if (Deno.build.os !== "linux") {
    throw new NicError(nic, "unsupported", `needs Linux, this is ${Deno.build.os}`, "use another NIC");
  }
  let problem = "";
  for (const library of LIBRARIES) {
    try {
      const { symbols } = Deno.dlopen(library, SYMBOLS);
      lastError = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(symbols.__errno_location()!, 4));
      return symbols;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) {
        throw new NicError(nic, "permission", "Deno may not call the C library", "run it with --allow-ffi");
      }
      problem ||= error instanceof Error ? error.message : String(error);
    }
  }
  throw new NicError(nic, "unsupported", `the C library cannot be loaded (${problem})`);
}

/** Zeroed memory for a C structure; it stays where it is. (A small Uint8Array made directly could be moved.) */
export function memory(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length));
}

/** The text as C wants it: UTF-8, ended by a zero. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
