/** Responses of HTTP/1.1 (RFC 9110). */
import type { Request } from "./http-request.ts";

const REASONS: Readonly<Record<Request["status"], string>> = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  431: "Request Header Fields Too Large",
  505: "HTTP Version Not Supported",
};

const encoder = new TextEncoder();

/** The response to a request, whose page is only made if it is wanted. */
export function respond(request: Request, page: () => string): Uint8Array {
  const { status, isHead, keepsAlive } = request;
  const reason = REASONS[status];
  const body = encoder.encode(status === 200 ? page() : `${reason}\n`);
  const head = encoder.encode(
    `HTTP/1.1 ${status} ${reason}\r\n` +
      `Date: ${new Date().toUTCString()}\r\n` +
      `Content-Type: text/${status === 200 ? "html" : "plain"}; charset=utf-8\r\n` +
      `Content-Length: ${body.length}\r\n` +
      "Cache-Control: no-store\r\n" +
      (status === 405 ? "Allow: GET, HEAD\r\n" : "") +
      `Connection: ${keepsAlive ? "keep-alive" : "close"}\r\n\r\n`,
  );
  if (isHead) return head;
  const response = new Uint8Array(head.length + body.length);
  response.set(head);
  response.set(body, head.length);
  return response;
}
