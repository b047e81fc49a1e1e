/** One request and its response, over our own stack. */
import type { Duplex } from "node:stream";
import type { Instant, NetSocket, Stack } from "../../mod.ts";
import type { FamilyChoice } from "../lookup.ts";
import { CurlError, CurlStatus, failure } from "./failure.ts";
import { type Head, ResponseReader } from "./response.ts";
import type { Target } from "./target.ts";

/** What is to be sent, and how long it may take. */
export interface TransferOptions {
  readonly method: string;
  /** The header's lines. */
  readonly headers: readonly string[];
  readonly body: string | undefined;
  readonly insecure: boolean;
  readonly connectTimeout: Instant | undefined;
  /** The family of the address that a name is to have; undefined: either. */
  readonly family: FamilyChoice;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** What is shown of it while it happens. */
export interface Watcher {
  /** A remark. */
  readonly note: (text: string) => void;
  /** A line of the request. */
  readonly sent: (line: string) => void;
  /** The response's header has come. */
  readonly response: (head: Head) => void;
  /** Bytes of the body have come. */
  readonly body: (bytes: Uint8Array) => void;
}

/** A transfer on a stack. Rejects with a CliError, or with the signal's reason. */
export class Transfer {
  readonly #stack: Stack;
  readonly #target: Target;
  readonly #options: TransferOptions;
  readonly #watcher: Watcher;
  readonly #progress = { isConnected: false, isShakingHands: false };

  /** A transfer that has not begun. */
  constructor(stack: Stack, target: Target, options: TransferOptions, watcher: Watcher) {
    this.#stack = stack;
    this.#target = target;
    this.#options = options;
    this.#watcher = watcher;
  }

  /** Does it. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    const { hostname, port } = this.#target;
    const peer = `${hostname} port ${port}`;
    signal.throwIfAborted();
    const socket = this.#stack.net.connect({
      host: hostname,
      port,
      noDelay: true,
      family: this.#options.family,
    });
    // Whoever waits for it is told; without this, an error before would end the program.
    socket.on("error", () => {});
    const end = () => socket.resetAndDestroy();
    signal.addEventListener("abort", end);
    try {
      const stream = await this.#inTime(socket, peer, async () => {
        await this.#connected(socket);
        return this.#target.isTls ? await this.#secured(socket) : socket;
      });
      await this.#exchange(stream, peer);
    } catch (error) {
      signal.throwIfAborted();
      throw failure(error, peer, this.#progress);
    } finally {
      signal.removeEventListener("abort", end);
      socket.destroy();
    }
  }

  /** Connects, which may take a while, and with TLS its handshake belongs to it, as curl has it. */
  async #inTime<T>(socket: NetSocket, peer: string, connect: () => Promise<T>): Promise<T> {
    const { connectTimeout } = this.#options;
    let tooLate: CurlError | undefined;
    const end = () => {
      const what = this.#progress.isConnected ? "TLS with" : "connection to";
      tooLate = new CurlError(CurlStatus.Timeout, `no ${what} ${peer} in time`);
      socket.destroy(tooLate);
    };
    const timer = connectTimeout === undefined ? undefined : setTimeout(end, connectTimeout / 1_000);
    try {
      return await connect();
    } catch (error) {
      throw tooLate ?? error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #connected(socket: NetSocket): Promise<void> {
    const { hostname, port } = this.#target;
    this.#watcher.note(`trying ${hostname} port ${port}`);
    await happens(socket, "connect");
    this.#progress.isConnected = true;
    this.#watcher.note(`connected to ${socket.remoteAddress} port ${port}`);
  }

  async #secured(socket: Duplex): Promise<Duplex> {
    const tls = await import("node:tls");
    this.#progress.isShakingHands = true;
    const secured = tls.connect({
      socket,
      host: this.#target.hostname,
      ...(this.#target.address === undefined ? { servername: this.#target.hostname } : {}),
      rejectUnauthorized: !this.#options.insecure,
      ALPNProtocols: ["http/1.1"],
    });
    await happens(secured, "secureConnect");
    this.#progress.isShakingHands = false;
    this.#watcher.note(`secured by ${secured.getProtocol()}, ${secured.getCipher().name}`);
    return secured;
  }

  async #exchange(stream: Duplex, peer: string): Promise<void> {
    const { method, headers, body } = this.#options;
    const lines = [`${method} ${this.#target.path} HTTP/1.1`, ...headers, ""];
    for (const line of lines) this.#watcher.sent(line);
    stream.write(`${lines.join("\r\n")}\r\n${body ?? ""}`);
    const reader = new ResponseReader(stream[Symbol.asyncIterator](), peer);
    const head = await reader.head();
    this.#watcher.response(head);
    await reader.body(head, method === "HEAD", this.#watcher.body);
  }
}

/** Resolves at an event, rejects at an error or when the stream is closed before. */
function happens(stream: Duplex, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once(event, () => resolve());
    stream.once("error", reject);
    stream.once("close", () => reject(new Error("the connection was closed")));
  });
}
