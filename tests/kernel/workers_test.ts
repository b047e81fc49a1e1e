/** `ethox serve --workers`: several threads, each with a queue, are one host to the kernel. */
import assert from "node:assert/strict";
import { createTap, type TunMode } from "../../nic/linux/tun.ts";
import { setInterfaceAddress, setInterfaceUp } from "../../nic/linux/netif.ts";
import { Dnsmasq } from "../support/dnsmasq.ts";
import { NEAR, pair } from "../support/cables.ts";
import { ethox, oneFile, type Program, Server, source } from "../support/ethox.ts";
import { KernelUdp } from "../support/kernel-udp.ts";
import { APPLIANCE, assertAnswered, KERNEL, peer, peerTest, pingHost, PREFIX, TAP } from "../support/peer.ts";

/** Connections enough that none of two queues is without any. */
const CONNECTIONS = 24;

/** Makes an interface with several queues and starts an appliance with two Workers on it. */
async function serve(program: Program, kind: TunMode | "raw", ...more: string[]): Promise<Server> {
  let nic = `raw:${NEAR}`;
  if (kind === "raw") await pair();
  else {
    nic = `${kind}:${TAP}`;
    createTap(TAP, { mode: kind, multiQueue: true });
    setInterfaceAddress(TAP, `${KERNEL}${PREFIX}`);
    setInterfaceUp(TAP);
  }
  return await Server.start(program, nic, `${APPLIANCE}${PREFIX}`, "--workers", "2", ...more);
}

