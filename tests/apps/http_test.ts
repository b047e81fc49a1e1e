/** What the web server of `serve http` makes of requests, and `ethox curl` on the wire in memory. */
import assert from "node:assert/strict";
import { readRequest } from "../../apps/services/http-request.ts";
import { assertComplaint, ethox } from "../support/command.ts";
import { check, fc } from "../support/property.ts";

/** The status that a request deserves, and whether another may follow. */
function verdict(...lines: string[]): string {
  const text = `${lines.join("\r\n")}\r\n\r\n`;
  const request = readRequest(text, false);
  assert.ok(request !== undefined, text);
  assert.equal(request.length, text.length, "all of it is the request");
  return `${request.status}${request.keepsAlive ? " on" : ""}`;
}

const HOST = "Host: a";

Deno.test("http: the page is for GET and HEAD, in both forms of its address (RFC 9112 3.2)", () => {
  assert.equal(verdict("GET / HTTP/1.1", HOST), "200 on");
  assert.equal(verdict("HEAD /?q HTTP/1.1", HOST), "200 on");
  assert.equal(verdict("GET http://a/ HTTP/1.1", HOST), "200 on");
  assert.equal(verdict("GET http://a HTTP/1.1", HOST), "200 on");
  assert.equal(verdict("GET /other HTTP/1.1", HOST), "404 on");
  assert.equal(verdict("DELETE / HTTP/1.1", HOST), "405 on");
});

Deno.test("http: a connection goes on unless somebody says otherwise (RFC 9112 9.3)", () => {
  assert.equal(verdict("GET / HTTP/1.1", HOST, "connection: foo, CLOSE"), "200");
  assert.equal(verdict("GET / HTTP/1.0"), "200");
  assert.equal(verdict("GET / HTTP/1.0", "Connection: keep-alive"), "200 on");
  // A body is not read, so what follows it cannot be told from it.
  assert.equal(verdict("POST / HTTP/1.1", HOST, "Content-Length: 3"), "405");
  assert.equal(verdict("GET / HTTP/1.1", HOST, "Transfer-Encoding: chunked"), "200");
  assert.equal(verdict("GET / HTTP/1.1", HOST, "Content-Length: 0"), "200 on");
});

Deno.test("http: what is no request of HTTP/1 is refused, and the connection ends (RFC 9112 3, 5)", () => {
  for (
    const line of ["GET /", "GET  / HTTP/1.1", " GET / HTTP/1.1", "G@T / HTTP/1.1", "GET / HTTP/1.1 x", "\0"]
  ) {
    assert.equal(verdict(line, HOST), "400", line);
  }
  assert.equal(verdict("GET / HTTP/2.0", HOST), "505");
  assert.equal(verdict("GET / HTTP/1.1"), "400");
  assert.equal(verdict("GET / HTTP/1.1", HOST, HOST), "400");
  for (const field of ["no colon", "A : b", " folded", "Content-Length: x", "Content-Length: -1", ": b"]) {
    assert.equal(verdict("GET / HTTP/1.1", HOST, field), "400", field);
  }
});

Deno.test("http: what cannot become a request is refused at once, and its empty line not waited for", () => {
  const probes = [
    "\0",
    "\x16\x03\0",
    "HELP\r\n",
    "GET /\n",
    "GET  ",
    " ",
    "A@",
    "GET / X",
    "GET / HTTP/x",
    "\r\n\r\n\x80",
  ];
  for (
    const text of [...probes, "GET / HTTP/1.1 ", "GET / HTTP/1.1\rX", "OPTIONS sip:a SIP/2.0\r\nVia: b\r\n"]
  ) {
    const request = readRequest(text, false);
    assert.deepEqual(
      [request?.status, request?.keepsAlive, request?.length],
      [400, false, text.length],
      text,
    );
  }
});

Deno.test("http: a request is waited for until its end, unless there is no room for it", () => {
  const text = `\r\n\nGET / HTTP/1.1\n${HOST}\n\n`;
  for (let length = 0; length < text.length; length++) {
    assert.equal(readRequest(text.slice(0, length), false), undefined);
  }
  assert.equal(readRequest(text, false)?.status, 200);
  assert.equal(readRequest(`${text}GET`, false)?.length, text.length);
  assert.equal(readRequest("GET /", true)?.status, 431);
});

Deno.test("http: whatever bytes come, each request takes some of them and gets one status", () => {
  const character = fc.constantFrom(..."\r\n: /GET.HTP1\0\xffabost".split(""));
  check(fc.property(fc.array(character, { maxLength: 200 }), (characters) => {
    const request = readRequest(characters.join(""), true);
    assert.ok(request !== undefined && [200, 400, 404, 405, 431, 505].includes(request.status));
    assert.ok(request.length > 0 || characters.length === 0);
  }));
});

Deno.test("curl: on the wire in memory, the neighbour is the host and has a page", async () => {
  const page = await ethox(["curl", "http://10.0.0.2/", "--nic", "link:", "-i"]);
  assert.deepEqual([page.status, page.err], [0, ""]);
  assert.match(page.out, /^HTTP\/1\.1 200 OK\r\n(.+\r\n)+\r\n<!DOCTYPE html>.*<\/html>\n$/);
  const refused = await ethox(["curl", "http://10.0.0.2:8080/", "--nic", "link:"]);
  assertComplaint(refused, /no connection to 10\.0\.0\.2 port 8080: connection refused/);
  assert.equal(refused.status, 7);
});

Deno.test("curl: what cannot be asked for is one line and status 2", async () => {
  const wrong: readonly [args: string[], complaint: RegExp][] = [
    [["ftp://10.0.0.2/"], /"ftp" is not spoken; allowed is http and https/],
    [["http://"], /"http:\/\/" is no URL; write one/],
    [["http://me:secret@10.0.0.2/"], /user names are not supported/],
    [["http://10.0.0.2:0/"], /0 is no port/],
    [["http://10.0.0.2/", "-X", "a b"], /--request: "a b" is no method/],
    [["http://10.0.0.2/", "-H", "no colon"], /--header: "no colon" is no header/],
    [["http://10.0.0.2/", "-d", "@file"], /--data: "@file": a file cannot be sent/],
    [["http://10.0.0.2/", "-m", "soon"], /--max-time: "soon"/],
    [["http://10.0.0.2/"], /--addr is missing/],
  ];
  for (const [args, complaint] of wrong) {
    const run = await ethox(["curl", ...args]);
    assertComplaint(run, complaint);
    assert.equal(run.status, 2, args.join(" "));
  }
});
