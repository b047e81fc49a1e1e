/** What `ethox curl` sends, and what it makes of answers, in memory. */
import assert from "node:assert/strict";
import { CurlError, CurlStatus } from "../../apps/curl/failure.ts";
import { ResponseReader } from "../../apps/curl/response.ts";
import { parseTarget } from "../../apps/curl/target.ts";
import { Transfer } from "../../apps/curl/transfer.ts";
import { milliseconds } from "../../stack/store/time.ts";
import { ethox } from "../support/command.ts";
import { SERVER, stacks } from "../support/stacks.ts";

/** Reads an answer that comes in one piece. */
async function read(...lines: string[]): Promise<{ lines: readonly string[]; body: string }> {
  const bytes = new TextEncoder().encode(lines.join("\r\n"));
  const reader = new ResponseReader(ReadableStream.from([bytes]).values(), "peer");
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

Deno.test("curl: headers of one name are all sent, and take the place of our own", async () => {
  const more = ["X-A: 1", "x-a: 2", "accept: text/html", "Accept: text/plain", "User-Agent:"];
  const args = ["curl", "http://10.0.0.2/", "--nic", "link:", "-v", ...more.flatMap((line) => ["-H", line])];
  const { status, err } = await ethox(args);
  assert.equal(status, 0);
  const sent = err.split("\n").filter((line) => line.startsWith("> ")).map((line) => line.slice(2));
  assert.deepEqual(sent, [
    "GET / HTTP/1.1",
    "Host: 10.0.0.2",
    "accept: text/html",
    "Accept: text/plain",
    "Connection: close",
    "X-A: 1",
    "x-a: 2",
  ]);
});

Deno.test("curl: a file is emptied by an answer without a body, as by curl, and left alone without an answer", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "old");
    const args = ["--nic", "link:", "-o", path];
    assert.equal((await ethox(["curl", "http://10.0.0.2:81/", ...args])).status, 7);
    assert.equal((await ethox(["curl", "http://10.0.0.2/other", ...args, "--fail"])).status, 22);
    assert.equal(await Deno.readTextFile(path), "old");
    assert.equal((await ethox(["curl", "http://10.0.0.2/", ...args, "-X", "HEAD"])).status, 0);
    assert.equal(await Deno.readTextFile(path), "");
    await Deno.remove(path);
    assert.equal((await ethox(["curl", "http://10.0.0.2/", ...args, "-X", "HEAD"])).status, 0);
    assert.equal(await Deno.readTextFile(path), "");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("curl: --connect-timeout is for TLS, too, as curl's is", async () => {
  await using both = await stacks();
  const listener = both.server.listen({ port: 443 });
  const accepted = listener.accept();
  const end = new AbortController();
  const guard = setTimeout(() => end.abort("it was waited for too long"), 3_000);
  const transfer = new Transfer(both.client, parseTarget(`https://${SERVER}/`), {
    method: "GET",
    headers: [],
    body: undefined,
    insecure: true,
    connectTimeout: milliseconds(300),
    family: undefined,
    signal: end.signal,
  }, { note: () => {}, sent: () => {}, response: () => {}, body: () => {} });
  await assert.rejects(transfer.run(), (error) => {
    assert.ok(error instanceof CurlError, String(error));
    assert.deepEqual([error.status, error.message], [
      CurlStatus.Timeout,
      `no TLS with ${SERVER} port 443 in time`,
    ]);
    return true;
  });
  clearTimeout(guard);
  (await accepted).close();
  listener.close();
});
