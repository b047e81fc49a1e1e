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
  const iterator = message[Symbol.asyncIterator]();
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
  for (const [name, value] of from.headers) {
    if (name !== "set-cookie") response.setHeader(name, value);
  }
  const cookies = from.headers.getSetCookie();
  if (cookies.length > 0) response.setHeader("set-cookie", cookies);
  if (isLast) response.setHeader("connection", "close");
  response.statusCode = from.status;
  response.statusMessage = from.statusText;
  const { body } = from;
  if (body === null || isHead) {
    await body?.cancel();
    if (body === null && !isHead && mayHaveLength(from)) response.setHeader("content-length", "0");
    await finished(response);
    return;
  }
  const reader = body.getReader();
  const abandon = () => void reader.cancel().catch(() => {});
  response.once("close", abandon);
  try {
    await pump(response, reader);
  } finally {
    response.off("close", abandon);
  }
  await finished(response);
}

/** RFC 9110 8.6: these have no content, and do not say that it is empty. */
function mayHaveLength({ status, headers }: Response): boolean {
  return status !== 204 && status !== 304 && !headers.has("content-length");
}

type Reader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

async function pump(response: ServerResponse, reader: Reader): Promise<void> {
  let chunk = await reader.read();
  if (chunk.done) {
    if (!response.hasHeader("content-length")) response.setHeader("content-length", "0");
    return;
  }
  let next = reader.read();
  if (!response.hasHeader("content-length") && await endsNow(next)) {
    // A body that is there as a whole tells its length, so that it needs no chunks.
    response.setHeader("content-length", chunk.value.length);
  }
  while (!chunk.done && !response.destroyed) {
    if (!response.write(chunk.value)) await drained(response);
    chunk = await next;
    if (!chunk.done) next = reader.read();
  }
  next.catch(() => {});
}

/** Whether a stream ends within this turn of the event loop. */
async function endsNow(next: Promise<{ done: boolean }>): Promise<boolean> {
  const later = new Promise<{ done: boolean }>((resolve) => void setImmediate(resolve, { done: false }));
  return (await Promise.race([next, later])).done;
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
