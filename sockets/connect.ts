/**
 * Connecting to a name: every address that it has is tried, until one answers.
 *
 * @module
 */
import type { DnsAnswer } from "../stack/dns/answer.ts";
import { checkPort, tryHostname } from "./address.ts";
import { denoError, EndReason } from "./errors.ts";
import { Eyeballs, type Family } from "./eyeballs.ts";
import type { Host } from "./host.ts";
import { notFound } from "./names.ts";
import type { TcpStream } from "./stream.ts";

/**
 * An open connection, which holds nothing yet, to a host by its address, or by its name, over a family if one is given.
 * Rejects with what a failed attempt said, or the signal's reason.
 */
export async function connect(
  host: Host,
  hostname: string,
  port: number,
  signal?: AbortSignal,
  family?: Family,
): Promise<TcpStream> {
  host.check();
  checkPort(port, 1);
  const address = tryHostname(hostname);
  if (address !== undefined) return await dial(host, String(address), port, signal);
  return await new Race(host, hostname, port, family).run(signal);
}

/** One attempt. */
async function dial(host: Host, hostname: string, port: number, signal?: AbortSignal): Promise<TcpStream> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stream = host.dial(hostname, port, {
    opened: resolve,
    closed: () => reject(denoError(stream.reason ?? EndReason.Aborted)),
  });
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    await promise;
    stream.life.done();
    return stream;
  } catch (error) {
    stream.reset();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** Happy Eyeballs with a live clock. */
class Race {
  readonly #host: Host;
  readonly #hostname: string;
  readonly #port: number;
  readonly #eyeballs: Eyeballs;
  readonly #families: readonly Family[];
  readonly #answers: DnsAnswer[] = [];
  readonly #end = new AbortController();
  readonly #result = Promise.withResolvers<TcpStream>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failure: unknown;
  #isOver = false;

  constructor(host: Host, hostname: string, port: number, family: Family | undefined) {
    this.#host = host;
    this.#hostname = hostname;
    this.#port = port;
    const { names } = host;
    this.#families = family === undefined ? names.families : [family];
    this.#eyeballs = new Eyeballs(this.#families, (addresses) => names.order(addresses));
  }

  async run(signal: AbortSignal | undefined): Promise<TcpStream> {
    const abort = () => this.#settle(() => this.#result.reject(signal?.reason));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    for (const family of this.#families) this.#resolve(family);
    try {
      return await this.#result.promise;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  #resolve(family: Family): void {
    this.#host.names.addresses(this.#hostname, family, this.#end.signal).then(({ answer, addresses }) => {
      this.#answers.push(answer);
      this.#eyeballs.resolved(family, addresses, this.#host.nic.now());
      this.#go();
    }, () => {
      // It is over: nobody waits for this look-up.
    });
  }

  #go(): void {
    clearTimeout(this.#timer);
    if (this.#isOver) return;
    for (;;) {
      const address = this.#eyeballs.attempt(this.#host.nic.now());
      if (address === undefined) break;
      this.#try(String(address));
    }
    if (this.#eyeballs.isOver) {
      return this.#settle(() =>
        this.#result.reject(this.#failure ?? notFound(this.#hostname, this.#answers))
      );
    }
    const { deadline } = this.#eyeballs;
    if (deadline === Infinity) return;
    this.#timer = setTimeout(() => this.#go(), Math.max(0, (deadline - this.#host.nic.now()) / 1_000));
  }

  #try(address: string): void {
    dial(this.#host, address, this.#port, this.#end.signal).then((stream) => {
      if (this.#isOver) stream.reset();
      else this.#settle(() => this.#result.resolve(stream));
    }, (error) => {
      // What the first, best address said is told when all have failed.
      this.#failure ??= error;
      this.#eyeballs.failed(this.#host.nic.now());
      this.#go();
    });
  }

  /** Ends it: attempts that are still open are given up. */
  #settle(result: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    result();
    this.#end.abort();
  }
}
