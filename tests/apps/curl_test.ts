/** What `ethox curl` sends, and what it makes of answers, in memory. */
import assert from "node:assert/strict";
import { ResponseReader } from "../../apps/curl/response.ts";

/** Reads an answer that comes in one piece. */
async function read(...lines: string[]): Promise<{ lines: readonly string[]; body: string }> {
  const bytes = new TextEncoder().encode(lines.join("\r\n"));
  const reader = new ResponseReader([bytes].values() as unknown as AsyncIterator<Uint8Array>, "peer");
  const head = await reader.head();
  let body = "";
  await reader.body(head, false, (chunk) => body += new TextDecoder().decode(chunk));
  return { lines: head.lines, body };
}

Deno.test("curl: a header line that is folded is one line with spaces (RFC 9112 5.2)", async () => {
  const { lines, body } = await read(
    "HTTP/1.1 200 OK",
    "X-A: b",
    " c",
    "\t d",
    "Content-Length:",
    " 3",
    "",
    "abc more",
  );
  assert.deepEqual(lines, ["HTTP/1.1 200 OK", "X-A: b c d", "Content-Length: 3", ""]);
  assert.equal(body, "abc");
  await assert.rejects(read("HTTP/1.1 200 OK", " c", "", ""), /a line of its header has no name/);
});

Deno.test("curl: a length that is said several times is one if all are the same (RFC 9112 6.3)", async () => {
  assert.equal(
    (await read("HTTP/1.1 200 OK", "Content-Length: 3, 3", "Content-Length: 3", "", "abc more")).body,
    "abc",
  );
  for (const value of ["3, 4", "3,", "+3", ""]) {
    await assert.rejects(
      read("HTTP/1.1 200 OK", `Content-Length: ${value}`, "", "abc"),
      /its length is unclear/,
    );
  }
});
