/**
 * What the kernel's own TCP does in this network namespace.
 *
 * @module
 */
import { libc, memory } from "./libc.ts";

const AF_INET = 2, SOCK_STREAM = 1, SOCK_CLOEXEC = 0o2000000;
const IPPROTO_TCP = 6, TCP_CONGESTION = 13;
/** TCP_CA_NAME_MAX */
const NAME_LENGTH = 16;

/**
 * The congestion control that the kernel gives new sockets, such as "cubic", or undefined where there is no Linux. It is
 * asked of a socket, because Deno lets no program without all permissions read /proc/sys/net/ipv4/tcp_congestion_control.
 *
 * @throws {NicError} if the C library cannot be used.
 */
export function kernelCongestion(): string | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const c = libc();
  const socket = c.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return undefined;
  const name = memory(NAME_LENGTH), length = memory(4);
  length[0] = NAME_LENGTH;
  const failed = c.getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name, length) < 0;
  c.close(socket);
  if (failed) return undefined;
  const end = name.indexOf(0);
  return new TextDecoder().decode(name.subarray(0, end < 0 ? NAME_LENGTH : end));
}
