/**
 * Giving up privileges once they have been used, for good and as far as a process of many threads can: credentials(7),
 * capabilities(7), seccomp(2).
 *
 * @module
 */
import { NicError } from "../error.ts";
import { Errno, errnoText } from "./errno.ts";
import { cString, errno, libc, memory } from "./libc.ts";
import { addressOf, putAddress } from "./mapping.ts";
import { seccompFilter } from "./seccomp-filter.ts";

const PR_SET_NO_NEW_PRIVS = 38, CAPABILITY_VERSION_3 = 0x20080522;
const SYS_SECCOMP = Deno.build.arch === "aarch64" ? 277 : 317;
const SECCOMP_SET_MODE_FILTER = 1;
/** For all threads of the process at once, and without slowing the processor's speculation down for them. */
const FILTER_ALL_THREADS = 0x1, FILTER_SPEED = 0x4;

/** A user to become. */
export interface User {
  /** The name, as in passwd(5). */
  readonly name: string;
  /** The number. */
  readonly uid: number;
  /** The number of the user's group. */
  readonly gid: number;
}

/** Who has this name. Throws {@linkcode NicError} when nobody has. */
export function findUser(name: string): User {
  // struct passwd { char *name, *password; uid_t uid; gid_t gid; ... }
  const entry = libc("user").getpwnam(cString(name));
  if (entry === null) {
    throw new NicError(name, "not-found", "there is no such user", "`getent passwd` lists them");
  }
  const view = new Deno.UnsafePointerView(entry);
  return { name, uid: view.getUint32(16), gid: view.getUint32(20) };
}

/**
 * Becomes `user`, in all threads: with a number that is not 0 the kernel takes every capability away (setresuid(2), of
 * which the C library makes one of all threads). Throws {@linkcode NicError}.
 */
export function becomeUser({ name, uid, gid }: User): void {
  const c = libc(name);
  const isDone = c.setgroups(0, null) === 0 && c.setresgid(gid, gid, gid) === 0 &&
    c.setresuid(uid, uid, uid) === 0;
  if (isDone) return;
  const code = errno();
  const remedy = code === Errno.EPERM ? "run as root, or leave --user out" : undefined;
  throw new NicError(name, "permission", `cannot become this user (${errnoText(code)})`, remedy);
}

/**
 * What needs no user: no program that is started has more rights than this process, and the system calls that only a
 * privileged process has a use for, or that start programs, are refused in all threads; this thread, and all it starts
 * from now on, have no capabilities. Answers what could not be done; undefined: all was.
 */
export function confine(): string | undefined {
  const c = libc();
  if (c.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) !== 0) {
    return `no_new_privs is refused (${errnoText(errno())})`;
  }
  return installFilter() ?? dropCapabilities();
}

function installFilter(): string | undefined {
  const program = seccompFilter(Deno.build.arch);
  if (program === undefined) return `there is no list of system calls for ${Deno.build.arch}`;
  const instructions = memory(program.length * 8);
  const view = new DataView(instructions.buffer);
  program.forEach(({ code, jt, jf, k }, index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jt);
    view.setUint8(index * 8 + 3, jf);
    view.setUint32(index * 8 + 4, k, true);
  });
  const head = new Int32Array(memory(16).buffer);
  head[0] = program.length;
  putAddress(head, 2, addressOf(instructions));
  const flags = FILTER_ALL_THREADS | FILTER_SPEED;
  const result = libc().seccomp(SYS_SECCOMP, SECCOMP_SET_MODE_FILTER, flags, head);
  if (result === 0) return undefined;
  return result > 0 ? `a thread refuses the seccomp filter` : `seccomp is refused (${errnoText(errno())})`;
}

/** Gives up the calling thread's capabilities. Answers why it could not; undefined: it has none any more. */
export function dropCapabilities(): string | undefined {
  // struct { u32 version; int pid; }, and twice struct { u32 effective, permitted, inheritable; }
  const header = new Int32Array(memory(8).buffer);
  header[0] = CAPABILITY_VERSION_3;
  const none = memory(24);
  return libc().capset(header, none) === 0 ? undefined : `capabilities stay (${errnoText(errno())})`;
}
