import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { Stack } from "../../../sockets/stack.ts";
import { link } from "../../../nic/link/link.ts";
import { poll } from "../../../nic/poll.ts";
import { DhcpServer } from "../../../stack/dhcp/server.ts";
import { Eth } from "../../../stack/eth/endpoint.ts";
import { Ip } from "../../../stack/ip/endpoint.ts";
import { protocols } from "../../../stack/ip/protocols.ts";
import { Udp } from "../../../stack/udp/endpoint.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Cidr } from "../../../stack/wire/cidr.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { SERVER, stacks } from "../../support/stacks.ts";

Deno.test("sockets: a closed stack ends everything on it, and refuses more", async () => {
  const both = await stacks();
  const listener = both.server.listen({ port: 80 });
  const accepted = listener.accept();
  const conn = await both.client.connect({ hostname: SERVER, port: 80 });
  const end = await accepted;
  const accepting = listener.accept();
  const datagrams = both.server.listenDatagram();
  const receiving = datagrams.receive();
  const reading = conn.read(new Uint8Array(1));
  const closed = Promise.all([
    rejects(accepting, { name: "BadResource" }),
    rejects(receiving, { name: "Interrupted" }),
    rejects(reading, { name: "ConnectionReset" }),
  ]);
  await both.server.close();
  await both.server.close();
  await closed;
  await rejects(end.read(new Uint8Array(1)), { name: /Interrupted|ConnectionAborted/ });
  await rejects(both.server.connect({ hostname: "10.0.0.2", port: 80 }), { name: "Interrupted" });
  conn.close();
  await both.client.close();
  await both.client.closed;
});

Deno.test("sockets: a stack that closes sends the last FIN again when it is lost, so that the peer's reader ends", async () => {
  await using both = await stacks();
  const listener = both.server.listen({ port: 80 });
  const accepted = listener.accept();
  const conn = await both.client.connect({ hostname: SERVER, port: 80 });
  const reading = (await accepted).read(new Uint8Array(1));
  const [far, near] = both.ends;
  near.connect(link()[0]);
  conn.close();
  const closing = both.client.close();
  setTimeout(() => near.connect(far), 30);
  equal(await reading, null);
  await closing;
});

Deno.test("sockets: a stack that closes does not wait long for a peer that is gone", async () => {
  const both = await stacks();
  const listener = both.server.listen({ port: 80 });
  const accepted = listener.accept();
  const conn = await both.client.connect({ hostname: SERVER, port: 80 });
  await accepted;
  both.ends[1].connect(link()[0]);
  conn.close();
  const start = performance.now();
  await both.client.close();
  ok(performance.now() - start < 3_000, `${performance.now() - start} ms`);
  await both.server.close();
});

Deno.test("sockets: a NIC that fails ends the stack, and it says why", async () => {
  const both = await stacks();
  const conn = both.client.connect({ hostname: SERVER, port: 80 });
  both.ends[1].close();
  await rejects(both.client.closed, { name: "NicError", message: /link:1 is closed/ });
  await rejects(conn, { code: "ENETDOWN" });
  await both.client.close();
  await both.server.close();
});

Deno.test("sockets: what cannot be opened says why", async () => {
  const [nic] = link();
  const open = (options: object) => Stack.open({ nic, addresses: ["10.0.0.1/24"], ...options });
  await rejects(open({ nic: "cable:7" }), SyntaxError);
  await rejects(open({ addresses: ["10.0.0.1"] }), SyntaxError);
  await rejects(open({ gateways: ["192.0.2.1"] }), RangeError);
  await rejects(open({ mac: "02:00" }), SyntaxError);
  // What would else end the stack at its first connection.
  const buffer = (name: string) => new RegExp(`^RangeError: ${name} must be a whole number from 4096`);
  await rejects(open({ receiveBuffer: 1_000 }), buffer("receiveBuffer"));
  await rejects(open({ sendBuffer: 5_000.5 }), buffer("sendBuffer"));
  await rejects(
    open({ congestion: "vegas" }),
    /^RangeError: congestion must be one of cubic, cubic\+, newreno, bbr/,
  );
  await rejects(open({ hostname: "a b" }), /^RangeError: hostname must be/);
  await rejects(open({ nic: "tap:a-name-too-long-for-linux" }), { name: "NicError", kind: "invalid" });
});

Deno.test("sockets: a NIC has one stack at a time", async () => {
  const [nic] = link();
  const options = { nic, addresses: ["10.0.0.1/24"] };
  const first = await Stack.open(options);
  await rejects(Stack.open(options), { name: "NicError", kind: "busy", message: /close that one first$/ });
  await first.close();
  await (await Stack.open(options)).close();
});

