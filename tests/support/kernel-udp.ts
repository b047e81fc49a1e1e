/** A datagram socket of the kernel's, in the namespace of the caller. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** Sends to one host's port, and receives what comes. */
export class KernelUdp implements Disposable {
  readonly #socket: Socket = createSocket("udp4");
  readonly #address: string;
  readonly #port: number;

  private constructor(address: string, port: number) {
    this.#address = address;
    this.#port = port;
  }

  /** A socket bound to a free port, or to this one. */
  static async open(address: string, port: number, own: number = 0): Promise<KernelUdp> {
    const made = new KernelUdp(address, port);
    made.#socket.bind(own);
    await once(made.#socket, "listening");
    return made;
  }

  /** Resolves when the kernel has taken or dropped the datagram. */
  async send(bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve) =>
      this.#socket.send(bytes, this.#port, this.#address, () => resolve())
    );
  }

  /** Sends a datagram and answers with the next one that comes, within so many milliseconds. */
  async ask(bytes: Uint8Array, limit: number = 30_000): Promise<Uint8Array> {
    const answer = once(this.#socket, "message", { signal: AbortSignal.timeout(limit) });
    await this.send(bytes);
    const [message] = await answer;
    return new Uint8Array(message);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
