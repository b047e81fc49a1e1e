/**
 * Linux network interfaces: what `ip link` and `ip address` do, by ioctl, so that no such program is needed
 * (netdevice(7)). All functions act on the network namespace of the calling thread and throw {@linkcode NicError}.
 *
 * @module
 */
import { NicError, type NicErrorKind } from "../error.ts";
import { Errno, errnoText } from "./errno.ts";
import { cString, errno, libc, memory } from "./libc.ts";

const AF_INET = 2, AF_INET6 = 10, SOCK_DGRAM = 2, SOCK_CLOEXEC = 0o2000000;

const SIOCGIFFLAGS = 0x8913, SIOCSIFFLAGS = 0x8914, SIOCSIFADDR = 0x8916, SIOCSIFNETMASK = 0x891c;
const SIOCGIFMTU = 0x8921, SIOCSIFMTU = 0x8922, SIOCSIFHWADDR = 0x8924, SIOCGIFHWADDR = 0x8927;

const SIOCETHTOOL = 0x8946, ETHTOOL_GDRVINFO = 0x3;

const ARPHRD_ETHER = 1;

/** Flags of an interface: the ones that matter here. */
export const InterfaceFlag = { Up: 0x1, Loopback: 0x8, Running: 0x40, Promiscuous: 0x100 } as const;

/** The longest name of an interface in bytes. */
export const NAME_LENGTH = 15;

/** `struct ifreq`: the name in 16 bytes, then 24 bytes that mean something else for each request. */
export class InterfaceRequest {
  /** The interface's name. */
  readonly name: string;
  /** The structure. */
  readonly bytes: Uint8Array<ArrayBuffer> = memory(40);
  /** What follows the name, in the machine's byte order. */
  readonly #words: DataView = new DataView(this.bytes.buffer, 16);

  /** A request with nothing but the name; throws when that cannot be an interface's name. */
  constructor(name: string) {
    checkInterfaceName(name);
    this.name = name;
    new TextEncoder().encodeInto(name, this.bytes);
  }

  /** The 16 bits after the name: flags, or an address family. */
  get short(): number {
    return this.#words.getUint16(0, true);
  }
  set short(value: number) {
    this.#words.setUint16(0, value, true);
  }

  /** The 32 bits after the name: an MTU, an index. */
  get int(): number {
    return this.#words.getInt32(0, true);
  }
  set int(value: number) {
    this.#words.setInt32(0, value, true);
  }

  /** Does the request on a socket of its own. `what` completes "cannot ...". */
  perform(request: number, what: string): void {
    withSocket(this.name, AF_INET, (socket) => {
      if (libc().ioctl(socket, request, this.bytes) < 0) throw interfaceError(this.name, what, errno());
    });
  }
}

/** Throws unless the kernel would take this as an interface's name: 1 to 15 bytes, no space, slash, colon, percent. */
export function checkInterfaceName(name: string): void {
  const length = new TextEncoder().encode(name).length;
  const wrong = /[\s/:%]|^\.\.?$/.test(name) || name.includes("\0");
  if (wrong || length === 0 || length > NAME_LENGTH) {
    const problem = `"${name}" is no name for an interface`;
    throw new NicError(
      name || "nic",
      "invalid",
      problem,
      `use 1 to ${NAME_LENGTH} bytes without space / : %`,
    );
  }
}

/** What an ioctl on an interface answered, as a {@linkcode NicError}. `what` completes "cannot ...". */
export function interfaceError(name: string, what: string, code: number): NicError {
  const problem = `cannot ${what} (${errnoText(code)})`;
  switch (code) {
    case Errno.ENODEV:
    case Errno.ENXIO:
      return new NicError(name, "not-found", "no such interface", "list them with `ip link`");
    case Errno.EPERM:
    case Errno.EACCES:
      return new NicError(
        name,
        "permission",
        problem,
        "run as root, or in a user namespace: unshare -Urn ...",
      );
    default: {
      const kinds: Record<number, NicErrorKind> = {
        [Errno.EBUSY]: "busy",
        [Errno.EINVAL]: "invalid",
        [Errno.EOPNOTSUPP]: "unsupported",
      };
      return new NicError(name, kinds[code] ?? "failed", problem);
    }
  }
}

function withSocket(name: string, family: number, use: (socket: number) => void): void {
  const socket = libc(name).socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) throw interfaceError(name, "open a socket", errno());
  try {
    use(socket);
  } finally {
    libc().close(socket);
  }
}

/** The interface's index; 0 if there is no such interface. */
export function interfaceIndex(name: string): number {
  return libc(name).if_nametoindex(cString(name));
}

/** The present name of the interface with an index, which it keeps when it is renamed; undefined: it is gone. */
export function interfaceName(index: number): string | undefined {
  const name = memory(NAME_LENGTH + 1);
  if (libc().if_indextoname(index, name) === null) return undefined;
  return new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
}

