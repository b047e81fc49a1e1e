/**
 * An eventfd(2): what one thread wakes another's wait by, through nothing but a number that both know.
 *
 * @module
 */
import { NicError } from "../error.ts";
import { errnoText } from "./errno.ts";
import { errno, libc, memory } from "./libc.ts";

const EFD_NONBLOCK = 0o4000, EFD_CLOEXEC = 0o2000000;

/** A counter in the kernel that is readable while it is not 0. */
export class EventFd {
  /** The descriptor, which any thread of the process may use. */
  readonly fd: number;
  readonly #one: Uint8Array<ArrayBuffer> = memory(8);
  readonly #drained: Uint8Array<ArrayBuffer> = memory(8);

  /** An event that another thread has made, by its descriptor. */
  constructor(fd: number) {
    this.fd = fd;
    this.#one[0] = 1;
  }

  /** A new one, which is the caller's to close. Throws {@linkcode NicError} in the name of `nic`. */
  static make(nic: string): EventFd {
    const fd = libc(nic).eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0) throw new NicError(nic, "failed", `no eventfd to be had (${errnoText(errno())})`);
    return new EventFd(fd);
  }

  /** Makes it readable. */
  signal(): void {
    libc().write(this.fd, this.#one, 8);
  }

  /** Makes it unreadable again. */
  drain(): void {
    libc().read(this.fd, this.#drained, 8);
  }

  /** Gives the descriptor back. */
  close(): void {
    libc().close(this.fd);
  }
}
