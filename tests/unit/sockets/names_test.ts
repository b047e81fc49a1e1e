import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { Hold } from "../../../sockets/lifetime.ts";
import { Names } from "../../../sockets/names.ts";
import { Type } from "../../../stack/wire/dns.ts";
import { readMessage } from "../../../stack/wire/dns-record.ts";
import { dnsMessage, type MessageFields, type RecordFields } from "../../support/dns.ts";
import { readAll, SERVER, type Stacks, stacks } from "../../support/stacks.ts";

const RESPONSE = 0x8180;

/** What a server knows: by name and type. */
type Zone = Readonly<Record<string, readonly RecordFields[]>>;

/** Answers questions over UDP on the server's stack, and over TCP those that `isCut` says. Answers with what was asked. */
function dnsServer({ server }: Stacks, zone: Zone, isCut: (name: string) => boolean = () => false): string[] {
  const asked: string[] = [];
  const answer = (query: Uint8Array, transport: string): Uint8Array => {
    const [question] = readMessage(query, 0, query.length)!.questions;
    const { name, type } = question!;
    asked.push(`${transport} ${name} ${type}`);
    const known = zone[name];
    const answers = (known ?? []).filter((record) => Type[record.type] === type);
    const fields: MessageFields = {
      id: query[0]! << 8 | query[1]!,
      flags: known === undefined ? RESPONSE | 3 : RESPONSE,
      questions: [[name, type]],
    };
    const cut = transport === "udp" && isCut(name);
    return dnsMessage(cut ? { ...fields, flags: RESPONSE | 0x200 } : { ...fields, answers });
  };
  const udp = server.listenDatagram({ port: 53 });
  (async () => {
    for await (const [query, from] of udp) await udp.send(answer(query, "udp"), from);
  })();
  const tcp = server.listen({ port: 53 });
  (async () => {
    for await (const conn of tcp) {
      const buffer = new Uint8Array(600);
      const length = await conn.read(buffer) ?? 0;
      const response = answer(buffer.subarray(2, length), "tcp");
      const writer = conn.writable.getWriter();
      await writer.write(Uint8Array.of(response.length >> 8, response.length & 255));
      await writer.write(response);
      await writer.close();
    }
  })();
  return asked;
}

const a = (name: string, data: string): RecordFields => ({ name, type: "A", data });

Deno.test("names: a stack connects to a name, sends datagrams to one, and so do node's sockets", async () => {
  await using both = await stacks({ dns: [SERVER], search: ["lan.example"] });
  dnsServer(both, { "box.lan.example": [a("box.lan.example", SERVER)] });
  const listener = both.server.listen({ port: 80 });
  (async () => {
    for await (const conn of listener) conn.readable.pipeTo(conn.writable);
  })();
  await using conn = await both.client.connect({ hostname: "box", port: 80 });
  equal(conn.remoteAddr.hostname, SERVER);
  const writer = conn.writable.getWriter();
  await writer.write(new TextEncoder().encode("hello"));
  await writer.close();
  equal(new TextDecoder().decode(await readAll(conn.readable)), "hello");
  const socket = both.client.net.connect({ host: "box.lan.example", port: 80 });
  socket.end("node");
  let text = "";
  for await (const chunk of socket) text += chunk;
  equal(text, "node");
  using udp = both.server.listenDatagram({ port: 9 });
  using client = both.client.listenDatagram();
  await client.send(Uint8Array.of(7), { transport: "udp", hostname: "box", port: 9 });
  deepEqual((await udp.receive())[0], Uint8Array.of(7));
});

Deno.test("names: what there is not, or nobody knows, is told as Deno and Node.js tell it", async () => {
  await using both = await stacks({ dns: [SERVER] });
  dnsServer(both, { "empty.example": [] });
  const failed = { name: "NotFound", code: "ENOTFOUND", message: /there is no such name/ };
  await rejects(both.client.connect({ hostname: "none.example", port: 80 }), failed);
  await rejects(both.client.connect({ hostname: "empty.example", port: 80 }), failed);
  await rejects(both.client.resolve("none.example", "A"), failed);
  await rejects(both.client.resolve("empty.example", "MX"), { name: "NotFound", code: "ENODATA" });
  await using lonely = await stacks();
  await rejects(lonely.client.connect({ hostname: "any.example", port: 80 }), {
    code: "ENOTFOUND",
    message: /no DNS server is known/,
  });
  const socket = both.client.net.connect({ host: "none.example", port: 80 });
  const error = await new Promise<Error & { code?: string; syscall?: string }>((resolve) =>
    socket.on("error", resolve)
  );
  deepEqual([error.code, error.syscall], ["ENOTFOUND", "getaddrinfo"]);
});