/** The names of all interfaces, in the order of their indices. */
export function listInterfaces(): string[] {
  // struct if_nameindex { unsigned index; char *name; }, ended by an index of 0.
  const list = libc().if_nameindex();
  if (list === null) throw new NicError("linux", "failed", `cannot list interfaces (${errnoText(errno())})`);
  try {
    const view = new Deno.UnsafePointerView(list);
    const names: string[] = [];
    for (let at = 0; view.getUint32(at) !== 0; at += 16) {
      const name = view.getPointer(at + 8);
      if (name !== null) names.push(Deno.UnsafePointerView.getCString(name));
    }
    return names;
  } finally {
    libc().if_freenameindex(list);
  }
}

/** The interface's {@linkcode InterfaceFlag}s. */
export function interfaceFlags(name: string): number {
  const request = new InterfaceRequest(name);
  request.perform(SIOCGIFFLAGS, "read its flags");
  return request.short;
}

/** Switches the interface on or off. */
export function setInterfaceUp(name: string, up: boolean = true): void {
  const request = new InterfaceRequest(name);
  request.perform(SIOCGIFFLAGS, "read its flags");
  request.short = up ? request.short | InterfaceFlag.Up : request.short & ~InterfaceFlag.Up;
  request.perform(SIOCSIFFLAGS, up ? "switch it on" : "switch it off");
}

/** The largest payload of the interface's frames in bytes. */
export function interfaceMtu(name: string): number {
  const request = new InterfaceRequest(name);
  request.perform(SIOCGIFMTU, "read its MTU");
  return request.int;
}

/** Sets the MTU in bytes. */
export function setInterfaceMtu(name: string, mtu: number): void {
  const request = new InterfaceRequest(name);
  request.int = mtu;
  request.perform(SIOCSIFMTU, `set its MTU to ${mtu}`);
}

/** The kernel's own MAC address on the interface as six bytes; undefined if it is no Ethernet interface. */
export function hardwareAddress(name: string): Uint8Array | undefined {
  const request = new InterfaceRequest(name);
  request.perform(SIOCGIFHWADDR, "read its hardware address");
  return request.short === ARPHRD_ETHER ? request.bytes.slice(18, 24) : undefined;
}

/** The name of the interface's driver, "veth" for one; undefined: it has none, or does not say. */
export function interfaceDriver(name: string): string | undefined {
  // struct ethtool_drvinfo { u32 command; char driver[32]; ... } of 196 bytes; the request has its address.
  const information = memory(196);
  new DataView(information.buffer).setUint32(0, ETHTOOL_GDRVINFO, true);
  const request = new InterfaceRequest(name);
  const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(information));
  new DataView(request.bytes.buffer).setBigUint64(16, BigInt(address), true);
  try {
    request.perform(SIOCETHTOOL, "ask for its driver");
  } catch {
    return undefined;
  }
  const text = new TextDecoder().decode(information.subarray(4, 36));
  return text.slice(0, text.indexOf("\0"));
}

/** Sets the kernel's own MAC address on the interface. */
export function setHardwareAddress(name: string, mac: Uint8Array): void {
  if (mac.length !== 6) throw new RangeError(`a MAC address has 6 bytes, not ${mac.length}`);
  const request = new InterfaceRequest(name);
  request.short = ARPHRD_ETHER;
  request.bytes.set(mac, 18);
  request.perform(SIOCSIFHWADDR, "set its hardware address");
}

/**
 * Gives the kernel an address on the interface: "10.0.0.1/24" replaces the IPv4 address, "fd00::1/64" is added to
 * the IPv6 addresses. The interface must be up for the route to its subnet to appear.
 */
export function setInterfaceAddress(name: string, cidr: string): void {
  const [text = "", lengthText = ""] = cidr.split("/");
  const family = text.includes(":") ? AF_INET6 : AF_INET;
  const address = memory(family === AF_INET ? 4 : 16);
  const length = /^\d{1,3}$/.test(lengthText) ? Number(lengthText) : Infinity;
  if (libc(name).inet_pton(family, cString(text), address) !== 1 || length > address.length * 8) {
    throw new NicError(name, "invalid", `"${cidr}" is no address with prefix`, "write it as 10.0.0.1/24");
  }
  if (family === AF_INET6) return addInet6(name, address, length);
  const request = new InterfaceRequest(name);
  request.short = AF_INET;
  request.bytes.set(address, 20);
  request.perform(SIOCSIFADDR, `set its address to ${cidr}`);
  request.bytes.fill(0, 20, 24);
  for (let bit = 0; bit < length; bit++) request.bytes[20 + (bit >> 3)]! |= 0x80 >> (bit & 7);
  request.perform(SIOCSIFNETMASK, `set its netmask to /${length}`);
}

function addInet6(name: string, address: Uint8Array, length: number): void {
  // struct in6_ifreq { struct in6_addr address; uint32_t prefix_length; int index; }
  const bytes = memory(24);
  bytes.set(address);
  new DataView(bytes.buffer).setUint32(16, length, true);
  new DataView(bytes.buffer).setInt32(20, interfaceIndex(name), true);
  withSocket(name, AF_INET6, (socket) => {
    if (libc().ioctl(socket, SIOCSIFADDR, bytes) < 0 && errno() !== Errno.EEXIST) {
      throw interfaceError(name, "add an IPv6 address", errno());
    }
  });
}
