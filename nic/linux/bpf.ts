/**
 * bpf(2): maps, programs for XDP, and their attachment to an interface, as far as AF_XDP needs them.
 *
 * @module
 */
import { NicError } from "../error.ts";
import { Errno, errnoText } from "./errno.ts";
import { cString, errno, libc, memory } from "./libc.ts";
import { addressOf, putAddress } from "./mapping.ts";

const SYS_BPF = Deno.build.arch === "aarch64" ? 280 : 321;

const MAP_CREATE = 0, MAP_UPDATE_ELEM = 2, MAP_DELETE_ELEM = 3, PROG_LOAD = 5, LINK_CREATE = 28;
const PROG_TYPE_XDP = 6, ATTACH_XDP = 37;

/** Words of `union bpf_attr`, as far as these commands have fields. */
const ATTRIBUTE_WORDS = 32;

/** Kinds of maps. */
export const MapType = { Hash: 1, Sockets: 17 } as const;

/** Where a program runs. */
export const XdpFlag = { Generic: 0x2, Driver: 0x4 } as const;

/** Makes a map and answers with its descriptor. Throws {@linkcode NicError} in the name of `nic`. */
export function createMap(
  nic: string,
  type: number,
  keySize: number,
  valueSize: number,
  entries: number,
): number {
  const attribute = new Int32Array(memory(ATTRIBUTE_WORDS * 4).buffer);
  attribute.set([type, keySize, valueSize, entries]);
  const fd = bpf(MAP_CREATE, attribute);
  if (fd < 0) throw refused(nic, "make a BPF map", errno());
  return fd;
}

/** Sets a key of a map to a value; false: the map is full. */
export function setKey(map: number, key: Uint8Array, value: Uint8Array): boolean {
  const attribute = new Int32Array(memory(ATTRIBUTE_WORDS * 4).buffer);
  attribute[0] = map;
  putAddress(attribute, 2, addressOf(key));
  putAddress(attribute, 4, addressOf(value));
  return bpf(MAP_UPDATE_ELEM, attribute) === 0;
}

/** Removes a key from a map. */
export function removeKey(map: number, key: Uint8Array): void {
  const attribute = new Int32Array(memory(ATTRIBUTE_WORDS * 4).buffer);
  attribute[0] = map;
  putAddress(attribute, 2, addressOf(key));
  bpf(MAP_DELETE_ELEM, attribute);
}

/** Has the kernel verify and take a program, and answers with its descriptor. Throws {@linkcode NicError}. */
export function loadProgram(nic: string, instructions: Uint8Array): number {
  const attribute = new Int32Array(memory(ATTRIBUTE_WORDS * 4).buffer);
  const license = cString("MIT");
  attribute.set([PROG_TYPE_XDP, instructions.length / 8]);
  putAddress(attribute, 2, addressOf(instructions));
  putAddress(attribute, 4, addressOf(license));
  const fd = bpf(PROG_LOAD, attribute);
  if (fd < 0) throw refused(nic, "load its XDP program", errno());
  return fd;
}

/**
 * Attaches a program to an interface for as long as the descriptor that it answers with is open, so that nothing is left
 * behind however the process ends; negative: an errno.
 */
export function attachProgram(program: number, index: number, flags: number): number {
  const attribute = new Int32Array(memory(ATTRIBUTE_WORDS * 4).buffer);
  attribute.set([program, index, ATTACH_XDP, flags]);
  const fd = bpf(LINK_CREATE, attribute);
  return fd < 0 ? -errno() : fd;
}

function bpf(command: number, attribute: Int32Array): number {
  return libc().syscall(SYS_BPF, command, attribute, attribute.byteLength);
}

function refused(nic: string, what: string, code: number): NicError {
  const problem = `cannot ${what} (${errnoText(code)})`;
  switch (code) {
    case Errno.EPERM:
    case Errno.EACCES: {
      const remedy = "run as root or with CAP_BPF and CAP_NET_ADMIN, outside of user namespaces; or use raw:";
      return new NicError(nic, "permission", problem, remedy);
    }
    case Errno.ENOSYS:
      return new NicError(nic, "unsupported", problem, "the kernel needs CONFIG_BPF_SYSCALL; or use raw:");
    case Errno.EINVAL:
      return new NicError(nic, "unsupported", problem, "the kernel needs CONFIG_XDP_SOCKETS; or use raw:");
    default:
      return new NicError(nic, "failed", problem);
  }
}
