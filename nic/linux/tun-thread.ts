/**
 * A thread of the kernel for what we write to a TAP (threaded NAPI; Documentation/networking/napi.rst of Linux): a
 * write puts a frame in a queue, and the thread takes the queue's frames through the kernel's stack, those of one
 * connection in a row as one. Without it every write does all of that itself, for each frame by itself.
 *
 * @module
 */
import { cString, libc, memory } from "./libc.ts";
import { hardwareAddress, interfaceIndex } from "./netif.ts";

const TUNSETSNDBUF = 0x400454d4;
const O_RDONLY = 0, O_WRONLY = 1, O_DIRECTORY = 0o200000, O_CLOEXEC = 0o2000000;
const SCHED_BATCH = 3;
/** getdents64(2) has no function in older C libraries. */
const SYS_GETDENTS64 = { x86_64: 217, aarch64: 61 }[Deno.build.arch];
/** `struct linux_dirent64`: where an entry's length and name are. */
const ENTRY_LENGTH = 16, ENTRY_NAME = 19;

/**
 * How many bytes of the kernel's memory may wait for the thread: some 3,500 frames of an Ethernet, for which it needs
 * some 5 ms. What is written beyond is refused, and counted by the NIC.
 */
const QUEUE_BYTES = 8 << 20;

/**
 * Gives the interface `name` its thread; `fd` is attached to it with `TunFlag.Napi`. False: the kernel or the rights are
 * not such, and `fd` is of no use. The setting stays with an interface that lasts, and means nothing to a program that
 * attaches to it without that flag.
 */
export function receiveByThread(fd: number, name: string): boolean {
  if (!isOurs(name) || !write(`/sys/class/net/${name}/threaded`, "1") || !limit(fd)) {
    return false;
  }
  letOthersFinish(name);
  return true;
}

/** The descriptors attached to the interface so far have the limit, and no later one. */
function limit(fd: number): boolean {
  const size = memory(4);
  new DataView(size.buffer).setInt32(0, QUEUE_BYTES, true);
  return libc().ioctl(fd, TUNSETSNDBUF, size) === 0;
}

/** /sys may show another network namespace, where another interface has the name. */
function isOurs(name: string): boolean {
  if (Number(read(`/sys/class/net/${name}/ifindex`)) !== interfaceIndex(name)) return false;
  const mac = hardwareAddress(name);
  const shown = read(`/sys/class/net/${name}/address`).trim().replaceAll(":", "");
  return mac === undefined ? shown === "" : shown === mac.toHex();
}

/**
 * Has the threads not interrupt whoever runs, neither us between two writes nor the program that they receive for: they
 * find more frames to do at once then. Where their numbers are not to be seen, in a PID namespace, they stay as they are.
 */
function letOthersFinish(name: string): void {
  const prefix = `napi/${name}-`, parameters = memory(4);
  for (const id of processes()) {
    const called = read(`/proc/${id}/comm`).trimEnd();
    // "napi/tap0-1-0" is another interface's.
    if (!called.startsWith(prefix) || !/^\d+$/.test(called.slice(prefix.length))) continue;
    libc().sched_setscheduler(id, SCHED_BATCH, parameters);
  }
}

function processes(): number[] {
  const ids: number[] = [];
  if (SYS_GETDENTS64 === undefined) return ids;
  const fd = libc().open(cString("/proc"), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) return ids;
  const entries = memory(1 << 14);
  const view = new DataView(entries.buffer, entries.byteOffset);
  const text = new TextDecoder();
  for (;;) {
    const length = libc().syscall(SYS_GETDENTS64, fd, entries, entries.length);
    if (length <= 0) break;
    for (let at = 0; at < length; at += view.getUint16(at + ENTRY_LENGTH, true)) {
      const name = at + ENTRY_NAME;
      const id = Number(text.decode(entries.subarray(name, entries.indexOf(0, name))));
      if (Number.isInteger(id)) ids.push(id);
    }
  }
  libc().close(fd);
  return ids;
}

/** What a small file of the kernel's says; nothing, if it cannot be read. */
function read(path: string): string {
  const fd = libc().open(cString(path), O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return "";
  const bytes = memory(64);
  const length = libc().read(fd, bytes, bytes.length);
  libc().close(fd);
  return new TextDecoder().decode(bytes.subarray(0, Math.max(0, length)));
}

function write(path: string, text: string): boolean {
  const fd = libc().open(cString(path), O_WRONLY | O_CLOEXEC, 0);
  if (fd < 0) return false;
  const bytes = new TextEncoder().encode(text);
  const length = libc().write(fd, bytes, bytes.length);
  libc().close(fd);
  return length === bytes.length;
}
