/** The services over TCP, with the kernel and its programs as clients. */
import assert from "node:assert/strict";
import { source } from "../support/ethox.ts";
import {
  APPLIANCE,
  appliance,
  applianceHost,
  familyNicTest,
  type Output,
  peer,
  peerTest,
  serve,
} from "../support/peer.ts";
import { assertEchoed, exchange, hash, noise, shell, withDirectory } from "../support/tcp-peers.ts";

familyNicTest(
  "tcp: socat and nc get back what they sent, and both ends close (RFC 862, RFC 9293 3.6)",
  ["socat", "nc"],
  source,
  async () => {
    await using server = await serve(source, "tcp-echo");
    await withDirectory(async (directory) => {
      for (const length of [0, 1, 1_448, 100_000, 8 << 20]) {
        await assertEchoed(directory, length, `socat -t 20 - TCP:${applianceHost()}:7`);
      }
      await assertEchoed(directory, 4 << 20, `nc -N ${appliance()} 7`);
    });
    const { packets, drops } = await server.stop();
    assert.deepEqual([packets["tcp"]?.["accepted"], packets["tcp-echo:7"]?.["answered"]], [6, 6]);
    // Nothing is lost; but who gets no processor for a while is probed by the other side (RFC 8985 7).
    const { unacceptable = 0, stray = 0, ...others } = drops["tcp"] ?? {};
    assert.deepEqual(others, {});
    // In whole segments, of which one frame may hold many.
    const segments = (packets["nic"]!["receivedBytes"]! + packets["nic"]!["sentBytes"]!) / 1_448;
    const { retransmitted = 0 } = packets["tcp"]!;
    assert.ok(
      retransmitted + unacceptable + stray <= 5 + segments / 100,
      JSON.stringify({ packets, drops }),
    );
  },
);

familyNicTest("tcp: a thousand connections at once each get back what they sent", [], source, async () => {
  await using server = await serve(source, "tcp-echo");
  const expected = hash(noise(20_000));
  const hashes = await Promise.all(
    Array.from({ length: 1_000 }, () => exchange(appliance(), 7, noise(20_000))),
  );
  assert.deepEqual(hashes.filter((one) => one !== expected), []);
  const { packets } = await server.stop();
  assert.equal(packets["tcp-echo:7"]?.["answered"], 1_000);
});

