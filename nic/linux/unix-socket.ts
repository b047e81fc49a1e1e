/**
 * Stream sockets of the Unix family, through libc: Deno's own want the permission for the host's whole network.
 *
 * @module
 */
import { NicError } from "../error.ts";
import { Errno, errnoText } from "./errno.ts";
import { errno, type Libc, libc, memory } from "./libc.ts";

const AF_UNIX = 1, SOCK_STREAM = 1, SOCK_NONBLOCK = 0o4000, SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000;

/** sun_path has 108 bytes, of which the last is a zero. */
const PATH_MAX = 107;

/** Connections that wait to be accepted. */
const BACKLOG = 16;

/** Only the owner may connect: whoever can write to the file. */
const NOT_OWNER = 0o177;

/** One end of a connection. Nothing of it waits. */
export class UnixStream {
  /** The descriptor, for a {@linkcode Poller}. */
  readonly fd: number;
  readonly #libc: Libc = libc();
  #isClosed = false;

  /** A stream over a connected socket, which it owns from now on. */
  constructor(fd: number) {
    this.fd = fd;
  }

  /** Connects to who listens at `path`. Throws {@linkcode NicError}: nobody does, no permission. */
  static connect(path: string): UnixStream {
    const fd = open(path);
    const address = addressOf(path);
    if (libc().connect(fd, address, address.length) === 0) return new UnixStream(fd);
    const code = errno();
    libc().close(fd);
    throw new NicError(path, "failed", `cannot be connected to (${errnoText(code)})`);
  }

  /** Reads into `into` and answers how many bytes; 0: the other side has ended; -1: there is nothing now. */
  read(into: Uint8Array): number {
    const length = this.#libc.read(this.fd, into, into.length);
    if (length >= 0) return length;
    return errno() === Errno.EAGAIN || errno() === Errno.EINTR ? -1 : 0;
  }

  /** Writes and answers how many bytes were taken; -1: the connection is broken. */
  write(bytes: Uint8Array): number {
    const written = this.#libc.sendto(this.fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, null, 0);
    if (written >= 0) return written;
    return errno() === Errno.EAGAIN || errno() === Errno.EINTR ? 0 : -1;
  }

  /** Ends the connection. A second call does nothing. */
  close(): void {
    if (!this.#isClosed) this.#libc.close(this.fd);
    this.#isClosed = true;
  }
}

/** A socket in the file system that only its owner may connect to. Its file goes when it is closed. */
export class UnixListener {
  /** The descriptor, for a {@linkcode Poller}. */
  readonly fd: number;
  /** Where it listens. */
  readonly path: string;
  readonly #inode: number | null;
  #isStuck = false;

  private constructor(fd: number, path: string) {
    this.fd = fd;
    this.path = path;
    this.#inode = Deno.lstatSync(path).ino;
  }

  /**
   * Listens at `path`. A socket that nobody listens at any more is replaced. Throws {@linkcode NicError}: somebody does
   * listen there, another file is there, no permission.
   */
  static listen(path: string): UnixListener {
    removeStale(path);
    const c = libc(path), fd = open(path);
    const address = addressOf(path);
    const mask = c.umask(NOT_OWNER);
    const isBound = c.bind(fd, address, address.length) === 0 && c.listen(fd, BACKLOG) === 0;
    const code = errno();
    c.umask(mask);
    if (isBound) return new UnixListener(fd, path);
    c.close(fd);
    throw new NicError(path, "failed", `no socket can be made there (${errnoText(code)})`);
  }

  /** The next connection; undefined: there is none now, or it {@linkcode UnixListener.isStuck}. */
  accept(): UnixStream | undefined {
    const fd = libc().accept4(this.fd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
    this.#isStuck = fd < 0 && errno() !== Errno.EAGAIN;
    return fd < 0 ? undefined : new UnixStream(fd);
  }

  /** A connection could not be accepted for want of descriptors or memory: it stays readable, so that one must pause. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  /** Listens no more, and removes the file unless it is somebody else's by now. */
  close(): void {
    libc().close(this.fd);
    try {
      if (Deno.lstatSync(this.path).ino === this.#inode) Deno.removeSync(this.path);
    } catch {
      // It is gone already.
    }
  }
}

function removeStale(path: string): void {
  try {
    if (Deno.lstatSync(path).isSocket !== true) {
      throw new NicError(path, "busy", "another file is there", "choose another path");
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (error instanceof NicError) throw error;
    throw new NicError(
      path,
      "failed",
      `cannot be looked at (${error instanceof Error ? error.message : error})`,
    );
  }
  const fd = open(path);
  const address = addressOf(path);
  const result = libc().connect(fd, address, address.length);
  const code = errno();
  libc().close(fd);
  // A full backlog (EAGAIN) is somebody, too.
  if (result < 0 && code === Errno.ECONNREFUSED) Deno.removeSync(path);
  else throw new NicError(path, "busy", "another process listens there", "choose another path, or stop it");
}

function open(path: string): number {
  const fd = libc(path).socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new NicError(path, "failed", `no socket to be had (${errnoText(errno())})`);
  return fd;
}

/** struct sockaddr_un { short family; char path[108]; } */
function addressOf(path: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(path);
  if (text.length === 0 || text.length > PATH_MAX || text.includes(0)) {
    throw new NicError(path, "failed", `a socket's path has 1 to ${PATH_MAX} bytes`, "choose another path");
  }
  const address = memory(2 + text.length + 1);
  address[0] = AF_UNIX;
  address.set(text, 2);
  return address;
}
