/**
 * The kernel's tun driver: attaching to TAP and TUN interfaces, making and removing lasting ones
 * (Documentation/networking/tuntap.rst of Linux).
 *
 * @module
 */
import { NicError } from "../error.ts";
import { Errno, errnoText } from "./errno.ts";
import { cString, errno, libc } from "./libc.ts";
import { interfaceError, interfaceIndex, InterfaceRequest } from "./netif.ts";
import { agree, disagree, type Offloads } from "./tun-offload.ts";
import { receiveByThread } from "./tun-thread.ts";

const DEVICE = "/dev/net/tun";
const O_RDWR = 0o2, O_NONBLOCK = 0o4000, O_CLOEXEC = 0o2000000;
const TUNSETIFF = 0x400454ca, TUNSETPERSIST = 0x400454cb, TUNSETOWNER = 0x400454cc;

/** Flags of TUNSETIFF. */
export const TunFlag = {
  Tun: 0x0001,
  Tap: 0x0002,
  Napi: 0x0010,
  NoPacketInfo: 0x1000,
  MultiQueue: 0x0100,
  VnetHeader: 0x4000,
} as const;

/** What an interface carries: Ethernet frames, or IP packets without anything before them. */
export type TunMode = "tap" | "tun";

/** Options of {@linkcode attachTap} and {@linkcode createTap}. */
export interface TapAttachOptions {
  /** What the interface carries; "tap" by default. */
  readonly mode?: TunMode;
  /** Makes the interface if it is not there; true by default. */
  readonly create?: boolean;
  /**
   * Whether the kernel is to leave checksums and long segments to us, and we to it: true, or else it is an error; false,
   * not; absent: as far as the kernel can.
   */
  readonly offload?: boolean;
  /**
   * Whether a thread of the kernel's is to take in what we write: true, or else it is an error; false, not; absent: without
   * offloads, if it can.
   */
  readonly threaded?: boolean;
  /** Makes an interface that several processes or queues can attach to; an existing one is taken as it is. */
  readonly multiQueue?: boolean;
}

/** An attachment to an interface: one queue of it. */
export interface TapAttachment {
  /** The non-blocking file descriptor, one frame a read or write. */
  readonly fd: number;
  /** Whether the interface was made by this attachment, so that it goes when the descriptor is closed. */
  readonly created: boolean;
  /** Whether other queues of it may be in use by others. */
  readonly shared: boolean;
  /** What was agreed on with the kernel. */
  readonly offloads: Offloads;
  /** The eventfd by which whoever lends the descriptor wakes who uses it; absent: the user owns the descriptor. */
  readonly lentWith?: number;
}

/** Attaches to the interface `name`. The caller closes the descriptor. Throws {@linkcode NicError}. */
export function attachTap(name: string, options: TapAttachOptions = {}): TapAttachment {
  const attached = attachThreaded(name, options) ?? attach(name, options, 0);
  try {
    return { ...attached, offloads: agree(attached.fd, name, options.offload) };
  } catch (error) {
    libc().close(attached.fd);
    throw error;
  }
}

/**
 * Gives attachments to the interface `name` back. One that lasts is then without offloads, for whoever attaches next and
 * knows of none, unless others still use queues of it.
 */
export function detachTap(name: string, mode: TunMode, attachments: readonly TapAttachment[]): void {
  for (const { fd, shared, created, offloads } of attachments) {
    if (offloads.checksum && !shared && !created) disagree(fd);
    libc().close(fd);
  }
  if (!attachments.some(({ shared, offloads }) => shared && offloads.checksum)) return;
  try {
    // Only whoever is alone can attach without a header to an interface whose queues had one, and tells that by it.
    libc().close(attachTap(name, { mode, create: false, offload: false, threaded: false }).fd);
  } catch {
    // Others use it, or it is gone.
  }
}

type Attached = Omit<TapAttachment, "offloads">;

/** Whether there will be a thread is known only once an attachment wants one. Undefined: there is none. */
function attachThreaded(name: string, options: TapAttachOptions): Attached | undefined {
  if (!(options.threaded ?? options.offload === false)) return undefined;
  const attached = attach(name, options, TunFlag.Napi);
  if (receiveByThread(attached.fd, name)) return attached;
  libc().close(attached.fd);
  if (options.threaded !== true) return undefined;
  const problem = `its kernel's end gets no thread: /sys/class/net/${name}/threaded cannot be switched on`;
  throw new NicError(
    name,
    "unsupported",
    problem,
    "leave threaded=on out, or run as root with this namespace's /sys on Linux 5.12 or later",
  );
}

