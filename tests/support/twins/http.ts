/**
 * What a server answers to bytes, in short: whatever one server may word otherwise than another is left out.
 *
 * @module
 */
import { named, zeros } from "./side.ts";

/** A request, with more lines of its head. */
export function request(method: string, path: string, more: string = "", body: string = ""): string {
  return `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${more}\r\n${body}`;
}

/** Sends bytes, and answers with status, framing and content of what came, and how it ended. */
export async function ask(hostname: string, port: number, text: string): Promise<string> {
  const conn = await Deno.connect({ hostname, port });
  await conn.write(new TextEncoder().encode(text));
  const decoder = new TextDecoder();
  let all = "", end = "";
  try {
    const chunk = zeros(1 << 16);
    for (let count = await conn.read(chunk); count !== null; count = await conn.read(chunk)) {
      all += decoder.decode(chunk.subarray(0, count), { stream: true });
    }
  } catch (error) {
    end = `, then ${named(error)}`;
  }
  conn.close();
  return brief(all) + end;
}

/** "200, length 2: hi". */
function brief(text: string): string {
  const at = text.indexOf("\r\n\r\n");
  if (at < 0) return text === "" ? "nothing" : text;
  const [head, content] = [text.slice(0, at), text.slice(at + 4)];
  const status = head.slice(9, 12);
  if (status === "100") return `100, ${brief(content)}`;
  const lengths = [...head.matchAll(/^content-length: (.*)$/gim)].map((found) => `, length ${found[1]}`);
  const isChunked = /^transfer-encoding: chunked\r?$/im.test(head);
  const body = isChunked ? `, chunks: ${unchunked(content)}` : content === "" ? "" : `: ${content}`;
  return `${status}${lengths.join("")}${body}`;
}

/** RFC 9112 7.1. */
function unchunked(content: string): string {
  let body = "";
  for (let rest = content;;) {
    const found = /^([0-9a-f]+)\r\n/i.exec(rest);
    if (found === null) return `${body} (cut off)`;
    const length = parseInt(found[1]!, 16);
    if (length === 0) return body;
    body += rest.slice(found[0].length, found[0].length + length);
    rest = rest.slice(found[0].length + length + 2);
  }
}
