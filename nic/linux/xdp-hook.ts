/**
 * The program in front of an AF_XDP socket, its maps, and its place at an interface.
 *
 * @module
 */
import { NicError } from "../error.ts";
import { attachProgram, createMap, loadProgram, MapType, removeKey, setKey, XdpFlag } from "./bpf.ts";
import { Errno, errnoText } from "./errno.ts";
import { libc, memory } from "./libc.ts";
import { KEY_LENGTH, takeAll, takeOurs } from "./xdp-program.ts";

/** Where a program runs: behind the driver, with every driver ("skb"), or in the driver ("drv"). */
export type XdpMode = "skb" | "drv";

const FLAGS = { skb: XdpFlag.Generic, drv: XdpFlag.Driver } as const;

/** The most queues of an interface, and keys of what is ours. */
const QUEUES = 1_024, KEYS = 4_096;

/** A program that is loaded. It goes with this process, whatever becomes of it. */
export class XdpHook {
  readonly #interface: string;
  readonly #program: number;
  readonly #sockets: number;
  /** The map of what is ours; undefined: everything is. */
  readonly #ours: number | undefined;
  readonly #claimed = new Map<string, Uint8Array<ArrayBuffer>>();
  #link: number | undefined;

  /** Loads it. Throws {@linkcode NicError} in the name of the interface `name`. */
  constructor(name: string, shares: boolean) {
    this.#interface = name;
    const open: number[] = [];
    const keep = (fd: number) => {
      open.push(fd);
      return fd;
    };
    try {
      this.#sockets = keep(createMap(name, MapType.Sockets, 4, 4, QUEUES));
      this.#ours = shares ? keep(createMap(name, MapType.Hash, KEY_LENGTH, 4, KEYS)) : undefined;
      const code = this.#ours === undefined ? takeAll(this.#sockets) : takeOurs(this.#ours, this.#sockets);
      this.#program = loadProgram(name, code);
    } catch (error) {
      for (const fd of open) libc().close(fd);
      throw error;
    }
  }

  /** What the program takes from a queue goes to a socket from now on. */
  serve(queue: number, socket: number): void {
    if (setKey(this.#sockets, word(queue), word(socket))) return;
    throw new NicError(
      this.#interface,
      "invalid",
      `queue ${queue} is more than the ${QUEUES} that there may be`,
    );
  }

  /** Puts the program in its place, in the driver if nothing else is said and it can be, and answers where it is. */
  attach(index: number, mode: XdpMode | undefined): XdpMode {
    const modes: readonly XdpMode[] = mode === undefined ? ["drv", "skb"] : [mode];
    let code = 0;
    for (const one of modes) {
      const link = attachProgram(this.#program, index, FLAGS[one]);
      if (link >= 0) {
        this.#link = link;
        return one;
      }
      code = -link;
      if (code === Errno.EBUSY || code === Errno.EEXIST) break;
    }
    throw attachError(this.#interface, mode, code);
  }

  /** Has the program take what these keys stand for, and nothing else. */
  claim(keys: readonly Uint8Array<ArrayBuffer>[]): void {
    if (this.#ours === undefined) return;
    const wanted = new Map(keys.map((key) => [key.join(), key]));
    for (const [text, key] of this.#claimed) {
      if (wanted.has(text)) continue;
      removeKey(this.#ours, key);
      this.#claimed.delete(text);
    }
    for (const [text, key] of wanted) {
      if (!this.#claimed.has(text) && setKey(this.#ours, key, word(1))) this.#claimed.set(text, key);
    }
  }

  /** Takes the program away from the interface, and gives everything back. */
  close(): void {
    for (const fd of [this.#link, this.#program, this.#ours, this.#sockets]) {
      if (fd !== undefined) libc().close(fd);
    }
  }
}

function word(value: number): Uint8Array<ArrayBuffer> {
  const bytes = memory(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function attachError(name: string, mode: XdpMode | undefined, code: number): NicError {
  const problem = `the XDP program cannot be attached (${errnoText(code)})`;
  switch (code) {
    case Errno.EBUSY:
    case Errno.EEXIST: {
      const remedy = `as root: ip link set dev ${name} xdp off; ip link set dev ${name} xdpgeneric off`;
      return new NicError(name, "busy", "it has an XDP program already", remedy);
    }
    case Errno.EOPNOTSUPP:
      return new NicError(name, "unsupported", problem, mode === "drv" ? "write mode=skb" : "use raw:");
    case Errno.EINVAL: {
      const remedy = mode === "drv" ? "write mode=skb" : "this needs Linux 5.9; or use raw:";
      return new NicError(name, "unsupported", problem, remedy);
    }
    case Errno.EPERM:
    case Errno.EACCES:
      return new NicError(name, "permission", problem, "run as root or with CAP_NET_ADMIN; or use raw:");
    default:
      return new NicError(name, "failed", problem, mode === "drv" ? "write mode=skb" : "use raw:");
  }
}