function attach(name: string, options: TapAttachOptions, extra: number): Attached {
  const c = libc(name);
  const request = new InterfaceRequest(name);
  const mode = options.mode ?? "tap";
  const exists = interfaceIndex(name) !== 0;
  if (!exists && options.create === false) {
    const form = `${mode}${options.multiQueue === true ? " multi_queue" : ""}`;
    const remedy = `make it with: ip tuntap add dev ${name} mode ${form} && ip link set dev ${name} up`;
    throw new NicError(name, "not-found", "no such interface", remedy);
  }
  const fd = c.open(cString(DEVICE), O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
  if (fd < 0) throw openError(name, errno());
  const medium = mode === "tun" ? TunFlag.Tun : TunFlag.Tap;
  const flags = extra | medium | TunFlag.NoPacketInfo | (options.offload === false ? 0 : TunFlag.VnetHeader);
  const shared = options.multiQueue === true && !exists;
  request.short = shared ? flags | TunFlag.MultiQueue : flags;
  if (c.ioctl(fd, TUNSETIFF, request.bytes) === 0) return { fd, created: !exists, shared };
  let code = errno();
  // An existing interface wants IFF_MULTI_QUEUE exactly if it was made with it, and does not say which it is.
  if (code === Errno.EINVAL && exists) {
    request.short = flags | TunFlag.MultiQueue;
    if (c.ioctl(fd, TUNSETIFF, request.bytes) === 0) return { fd, created: false, shared: true };
    code = errno();
  }
  c.close(fd);
  throw attachError(name, mode, code, exists);
}

/** Who may attach to a lasting TAP besides root. */
export interface TapOwner {
  /** A user's number. */
  readonly owner?: number;
}

/** Makes an interface that stays until {@linkcode removeTap}; nothing happens if it is there already. */
export function createTap(name: string, options: TapAttachOptions & TapOwner = {}): void {
  const { fd } = attachTap(name, { offload: false, threaded: false, ...options });
  try {
    if (options.owner !== undefined && libc().ioctlValue(fd, TUNSETOWNER, options.owner) < 0) {
      throw interfaceError(name, "set its owner", errno());
    }
    if (libc().ioctlValue(fd, TUNSETPERSIST, 1) < 0) throw interfaceError(name, "make it last", errno());
  } finally {
    libc().close(fd);
  }
}

/** Removes an interface made by {@linkcode createTap}, or by `ip tuntap add`. */
export function removeTap(name: string, mode: TunMode = "tap"): void {
  const { fd } = attachTap(name, { create: false, mode, offload: false, threaded: false });
  const failed = libc().ioctlValue(fd, TUNSETPERSIST, 0) < 0;
  const code = errno();
  libc().close(fd);
  if (failed) throw interfaceError(name, "remove it", code);
}

function openError(name: string, code: number): NicError {
  const problem = `${DEVICE} cannot be opened (${errnoText(code)})`;
  switch (code) {
    case Errno.EACCES:
    case Errno.EPERM:
      return new NicError(
        name,
        "permission",
        problem,
        "run as root, or as root once: chmod 0666 /dev/net/tun",
      );
    case Errno.ENOENT: {
      const remedy = "as root: modprobe tun, or mkdir -p /dev/net && mknod /dev/net/tun c 10 200";
      return new NicError(name, "not-found", problem, remedy);
    }
    case Errno.ENODEV:
    case Errno.ENXIO:
      return new NicError(name, "unsupported", problem, "load the kernel's driver, as root: modprobe tun");
    default:
      return new NicError(name, "failed", problem);
  }
}

function attachError(name: string, mode: TunMode, code: number, exists: boolean): NicError {
  switch (code) {
    case Errno.EBUSY: {
      const remedy =
        `stop it, or make the interface with: ip tuntap add dev ${name} mode ${mode} multi_queue`;
      return new NicError(name, "busy", "another process is attached to it", remedy);
    }
    case Errno.EPERM: {
      const problem = exists ? "this user may not attach to it" : "this user may not make interfaces";
      const remedy = "run as root, or in a user namespace: unshare -Urn ...; or as root: " +
        `ip tuntap add dev ${name} mode ${mode} user $USER`;
      return new NicError(name, "permission", problem, remedy);
    }
    case Errno.EINVAL:
      return new NicError(
        name,
        "invalid",
        `the interface is no ${mode.toUpperCase()}`,
        "choose another name",
      );
    default:
      return interfaceError(name, "attach to it", code);
  }
}