/** Runs `body` with the path of a socket that goes with its directory. */
async function withSocket(body: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "ethox-workers-" });
  try {
    await body(`${directory}/ctl.sock`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** What a command of the control socket answers. */
async function rows(path: string, ...words: string[]): Promise<Record<string, unknown>[]> {
  const [program = "", ...args] = [...await source.command(), "ctl", "--ctl", path, ...words, "--json"];
  const { code, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const decoder = new TextDecoder();
  assert.equal(decoder.decode(stderr), "");
  assert.equal(code, 0);
  return decoder.decode(stdout).split("\n").filter((line) => line !== "").map((line) => {
    const { event: _event, ...row } = JSON.parse(line);
    return row;
  });
}

/** What the kernel tells of each thread of an appliance; one may have ended since it was listed. */
async function threads({ pid }: Server): Promise<string[]> {
  const names = [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name);
  const all = await Promise.all(names.map((name) => {
    return Deno.readTextFile(`/proc/${pid}/task/${name}/status`).catch(() => "");
  }));
  return all.filter((status) => status !== "");
}

/** Whether a connection brings back what it is sent; false: it is reset. */
async function echoes(connection: Deno.Conn): Promise<boolean> {
  try {
    await connection.write(new TextEncoder().encode("ethox"));
    const into = new Uint8Array(5);
    for (let length = 0; length < 5;) {
      const count = await connection.read(into.subarray(length));
      if (count === null) return false;
      length += count;
    }
    return new TextDecoder().decode(into) === "ethox";
  } catch {
    return false;
  }
}

function connect(hostname: string = APPLIANCE): Promise<Deno.Conn> {
  return Deno.connect({ hostname, port: 7 });
}

async function connectAll(): Promise<Deno.Conn[]> {
  return await Promise.all(Array.from({ length: CONNECTIONS }, () => connect()));
}

for (const mode of ["tap", "tun", "raw"] as const) {
  peerTest(
    `workers: pings, datagrams, connections and pages over ${mode} are answered, and every frame is counted once`,
    ["ping", "curl", "ip"],
    source,
    async () => {
      await using server = await serve(source, mode, "udp-echo", "tcp-echo", "http");
      await assertAnswered(20);
      for (let flow = 0; flow < 16; flow++) {
        using socket = await KernelUdp.open(APPLIANCE, 7);
        assert.deepEqual(await socket.ask(new Uint8Array([flow])), new Uint8Array([flow]));
      }
      const connections = await connectAll();
      assert.deepEqual(await Promise.all(connections.map(echoes)), Array(CONNECTIONS).fill(true));
      for (const connection of connections) connection.close();
      for (let page = 0; page < 4; page++) {
        const { code, stdout } = await peer("curl", ["-sS", `http://${APPLIANCE}/`]);
        assert.equal(code, 0);
        assert.match(stdout, /2 workers/);
      }
      const { packets, drops } = await server.stop();
      assert.equal(packets["udp-echo:7"]?.["answered"], 16);
      assert.equal(packets["tcp-echo:7"]?.["answered"], CONNECTIONS);
      assert.equal(packets["http:80"]?.["answered"], 4);
      assert.equal(packets["icmp"]?.["answered"], 20);
      assert.equal(drops["tcp"]?.["stray"], undefined);
      assert.equal(drops["workers"]?.["notPassed"], undefined, "nothing was lost between the threads");
    },
  );
}

peerTest("workers: the one file starts its own threads", ["ping"], oneFile, async () => {
  await using server = await serve(oneFile, "tap", "tcp-echo");
  await assertAnswered(5);
  const connections = await connectAll();
  assert.deepEqual(await Promise.all(connections.map(echoes)), Array(CONNECTIONS).fill(true));
  for (const connection of connections) connection.close();
  await server.stop();
});

for (const kind of ["tap", "raw"] as const) {
  peerTest(
    `workers: pings and datagrams in fragments over ${kind} are answered from any queue`,
    ["ping", "ip"],
    source,
    async () => {
      await using server = await serve(source, kind, "udp-echo");
      await assertAnswered(5, "-s", "20000");
      for (let flow = 0; flow < 8; flow++) {
        using socket = await KernelUdp.open(APPLIANCE, 7);
        const bytes = new Uint8Array(9_000).fill(flow);
        assert.deepEqual(await socket.ask(bytes), bytes);
      }
      const { packets } = await server.stop();
      assert.ok(packets["ip"]!["reassembled"]! >= 13);
    },
  );
}

for (const kind of ["tap", "raw"] as const) {
  peerTest(
    `workers: over ${kind}, of one that is started again the connections are reset, and the others go on`,
    ["ip"],
    source,
    async () => {
      await withSocket(async (path) => {
        await using server = await serve(source, kind, "tcp-echo", "--ctl", path);
        assert.deepEqual(await rows(path, "worker"), [
          { worker: 0, state: "running", restarts: 0 },
          { worker: 1, state: "running", restarts: 0 },
        ]);
        const connections = await connectAll();
        assert.ok((await Promise.all(connections.map(echoes))).every((echoed) => echoed));
        assert.equal((await rows(path, "connections")).length, CONNECTIONS);
        assert.deepEqual(await rows(path, "worker", "restart", "1"), [
          { worker: 1, state: "running", restarts: 1 },
        ]);
        const kept = (await rows(path, "connections")).length;
        assert.ok(kept > 0 && kept < CONNECTIONS, `${kept} of ${CONNECTIONS} are the other worker's`);
        const after = await Promise.all(connections.map(echoes));
        assert.equal(after.filter((echoed) => echoed).length, kept);
        for (const connection of connections) connection.close();
        const anew = await connectAll();
        assert.ok((await Promise.all(anew.map(echoes))).every((echoed) => echoed));
        for (const connection of anew) connection.close();
        const { packets } = await server.stop();
        assert.equal(packets["tcp-echo:7"]?.["answered"], 2 * CONNECTIONS, "what it had counted is kept");
      });
    },
  );
}

peerTest(
  "workers: what is changed by the control socket holds for all, and before an address goes its connections are reset",
  ["ping"],
  source,
  async () => {
    await withSocket(async (path) => {
      await using server = await serve(source, "tap", "tcp-echo", "--ctl", path);
      await rows(path, "addr", "add", "10.0.0.9/24");
      assert.equal((await pingHost("10.0.0.9", "-c", "4", "-W", "10")).received, 4);
      const kept = await connectAll();
      const lost = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect("10.0.0.9")));
      assert.ok((await Promise.all([...kept, ...lost].map(echoes))).every((echoed) => echoed));
      assert.deepEqual(await rows(path, "addr", "del", "10.0.0.9"), [
        { address: "10.0.0.9", connections: CONNECTIONS },
      ]);
      for (const connection of lost) {
        await assert.rejects(connection.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
      }
      assert.ok((await Promise.all(kept.map(echoes))).every((echoed) => echoed));
      for (const connection of [...kept, ...lost]) connection.close();
      const counted = await rows(path, "counters");
      assert.equal(counted.find(({ layer }) => layer === "tcp")?.["accepted"], 2 * CONNECTIONS);
      const [nic] = await rows(path, "nic");
      assert.ok(Number(nic?.["received"]) > 4 * CONNECTIONS);
      await rows(path, "neigh", "add", KERNEL, "lladdr", "02:00:00:00:00:07");
      assert.equal((await pingHost(APPLIANCE, "-c", "2", "-W", "0.5")).received, 0);
      await rows(path, "neigh", "del", KERNEL);
      await assertAnswered(2);
      await rows(path, "stop");
      assert.equal((await server.ended()).code, 0);
    });
  },
);

for (const kind of ["tap", "raw"] as const) {
  peerTest(
    `workers: over ${kind}, as another user without any capability in any thread, they go on`,
    ["ping", "ip"],
    source,
    async () => {
      await using server = await serve(source, kind, "tcp-echo", "--user", "nobody");
      await assertAnswered(4);
      for (const status of await threads(server)) {
        assert.match(status, /^CapEff:\t0+$/m);
        assert.match(status, /^NoNewPrivs:\t1$/m);
      }
      await server.stop();
    },
  );
}

peerTest(
  "workers: without --user no thread that runs our code has capabilities, nor one that is started again",
  ["ping"],
  source,
  async () => {
    await withSocket(async (path) => {
      await using server = await serve(source, "tap", "--ctl", path);
      await rows(path, "worker", "restart", "0");
      await assertAnswered(4);
      const all = await threads(server);
      const bare = all.filter((status) => /^CapEff:\t0+$/m.test(status));
      assert.ok(bare.length >= 3, `the main thread and two workers, of ${all.length} threads`);
      await server.stop();
    });
  },
);

peerTest(
  "workers: an address and its routes are leased by one for all, and given back in the end",
  ["dnsmasq", "ping", "ip"],
  source,
  async () => {
    createTap(TAP, { multiQueue: true });
    setInterfaceAddress(TAP, `${KERNEL}${PREFIX}`);
    setInterfaceUp(TAP);
    await using dnsmasq = await Dnsmasq.start(
      "--dhcp-range=10.0.0.50,10.0.0.60,255.255.255.0,10m",
      "--dhcp-option=option:router,10.0.0.2",
    );
    await using server = await Server.start(source, `tap:${TAP}`, "dhcp", "tcp-echo", "--workers", "2");
    const [address = ""] = server.events[0]?.addresses?.[0]?.split("/") ?? [];
    assert.match(address, /^10\.0\.0\.(5\d|60)$/);
    const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect(address)));
    assert.ok((await Promise.all(connections.map(echoes))).every((echoed) => echoed));
    // From behind the router that the server has told of.
    await peer("ip", ["addr", "add", "192.0.2.7/32", "dev", "lo"]);
    assert.equal(
      (await pingHost(address, "-I", "192.0.2.7", "-c", "3", "-W", "10")).received,
      3,
    );
    for (const connection of connections) connection.close();
    await server.stop();
    await dnsmasq.logged(/DHCPRELEASE/);
  },
);

peerTest("workers: --count counts what all have answered", ["ping"], source, async () => {
  await using server = await serve(source, "tap", "--count", "5");
  await assertAnswered(5);
  const { code, summary } = await server.ended();
  assert.equal(code, 0);
  assert.equal(summary?.packets["icmp"]?.["answered"], 5);
});

peerTest(
  "workers: when the interface is removed they end, with one line and status 1",
  [],
  source,
  async () => {
    await using server = await serve(source, "tap");
    await peer("ip", ["link", "del", TAP]);
    const { code, stderr } = await server.ended();
    assert.match(stderr, /^ethox: tap0 has been removed[^\n]*\n$/);
    assert.equal(code, 1);
  },
);

peerTest(
  "workers: an interface with one queue is refused with status 3, and how to make it anew",
  [],
  source,
  async () => {
    createTap(TAP);
    const args = ["serve", "--nic", `tap:${TAP}`, "--addr", "10.0.0.1/24", "--workers", "2"];
    const { code, stderr } = await ethox(source, ...args);
    assert.match(
      stderr,
      /^ethox: tap0: the interface has one queue only; make it anew with: ip tuntap .*multi_queue[^\n]*\n$/,
    );
    assert.equal(code, 3);
  },
);
