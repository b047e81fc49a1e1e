/**
 * Between the requests and responses of node:http and those of the web.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TcpAddr } from "./address.ts";

/** A request that the web's `Request` cannot tell. */
export class BadRequest extends Error {
  /** How it is to be answered. */
  readonly status: number;

  /** A request to be answered with `status`. */
  constructor(status: number) {
    super(`a request is answered with ${status}`);
    this.status = status;
  }
}

/** Methods that `Request` forbids. */
const FORBIDDEN = ["CONNECT", "TRACE", "TRACK"];

/** The web's view of a request. Its body is read from the connection as it is read here. */
export function toRequest(message: IncomingMessage, own: TcpAddr, signal: AbortSignal): Request {
  const method = message.method ?? "GET";
  if (FORBIDDEN.includes(method)) throw new BadRequest(501);
  const url = urlOf(message, own);
  const headers = new Headers();
  const { rawHeaders } = message;
  try {
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      headers.append(rawHeaders[at]!, rawHeaders[at + 1]!);
    }
    if (method === "GET" || method === "HEAD" || !hasBody(message)) {
      return new Request(url, { method, headers, signal });
    }
    return new Request(url, { method, headers, signal, body: bodyOf(message) });
  } catch {
    throw new BadRequest(400);
  }
}

/** RFC 9112 6.3: a request has a body if a header says so. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function bodyOf(message: IncomingMessage): ReadableStream<Uint8Array<ArrayBuffer>> {
  const iterator = message.iterator({ destroyOnReturn: false });
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const { value, done } = await iterator.next();
      if (done) {
        controller.close();
        controller.byobRequest?.respond(0);
      } else controller.enqueue(new Uint8Array(value));
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

/** RFC 9112 3.3: the target's own, or made of Host and target. */
function urlOf(message: IncomingMessage, own: TcpAddr): string {
  const target = message.url ?? "/";
  const host = message.headers.host ?? `${own.hostname}:${own.port}`;
  const text = /^https?:\/\//i.test(target) ? target : `http://${host}${target === "*" ? "/*" : target}`;
  if (!URL.canParse(text)) throw new BadRequest(400);
  return text;
}

/** Sends a response; resolves when everything was handed to the connection, or it is gone. */
export async function answer(
  response: ServerResponse,
  from: Response,
  isHead: boolean,
  isLast: boolean,
): Promise<void> {
  writeHead(response, from, isLast);
  const { body } = from;
  if (body === null) {
    if (!isHead && mayHaveLength(from)) response.setHeader("content-length", "0");
  } else {
    const reader = body.getReader();
    const abandon = () => void reader.cancel().catch(() => {});
    response.once("close", abandon);
    try {
      if (isHead) await tellLength(response, reader);
      else if (!response.destroyed) await pump(response, reader);
    } finally {
      response.off("close", abandon);
      abandon();
    }
  }
  await finished(response);
}

function writeHead(
  response: ServerResponse,
  { headers, status, statusText }: Response,
  isLast: boolean,
): void {
  for (const [name, value] of headers) {
    // RFC 9112 6: how a body is framed is up to who sends it.
    if (name !== "set-cookie" && name !== "transfer-encoding") response.setHeader(name, value);
  }
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) response.setHeader("set-cookie", cookies);
  if (isLast) response.setHeader("connection", "close");
  response.statusCode = status;
  response.statusMessage = statusText;
}

/** RFC 9110 8.6: these have no content, and do not say that it is empty. */
function mayHaveLength({ status, headers }: Response): boolean {
  return status !== 204 && status !== 304 && !headers.has("content-length");
}

type Reader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

/** The next part of a body. A stream of the program's own may have anything; only of bytes is the length known. */
async function part(reader: Reader): Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>> {
  const result = await reader.read();
  if (result.done || result.value instanceof Uint8Array) return result;
  throw new TypeError("a response's body is made of Uint8Arrays");
}

/** RFC 9110 9.3.2: HEAD is told what GET would be, as far as that is known without making the body. */
async function tellLength(response: ServerResponse, reader: Reader): Promise<void> {
  if (response.hasHeader("content-length")) return;
  const first = await atOnce(part(reader));
  if (first === undefined) return;
  if (first.done || (await atOnce(part(reader)))?.done) {
    response.setHeader("content-length", first.value?.length ?? 0);
  }
}

async function pump(response: ServerResponse, reader: Reader): Promise<void> {
  let chunk = await part(reader);
  if (chunk.done) {
    response.setHeader("content-length", "0");
    return;
  }
  let next = part(reader);
  // A body that is there as a whole tells its length, so that it needs no chunks.
  if ((await atOnce(next))?.done) response.setHeader("content-length", chunk.value.length);
  const told = response.getHeader("content-length");
  let left = told === undefined ? Infinity : Number(told);
  while (!chunk.done && !response.destroyed) {
    left -= chunk.value.length;
    if (left < 0) break;
    if (!response.write(chunk.value)) await drained(response);
    chunk = await next;
    if (!chunk.done) next = part(reader);
    // It may fail while the client is waited for: that is told when it is awaited.
    next.catch(() => {});
  }
  if (left !== 0 && left !== Infinity && !response.destroyed) {
    throw new TypeError(`a response's body is not as long as its Content-Length says, ${told} bytes`);
  }
}

/** What a promise is of within this turn of the event loop; undefined: it takes longer. */
async function atOnce<T>(promise: Promise<T>): Promise<T | undefined> {
  const later = new Promise<undefined>((resolve) => void setImmediate(resolve, undefined));
  return await Promise.race([promise, later]);
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      response.off("drain", go).off("close", go);
      resolve();
    };
    response.once("drain", go).once("close", go);
  });
}

function finished(response: ServerResponse): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    response.once("close", () => resolve());
    response.end(() => resolve());
  });
}