Deno.test("names: a look-up that is given up rejects with the signal's reason", async () => {
  await using both = await stacks({ dns: ["10.0.0.99"] });
  const stop = new AbortController();
  const connecting = both.client.connect({ hostname: "a.example", port: 80, signal: stop.signal });
  const resolving = both.client.resolve("a.example", "A", { signal: stop.signal });
  stop.abort(new Error("enough"));
  await rejects(connecting, /enough/);
  await rejects(resolving, /enough/);
});

Deno.test("names: a look-up is given up though it is not yet known whether there are servers", async () => {
  await using both = await stacks();
  const { ip, resolver } = both.client;
  const idle = () => {};
  const names = new Names({
    ip,
    resolver,
    nic: both.client.nic,
    wake: idle,
    hold: () => new Hold(idle, 1),
    serversKnown: () => new Promise(idle),
  });
  const stop = new AbortController();
  const asking = names.ask("a.example", Type.A, { signal: stop.signal });
  stop.abort(new Error("enough"));
  await rejects(asking, /enough/);
  await rejects(names.ask("a.example", Type.A, { signal: stop.signal }), /enough/);
});

Deno.test("names: a socket of node:net is told that a connection to a name is reset as soon as it is open", async () => {
  await using both = await stacks({ dns: [SERVER] });
  dnsServer(both, { "box.example": [a("box.example", SERVER)] });
  both.server.net.createServer((socket) => void socket.resetAndDestroy()).listen(80);
  const socket = both.client.net.connect(80, "box.example");
  const seen: string[] = [];
  socket.on("connect", () => seen.push("connect")).on("error", ({ message }) => seen.push(message));
  await new Promise((resolve) => void socket.on("close", resolve));
  deepEqual(seen, ["connect", "read ECONNRESET"]);
});

Deno.test("names: of a name's addresses that which answers is taken, though others do not (RFC 8305)", async () => {
  await using both = await stacks({ dns: [SERVER] });
  dnsServer(both, {
    "many.example": [
      a("many.example", "10.0.0.98"),
      a("many.example", "10.0.0.99"),
      a("many.example", SERVER),
    ],
  });
  const listener = both.server.listen({ port: 80 });
  const began = performance.now();
  await using conn = await both.client.connect({ hostname: "many.example", port: 80 });
  equal(conn.remoteAddr.hostname, SERVER);
  // Each of them would take three seconds by itself.
  ok(performance.now() - began < 5_000, "before the first attempts would have been given up in turn");
  listener.close();
});

Deno.test("names: records come in the shapes of Deno.resolveDns", async () => {
  await using both = await stacks({ dns: [SERVER] });
  const name = "x.example";
  dnsServer(both, {
    [name]: [
      a(name, "192.0.2.1"),
      { name, type: "AAAA", data: "2001:db8::1" },
      { name, type: "MX", data: "10 mx.example" },
      { name, type: "TXT", data: "some text" },
      { name, type: "SRV", data: "1 2 80 host.example" },
      { name, type: "NS", data: "ns.example" },
    ],
  });
  const { client } = both;
  deepEqual(await client.resolve(name, "A"), ["192.0.2.1"]);
  deepEqual(await client.resolve(name, "AAAA"), ["2001:db8::1"]);
  deepEqual(await client.resolve(name, "MX"), [{ preference: 10, exchange: "mx.example." }]);
  deepEqual(await client.resolve(name, "TXT"), [["some text"]]);
  deepEqual(await client.resolve(name, "SRV"), [{
    priority: 1,
    weight: 2,
    port: 80,
    target: "host.example.",
  }]);
  deepEqual(await client.resolve(name, "NS", { nameServer: { ipAddr: SERVER } }), ["ns.example."]);
});

Deno.test("names: an answer that no datagram holds is fetched over TCP (RFC 7766)", async () => {
  await using both = await stacks({ dns: [SERVER] });
  const records = Array.from({ length: 300 }, (_, n) => a("big.example", `192.0.2.${n % 256}`));
  const asked = dnsServer(both, { "big.example": records }, (name) => name === "big.example");
  equal((await both.client.resolve("big.example", "A")).length, 300);
  deepEqual(asked, ["udp big.example 1", "tcp big.example 1"]);
  equal(both.client.resolver.counters.overTcp, 1);
  equal((await both.client.resolve("big.example", "A")).length, 300);
  equal(asked.length, 2, "and remembered");
});
