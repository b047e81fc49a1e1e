/**
 * The processor time of this thread, which other programs' turns do not count in.
 *
 * @module
 */
import { libc, memory } from "../../nic/linux/libc.ts";

const SYS_CLOCK_GETTIME = Deno.build.arch === "aarch64" ? 113 : 228;
const CLOCK_THREAD_CPUTIME_ID = 3;

// struct timespec { int64 seconds, nanoseconds; }
const time = new Int32Array(memory(16).buffer);

/** In microseconds, the kernel's work in the thread's calls included. To ask costs a system call. */
export function threadTime(): number {
  libc().syscall(SYS_CLOCK_GETTIME, CLOCK_THREAD_CPUTIME_ID, time, 0);
  return time[0]! * 1e6 + time[2]! / 1e3;
}
