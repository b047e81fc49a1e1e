/** `ethox curl` against servers on the kernel's side. */
import assert from "node:assert/strict";
import { assertComplaint, ethox } from "../support/command.ts";
import { CERTIFICATE, KEY } from "../support/certificate.ts";
import { kernelTest } from "../support/netns.ts";
import { KERNEL, makeCable, makeTap, nicTest } from "../support/peer.ts";
import { hash, noise, withDirectory } from "../support/tcp-peers.ts";

const ADDR = ["--addr", "10.0.0.1/24"];
const text = new TextEncoder();

/** Serves on the kernel's side while `body` runs. */
async function serving(
  options: { port: number; cert?: string; key?: string },
  handler: (request: Request) => Response | Promise<Response>,
  body: () => Promise<void>,
): Promise<void> {
  await using _server = Deno.serve({ hostname: KERNEL, onListen: () => {}, ...options }, handler);
  await body();
}

nicTest("curl: a page, a form, headers, a large file, and TLS", [], undefined, async () => {
  const ADDR = ["--addr", "10.0.0.1/24", "--nic", await makeCable()];
  const file = noise(8 << 20);
  const answer = async (request: Request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/file") return new Response(file);
    // A stream has no length, so it comes in chunks.
    if (pathname === "/chunks") return new Response(new Blob([file]).stream());
    if (pathname === "/none") return new Response("no\n", { status: 404 });
    const { method, headers } = request;
    return new Response(
      `${method} ${headers.get("x-a")} ${headers.get("user-agent")} ${await request.text()}\n`,
    );
  };
  const url = `http://${KERNEL}:8000`;
  await serving({ port: 8_000 }, answer, async () => {
    const get = await ethox(["curl", `${url}/`, ...ADDR]);
    assert.deepEqual([get.status, get.err], [0, ""]);
    assert.match(get.out, /^GET null ethox\/\S+ \n$/);
    const post = await ethox(["curl", `${KERNEL}:8000`, ...ADDR, "-d", "a=1", "-d", "b=2", "-H", "X-A: yes"]);
    assert.match(post.out, /^POST yes ethox\/\S+ a=1&b=2\n$/);
    const put = await ethox(["curl", url, ...ADDR, "-X", "PUT", "-H", "user-agent: other", "-i"]);
    assert.match(put.out, /^HTTP\/1\.1 200 OK\r\n(\S+: .*\r\n)+\r\nPUT null other \n$/);
    const head = await ethox(["curl", url, ...ADDR, "--head", "-v"]);
    assert.match(head.out, /^HTTP\/1\.1 200 OK\r\n(\S+: .*\r\n)+\r\n$/);
    assert.match(
      head.err,
      /^\* trying .*\n\* connected .*\n> HEAD \/ HTTP\/1\.1\n(> .*\n)+>\n< HTTP\/1\.1 200 OK\n/,
    );
    assert.equal((await ethox(["curl", `${url}/none`, ...ADDR])).out, "no\n");
    const failed = await ethox(["curl", `${url}/none`, ...ADDR, "--fail"]);
    assertComplaint(failed, /the answer is HTTP\/1\.1 404 Not Found/);
    assert.deepEqual([failed.status, failed.out], [22, ""]);
    await withDirectory(async (directory) => {
      for (const path of ["file", "chunks"]) {
        const output = `${directory}/${path}`;
        const { status, err } = await ethox(["curl", `${url}/${path}`, ...ADDR, "-o", output]);
        assert.deepEqual([status, err], [0, ""]);
        assert.equal(hash(output), hash(file));
      }
    });
  });
  await serving({ port: 8_443, cert: CERTIFICATE, key: KEY }, answer, async () => {
    const page = await ethox(["curl", `https://${KERNEL}:8443/`, ...ADDR, "--insecure", "-v"]);
    assert.deepEqual([page.status, page.out.slice(0, 8)], [0, "GET null"]);
    assert.match(page.err, /^\* secured by TLSv1\.3/m);
    const untrusted = await ethox(["curl", `https://${KERNEL}:8443/`, ...ADDR]);
    assertComplaint(untrusted, /the certificate of 10\.0\.0\.2 port 8443 is not trusted/);
    assert.equal(untrusted.status, 60);
  });
});

/** What a server does that is none, what is said of it, and the status, as curl has it. */
const FAILURES: readonly {
  readonly what: string;
  readonly answer: (connection: Deno.TcpConn) => Promise<void>;
  readonly scheme?: string;
  readonly more?: readonly string[];
  readonly complaint: RegExp;
  readonly status: number;
}[] = [
  {
    what: "ends without a word",
    answer: async (connection) => void await connection.read(new Uint8Array(1_000)),
    complaint: /empty reply from 10\.0\.0\.2/,
    status: 52,
  },
  {
    what: "speaks something else",
    answer: async (connection) => {
      await connection.read(new Uint8Array(1_000));
      await connection.write(text.encode("220 mail.example ESMTP\r\n"));
    },
    complaint: /does not answer in HTTP\/1\.1/,
    status: 8,
  },
  {
    what: "ends in the middle of the body",
    answer: async (connection) => {
      await connection.read(new Uint8Array(1_000));
      await connection.write(text.encode("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf "));
    },
    complaint: /ended before the response did/,
    status: 18,
  },
  {
    what: "resets the connection",
    // What is closed with data unread is reset.
    answer: async (connection) => void await connection.read(new Uint8Array(5)),
    complaint: /reset by the peer/,
    status: 56,
  },
  {
    what: "never answers",
    answer: async (connection) => {
      const bytes = new Uint8Array(1_000);
      while (await connection.read(bytes).catch(() => null) !== null);
    },
    more: ["--max-time", "2"],
    complaint: /longer than --max-time/,
    status: 28,
  },
  {
    what: "speaks no TLS",
    answer: async (connection) => {
      await connection.read(new Uint8Array(1_000));
      await connection.write(text.encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
    },
    scheme: "https",
    complaint: /no TLS with 10\.0\.0\.2/,
    status: 35,
  },
];

for (const { what, answer, scheme = "http", more = [], complaint, status } of FAILURES) {
  kernelTest(`curl: a server that ${what} is one line and status ${status}`, async () => {
    makeTap();
    using listener = Deno.listen({ hostname: KERNEL, port: 8_000 });
    const answering = (async () => {
      using connection = await listener.accept();
      await answer(connection);
    })();
    const run = await ethox(["curl", `${scheme}://${KERNEL}:8000/`, ...ADDR, ...more]);
    assertComplaint(run, complaint);
    assert.equal(run.status, status);
    // Whom nobody has connected to waits no longer.
    listener.close();
    await answering.catch(() => {});
  });
}

kernelTest("curl: who refuses or is not there is status 7 or 28, a name is status 6", async () => {
  makeTap();
  const refused = await ethox(["curl", `http://${KERNEL}:81/`, ...ADDR]);
  assertComplaint(refused, /no connection to 10\.0\.0\.2 port 81: connection refused/);
  assert.equal(refused.status, 7);
  const absent = await ethox(["curl", "http://10.0.0.9/", ...ADDR, "--connect-timeout", "500ms"]);
  assertComplaint(absent, /no connection to 10\.0\.0\.9 port 80 in time/);
  assert.equal(absent.status, 28);
  const name = await ethox(["curl", "http://example.com/", ...ADDR]);
  assertComplaint(name, /cannot resolve example\.com/);
  assert.equal(name.status, 6);
});