Deno.test("sockets: addresses and counters are there to be read", async () => {
  await using both = await stacks({ mac: "02:00:00:00:00:07" });
  equal(String(both.server.mac), "02:00:00:00:00:07");
  deepEqual([...both.server.addresses].map(String), ["10.0.0.1/24"]);
  await rejects(both.client.connect({ hostname: SERVER, port: 1 }), { name: "ConnectionRefused" });
  const { nic, ip, tcp, arp } = both.server.counters;
  ok(nic.received >= 2 && ip.received >= 1 && arp.received >= 1);
  deepEqual([tcp.received, tcp.stray], [1, 1]);
});

const PROGRAM = `
import { link, Stack } from "${new URL("../../../mod.ts", import.meta.url)}";
const [left, right] = link({ clock: () => Math.round(performance.now() * 1000) });
const server = await Stack.open({ nic: left, addresses: ["10.0.0.1/24"] });
const client = await Stack.open({ nic: right, addresses: ["10.0.0.2/24"], dns: ["10.0.0.1"] });
const listener = server.listen({ port: 80 });
globalThis.addEventListener("unload", () => console.log("end"));
`;

async function runs(body: string, limit: number): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--ext=ts", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  await using child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(PROGRAM + body));
  await writer.close();
  const timer = setTimeout(() => child.kill(), limit);
  const { stdout, stderr } = await child.output();
  clearTimeout(timer);
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

Deno.test("sockets: a program runs as long as a stack holds it, or somebody who waits, and no longer", async () => {
  // Unref'd, everything goes on for as long as something else runs.
  const unrefd = `
    server.unref(); client.unref(); listener.unref();
    const accepted = listener.accept();
    const conn = await client.connect({ hostname: "10.0.0.1", port: 80 });
    const end = await accepted;
    await end.write(new Uint8Array(7));
    console.log(await conn.read(new Uint8Array(9)));
    conn.unref(); end.unref();
    conn.read(new Uint8Array(1));
    const datagrams = server.listenDatagram();
    datagrams.unref();
    datagrams.receive();
    const web = server.serve({ port: 81, onListen: () => {} }, () => new Response());
    web.unref();
    const kept = await client.connect({ hostname: "10.0.0.1", port: 81 });
    await kept.write(new TextEncoder().encode("GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"));
    await kept.read(new Uint8Array(999));
    kept.unref();
    Deno.unrefTimer(setTimeout(() => console.log("the kept connection holds"), 3_000));
  `;
  match(await runs(unrefd, 20_000), /^7\nend\n/);
  const held = `
    client.unref(); listener.unref();
    Deno.unrefTimer(setTimeout(() => { console.log("still here"); server.unref(); }, 30));
  `;
  match(await runs(held, 20_000), /^still here\nend\n/);
  const receiving = `
    server.unref(); client.unref(); listener.close();
    const datagrams = server.listenDatagram();
    datagrams.unref();
    datagrams.receive().catch(() => {});
    datagrams.ref();
    Deno.unrefTimer(setTimeout(() => { console.log("still here"); datagrams.close(); }, 30));
  `;
  match(await runs(receiving, 20_000), /^still here\nend\n/);
  const opening = `
    server.unref(); client.unref(); listener.unref();
    const said = (what) => (error) => console.log(what + " " + error.code);
    client.connect({ hostname: "10.0.0.77", port: 80 }).catch(said("nobody")).then(() => {
      client.connect({ hostname: "nobody.test", port: 80 }).catch(said("no name")).then(() => {
        const to = { transport: "udp", hostname: "10.0.0.1", port: 9 };
        client.listenDatagram().send(new Uint8Array(1), to).then((count) => console.log("sent " + count));
      });
    });
  `;
  match(await runs(opening, 20_000), /^nobody \w+\nno name \w+\nsent 1\nend\n/);
});

Deno.test("sockets: a stack that closes gives back what it has leased at once (RFC 2131 4.4.6)", async () => {
  const clock = () => Math.round(performance.now() * 1_000);
  const ends = link({ clock, slots: 64 });
  const eth = new Eth({ mac: Mac.parse("02:00:00:00:00:01") });
  const ip = new Ip({ addresses: ["10.0.0.1/24"] }), udp = new Udp();
  const server = new DhcpServer({
    ip,
    udp,
    subnet: Cidr.parse("10.0.0.1/24"),
    first: Address.parse("10.0.0.10"),
    last: Address.parse("10.0.0.12"),
    probe: false,
  });
  const stop = new AbortController();
  const polling = poll(ends[0], {
    receive: eth.recv(ip.recv(protocols({ udp: udp.recv() }))),
    send: eth.send(ip.send(udp.send(server))),
    signal: stop.signal,
  });
  const stack = await Stack.open({ nic: ends[1], addresses: ["dhcp"] });
  ok(stack.lease !== undefined);
  // At rest, nothing is due but the renewal: the address was announced, twice in 2 s (RFC 5227 2.3).
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(late.resolve, 4_000, "late");
  equal(await Promise.race([stack.close().then(() => "closed"), late.promise]), "closed");
  clearTimeout(timer);
  await new Promise((resolve) => setTimeout(resolve, 0));
  equal(server.counters.noted, 1);
  stop.abort();
  await polling;
});