peerTest(
  "tcp: a peer that does not read is held back by the window, and gets everything when it does (RFC 9293 3.8.6)",
  [],
  source,
  async () => {
    await using server = await serve(source, "tcp-echo");
    using connection = await Deno.connect({ hostname: APPLIANCE, port: 7 });
    const bytes = noise(16 << 20);
    let written = 0;
    const writing = (async () => {
      while (written < bytes.length) {
        written += await connection.write(bytes.subarray(written, written + 65_536));
      }
      await connection.closeWrite();
    })();
    let before = -1;
    while (before < written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    assert.ok(written < bytes.length, "the writer is held back though nothing is read");
    const received = new Uint8Array(bytes.length);
    let at = 0;
    for (let count: number | null = 0; count !== null; at += count ?? 0) {
      count = await connection.read(received.subarray(at));
      if (at + (count ?? 0) === bytes.length) {
        at = bytes.length;
        break;
      }
    }
    await writing;
    assert.equal(at, bytes.length);
    assert.equal(hash(received), hash(bytes));
    await server.stop();
  },
);

familyNicTest(
  "tcp: discard takes everything, chargen sends lines in turn (RFC 863, RFC 864)",
  ["socat"],
  source,
  async () => {
    await using server = await serve(source, "discard:9", "chargen:19");
    const taken = await shell(`head -c 33554432 /dev/zero | socat -t 5 - TCP:${applianceHost()}:9`);
    assert.deepEqual([taken.code, taken.stdout], [0, ""]);
    // The client has enough after a while, and closes with data unread: a reset.
    const { stdout } = await shell(`socat -u TCP:${applianceHost()}:19 - | head -c 740000`);
    const lines = stdout.split("\r\n");
    const printing = Array.from({ length: 95 }, (_, code) => String.fromCharCode(0x20 + code)).join("");
    assert.equal(lines.length, 10_001);
    lines.slice(0, -1).forEach((line, number) => {
      assert.equal(line, (printing + printing).slice(number % 95, number % 95 + 72), `line ${number}`);
    });
    // Who only closes its own side, once something has come, still gets an end.
    const half = await shell(`sleep 0.3 | socat -t 5 - TCP:${applianceHost()}:19 | tail -c 1000000 | wc -c`);
    assert.ok(Number(half.stdout) > 0, half.stderr);
    await server.stop();
  },
);

async function curl(...args: string[]): Promise<Output> {
  return await peer("curl", ["--silent", "--show-error", "--max-time", "20", ...args]);
}

const page = () => `http://${applianceHost()}/`;

familyNicTest(
  "http: curl gets the page, its header alone, and errors (RFC 9110)",
  ["curl"],
  source,
  async () => {
    await using server = await serve(source, "http", "http:8080");
    const got = await curl("--fail", page());
    assert.equal(got.code, 0, got.stderr);
    assert.match(got.stdout, /<h1>ethox<\/h1>.*up, in seconds.*tcp: accepted<td>1</);
    const head = await curl("--head", page());
    assert.match(head.stdout, /^HTTP\/1\.1 200 OK\r\n(.*\r\n)*Content-Length: \d+\r\n/);
    const status = async (...args: string[]) => {
      return (await curl("--output", "/dev/null", "--write-out", "%{http_code} %{num_connects}", ...args))
        .stdout;
    };
    assert.equal(await status(`${page()}nothing`), "404 1");
    assert.equal(await status("--data", "a=b", page()), "405 1");
    assert.equal(await status("--header", "Host:", page()), "400 1");
    assert.equal(await status("--header", `Long: ${"x".repeat(9_000)}`, page()), "431 1");
    assert.equal(await status("--http1.0", `http://${applianceHost()}:8080/?query`), "200 1");
    // Two requests, one connection.
    const twice = await curl(
      "--write-out",
      "%{num_connects};",
      "-o",
      "/dev/null",
      "-o",
      "/dev/null",
      page(),
      page(),
    );
    assert.equal(twice.stdout, "1;0;");
    await server.stop();
  },
);

peerTest("http: pipelined requests are answered in order, however they are cut", ["nc"], source, async () => {
  await using server = await serve(source, "http");
  using connection = await Deno.connect({ hostname: APPLIANCE, port: 80 });
  connection.setNoDelay(true);
  const request = (method: string, path: string) =>
    `${method} ${path} HTTP/1.1\r\nHost: ${APPLIANCE}\r\n\r\n`;
  const text = request("HEAD", "/") + request("HEAD", "/nothing") + request("DELETE", "/") +
    request("HEAD", "/");
  for (const byte of new TextEncoder().encode(text)) await connection.write(Uint8Array.of(byte));
  await connection.closeWrite();
  let answer = "";
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(65_536);
  for (let count = await connection.read(chunk); count !== null; count = await connection.read(chunk)) {
    answer += decoder.decode(chunk.subarray(0, count));
  }
  const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, digits]) => digits);
  assert.deepEqual(statuses, ["200", "404", "405", "200"]);
  const bare = await shell(`printf 'GET / HTTP/1.0\\n\\n' | nc -N ${APPLIANCE} 80 | head -1`);
  assert.equal(bare.stdout, "HTTP/1.1 200 OK\r\n");
  const { packets } = await server.stop();
  assert.equal(packets["http:80"]?.["answered"], 3);
});

peerTest(
  "http: who sends a request too slowly loses the connection when others come",
  ["curl"],
  source,
  async () => {
    await using server = await serve(source, "http");
    using slow = await Deno.connect({ hostname: APPLIANCE, port: 80 });
    await slow.write(new TextEncoder().encode("GET / HT"));
    await new Promise((resolve) => setTimeout(resolve, 10_100));
    assert.equal((await curl("--fail", page())).code, 0);
    await assert.rejects(async () => {
      assert.notEqual(await slow.read(new Uint8Array(1)), null);
    }, Deno.errors.ConnectionReset);
    const { drops } = await server.stop();
    assert.equal(drops["http:80"]?.["tooSlow"], 1);
  },
);
