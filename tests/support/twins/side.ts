/**
 * Two implementations of Deno's sockets under the same scripts: Deno's own, over the kernel, and a stack's. The peer of
 * both is Deno on the kernel, so that what is different is the two.
 *
 * @module
 */

/** What both have, with arguments that the types would forbid as well. */
export interface Sockets {
  connect(options: Record<string, unknown>): Promise<Deno.TcpConn>;
  listen(options: Record<string, unknown>): Deno.Listener<Deno.TcpConn, Deno.NetAddr>;
  listenDatagram(options: Record<string, unknown>): Datagrams;
  serve(options: Record<string, unknown>, handler?: Handler): Deno.HttpServer<Deno.NetAddr>;
}

/** What a handler is given, as both tell it. */
export type Handler = (
  request: Request,
  info: { readonly remoteAddr: Deno.NetAddr; readonly completed: Promise<void> },
) => unknown;

/** A `Deno.DatagramConn`, with what its type does not say. */
export interface Datagrams extends Deno.DatagramConn {
  ref(): void;
  unref(): void;
}

/** One of the two, and where it and its peer are. */
export interface Side {
  readonly sockets: Sockets;
  /** Its own address. */
  readonly own: string;
  /** Its peer's: Deno on the kernel listens and connects there. */
  readonly peer: string;
}

/** What a script saw, in words that can be compared. */
export type Seen = Readonly<Record<string, unknown>>;

/** A script that is run on both sides. */
export type Script = (side: Side) => Promise<Seen>;

/** Scripts by their names. */
export type Scripts = Readonly<Record<string, Script>>;

/** A value, or a promise of it, or what makes one of them. */
type Made = unknown | (() => unknown);

/** What became of something: its value, or its error's name with the code. */
export async function told(what: Made): Promise<unknown> {
  try {
    return await (typeof what === "function" ? what() : what);
  } catch (error) {
    return named(error);
  }
}

/** The same of what is done for no answer: "done", or the error. */
export async function did(what: Made): Promise<unknown> {
  return await told(what) ?? "done";
}

/** The same, or "waits" if nothing has come of it after a while. */
export async function toldSoon(what: Made, patience: number = 300): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waits = new Promise((resolve) => timer = setTimeout(resolve, patience, "waits"));
  const result = await Promise.race([told(what), waits]);
  clearTimeout(timer);
  return result;
}

/** An error in words. */
export function named(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${error}`;
  const code = "code" in error && typeof error.code === "string" ? ` ${error.code}` : "";
  return `${error.name}${code}`;
}

/** Time for what is on its way over a cable in memory, or over the loopback interface. */
export function soon(milliseconds: number = 50): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds));
}

/** Bytes of zero. */
export function zeros(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length);
}
