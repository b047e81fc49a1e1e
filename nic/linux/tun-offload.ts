/**
 * What a TAP's kernel leaves to us, and what we may leave to it: checksums, and cutting long segments up
 * (TUNSETOFFLOAD; include/uapi/linux/if_tun.h of Linux).
 *
 * @module
 */
import { NicError } from "../error.ts";
import { errno, libc, memory } from "./libc.ts";
import { interfaceError, InterfaceRequest } from "./netif.ts";
import { type Agreed, HEADER_LENGTH } from "./virtio-header.ts";

const TUNSETOFFLOAD = 0x400454d0, TUNGETIFF = 0x800454d2, TUNSETVNETHDRSZ = 0x400454d8;
const IFF_VNET_HDR = 0x4000;

/** Bits of TUNSETOFFLOAD. ECN is not among them, so that a segment with CWR always comes by itself. */
const Offload = { Checksum: 0x01, Tso4: 0x02, Tso6: 0x04, Uso4: 0x20, Uso6: 0x40 } as const;

const TCP = Offload.Checksum | Offload.Tso4 | Offload.Tso6;
/** Since Linux 6.2. */
const UDP = Offload.Uso4 | Offload.Uso6;

/** What was agreed on with the kernel. */
export interface Offloads extends Agreed {
  /** Whether every frame has a header of {@linkcode HEADER_LENGTH} bytes before it. */
  readonly header: boolean;
}

/** Nothing is left to anybody. */
export const NO_OFFLOADS: Offloads = { header: false, checksum: false, tcp: false, udp: false };

/**
 * Agrees with the kernel over an attachment. `wanted`: true, it must; false, nothing; undefined, what it can. What an
 * earlier program has left behind in a lasting interface is undone. Throws {@linkcode NicError}.
 */
export function agree(fd: number, name: string, wanted: boolean | undefined): Offloads {
  const header = hasHeader(fd, name);
  if (wanted === false) {
    if (!header) {
      libc().ioctlValue(fd, TUNSETOFFLOAD, 0);
      return NO_OFFLOADS;
    }
    throw new NicError(
      name,
      "busy",
      "it is in use with offloads",
      "leave offload=off out for this queue too",
    );
  }
  if (header) {
    const size = memory(4);
    size[0] = HEADER_LENGTH;
    if (libc().ioctl(fd, TUNSETVNETHDRSZ, size) < 0) {
      throw interfaceError(name, "set the length of its headers", errno());
    }
    if (libc().ioctlValue(fd, TUNSETOFFLOAD, TCP | UDP) === 0) {
      return { header, checksum: true, tcp: true, udp: true };
    }
    if (libc().ioctlValue(fd, TUNSETOFFLOAD, TCP) === 0) {
      return { header, checksum: true, tcp: true, udp: false };
    }
  }
  if (wanted === true) {
    const problem = header ? "its kernel does no segmentation offload" : "it is in use without offloads";
    throw new NicError(name, "unsupported", problem, "leave offload=on out");
  }
  return { header, checksum: false, tcp: false, udp: false };
}

/** Makes a lasting interface what it was, for whoever attaches to it next and knows of no offloads. */
export function disagree(fd: number): void {
  libc().ioctlValue(fd, TUNSETOFFLOAD, 0);
}

/** What the interface really is: of several queues the first one decides. */
function hasHeader(fd: number, name: string): boolean {
  const request = new InterfaceRequest(name);
  if (libc().ioctl(fd, TUNGETIFF, request.bytes) < 0) throw interfaceError(name, "read its flags", errno());
  return (request.short & IFF_VNET_HDR) !== 0;
}
