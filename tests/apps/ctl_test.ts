import assert from "node:assert/strict";
import { CLIENTS_MAX } from "../../apps/control/server.ts";
import { LINE_MAX } from "../../apps/control/request.ts";
import { Poller, UnixStream } from "../../mod.ts";
import { assertComplaint, ethox } from "../support/command.ts";
import { controlled } from "../support/control.ts";
import { limitDescriptors } from "../support/descriptors.ts";

const decoder = new TextDecoder();

/** Sends text as it is and reads answers until there are `count`, or the other side ends. */
async function raw(path: string, text: string, count: number): Promise<Record<string, unknown>[]> {
  using connection = await Deno.connect({ transport: "unix", path });
  for (let bytes = new TextEncoder().encode(text); bytes.length > 0;) {
    bytes = bytes.subarray(await connection.write(bytes));
  }
  return await answers(connection, count);
}

async function answers(connection: Deno.Conn, count: number): Promise<Record<string, unknown>[]> {
  let read = "";
  const chunk = new Uint8Array(65_536);
  while (read.split("\n").length <= count) {
    const length = await connection.read(chunk).catch(() => null);
    if (length === null) break;
    read += decoder.decode(chunk.subarray(0, length));
  }
  return read.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

Deno.test("ctl: addresses are listed, added and removed while the appliance runs", async () => {
  await controlled([], async ({ ctl, rows }) => {
    assert.deepEqual((await ctl("addr")).out, "inet 10.0.0.1/24 brd 10.0.0.255\n");
    assert.deepEqual(await ctl("addr", "add", "10.0.0.9/24"), { status: 0, out: "", err: "" });
    const addresses = (await rows("addr", "list")).map(({ address }) => address);
    assert.deepEqual(addresses, ["10.0.0.1", "10.0.0.9"]);
    assertComplaint(await ctl("addr", "add", "10.0.0.9/24"), /ours already/);
    assertComplaint(await ctl("addr", "add", "10.0.0.255/24"), /not a unicast address of its subnet/);
    assertComplaint(await ctl("addr", "add", "10.0.0.300/24"), /address: /);
    assertComplaint(
      await ctl("addr", "add", "127.0.0.1/8"),
      /address: 127\.0\.0\.1\/8 is a loopback address/,
    );
    assertComplaint(await ctl("addr", "add", "::1/128"), /address: ::1\/128 is a loopback address/);
    assert.equal((await ctl("addr", "del", "10.0.0.9/24")).status, 0);
    const gone = await ctl("addr", "del", "10.0.0.9");
    assertComplaint(gone, /10\.0\.0\.9 is no address of ours; addr show lists them/);
    assert.equal(gone.status, 1);
  });
});

Deno.test("ctl: routes are added, found, replaced and removed as with iproute2", async () => {
  await controlled([], async ({ ctl }) => {
    const done = async (...words: string[]) =>
      assert.deepEqual(await ctl(...words), { status: 0, out: "", err: "" });
    await done("route", "add", "default", "via", "10.0.0.2", "metric", "5");
    await done("route", "add", "blackhole", "192.0.2.0/24");
    await done("route", "add", "198.51.100.0/24", "expires", "100");
    assert.equal(
      (await ctl("route")).out.replace(/expires (100|9\d|8\d)sec/, "expires Nsec"),
      "blackhole 192.0.2.0/24\n198.51.100.0/24 scope link expires Nsec\ndefault via 10.0.0.2 metric 5\n10.0.0.0/24 scope link src 10.0.0.1\n",
    );
    assert.equal((await ctl("route", "get", "8.8.8.8")).out, "default via 10.0.0.2 metric 5\n");
    assert.equal((await ctl("route", "get", "10.0.0.7")).out, "10.0.0.7 scope link src 10.0.0.1\n");
    assert.equal((await ctl("route", "get", "10.0.0.1")).out, "10.0.0.1 is our own\n");
    assertComplaint(await ctl("route", "add", "default", "via", "10.0.0.3", "metric", "5"), /route replace/);
    await done("route", "replace", "default", "via", "10.0.0.3", "metric", "5");
    assert.equal((await ctl("route", "get", "8.8.8.8")).out, "default via 10.0.0.3 metric 5\n");
    await done("route", "del", "default");
    assertComplaint(await ctl("route", "get", "8.8.8.8"), /no way to 8\.8\.8\.8/);
    assertComplaint(await ctl("route", "del", "default"), /no such route/);
    assertComplaint(await ctl("route", "add", "default", "via", "8.8.8.8"), /on a subnet of ours/);
    assertComplaint(await ctl("route", "add", "10.1.0.0/16", "metric", "-1"), /whole number from 0/);
    assertComplaint(
      await ctl("route", "add", "blackhole", "10.1.0.0/16", "via", "10.0.0.2"),
      /must have a gateway/,
    );
  });
});

Deno.test("ctl: neighbours are listed, given by hand, forgotten; a flush leaves those given by hand", async () => {
  await controlled([], async ({ ctl, rows }) => {
    // The neighbour in memory pings, and so is known.
    for (let tries = 0; (await rows("neigh")).length === 0; tries++) {
      assert.ok(tries < 1_000, "the neighbour is not known");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await rows("neigh", "add", "10.0.0.77", "lladdr", "02:00:00:00:00:07");
    assert.match((await ctl("neigh")).out, /^10\.0\.0\.77 lladdr 02:00:00:00:00:07 STATIC$/m);
    const [flushed] = await rows("neigh", "flush");
    assert.equal(flushed?.["forgotten"], 1);
    assert.match((await ctl("neigh")).out, /10\.0\.0\.77 lladdr/);
    await rows("neigh", "del", "10.0.0.77");
    assertComplaint(await ctl("neigh", "del", "10.0.0.77"), /is not known/);
    assertComplaint(await ctl("neigh", "add", "10.0.0.78"), /mac is missing/);
    assertComplaint(await ctl("neigh", "add", "10.0.0.78", "lladdr", "ff:ff:ff:ff:ff:ff"), /no station/);
  });
});

Deno.test("ctl: it tells of the NIC and the counters, and stop ends the appliance as a signal does", async () => {
  const run = await controlled(["tcp-echo"], async ({ rows, ctl, path, ended }) => {
    const [nic] = await rows("nic");
    assert.equal(nic?.["nic"], "link:");
    assert.equal(nic?.["mtu"], 1500);
    assert.ok((await rows("counters")).some(({ layer }) => layer === "tcp-echo:7"));
    assert.deepEqual(await rows("connections"), []);
    assert.match((await ctl("help")).out, /^addr add ADDRESS\/PREFIX +take one more address$/m);
    assert.equal((await ctl("stop")).status, 0);
    await ended;
    await assert.rejects(Deno.lstat(path), Deno.errors.NotFound);
  });
  assert.equal(run.status, 0);
  assert.match(run.out, /"event":"summary"/);
});

Deno.test("ctl: the socket is its owner's alone, and goes with the appliance", async () => {
  let socket = "";
  await controlled([], async ({ path }) => {
    socket = path;
    const { mode, isSocket } = await Deno.lstat(path);
    assert.equal(isSocket, true);
    assert.equal(mode! & 0o777, 0o600);
  });
  await assert.rejects(Deno.lstat(socket), Deno.errors.NotFound);
});

Deno.test("ctl: a socket that nobody listens at is replaced; one in use, and any other file, are left alone", async () => {
  await controlled([], async ({ path, ctl }) => {
    const serve = (at: string) => ethox(["serve", "--nic", "link:", "--ctl", at, "-d", "5ms"]);
    const second = await serve(path);
    assertComplaint(second, /--ctl: .*another process listens there/);
    assert.equal(second.status, 1);
    assert.equal((await ctl("nic")).status, 0, "the first goes on");
    const file = path.replace("ctl.sock", "file");
    await Deno.writeTextFile(file, "precious");
    assertComplaint(await serve(file), /another file is there/);
    assert.equal(await Deno.readTextFile(file), "precious");
    const stale = path.replace("ctl.sock", "stale");
    {
      using _listener = Deno.listen({ transport: "unix", path: file.replace("file", "first") });
      await Deno.rename(file.replace("file", "first"), stale);
    }
    assert.equal((await Deno.lstat(stale)).isSocket, true);
    assert.equal((await serve(stale)).status, 0);
    await assert.rejects(Deno.lstat(stale), Deno.errors.NotFound);
    assertComplaint(await serve(`${path}/${"long/".repeat(30)}`), /1 to 107 bytes|cannot be looked at/);
  });
});

Deno.test("ctl: every bad line gets one object with an error, and the connection goes on", async () => {
  await controlled([], async ({ path }) => {
    const bad = [
      "{",
      "[]",
      "null",
      "7",
      '"x"',
      "{}",
      '{"command":7}',
      '{"command":"rm -rf"}',
      "\u0000\u0001",
      "",
    ];
    const fields = [
      '{"command":"addr show","surplus":1}',
      '{"command":"addr add"}',
      '{"command":"addr add","address":7}',
      '{"command":"route add","network":"10.1.0.0/16","metric":1e99}',
      '{"command":"route add","network":"10.1.0.0/16","kind":"toString"}',
      '{"command":"addr show","id":[]}',
    ];
    const lines = [...bad, ...fields, '{"command":"nic","id":"last"}'];
    const replies = await raw(path, lines.map((line) => `${line}\n`).join(""), lines.length);
    assert.equal(replies.length, lines.length);
    for (const reply of replies.slice(0, -1)) {
      assert.equal(reply["ok"], false);
      assert.ok(String(reply["error"]).length > 10 && !String(reply["error"]).includes("\n"));
    }
    assert.equal(replies.at(-1)?.["ok"], true);
    assert.equal(replies.at(-1)?.["id"], "last");
  });
});

Deno.test("ctl: a line without an end is refused once it is too long, and its client let go", async () => {
  await controlled([], async ({ path, ctl }) => {
    const [reply, ...rest] = await raw(path, "x".repeat(LINE_MAX), 2);
    assert.deepEqual(reply, { ok: false, error: `a line has at most ${LINE_MAX} bytes` });
    assert.deepEqual(rest, []);
    assert.equal((await ctl("nic")).status, 0);
  });
});

Deno.test("ctl: of too many clients whoever was silent longest goes, and the newest is served", async () => {
  await controlled([], async ({ path, ctl }) => {
    const silent = await Promise.all(
      Array.from({ length: CLIENTS_MAX }, () => Deno.connect({ transport: "unix", path })),
    );
    try {
      for (let turn = 0; turn < 3; turn++) assert.equal((await ctl("nic")).status, 0);
      const [first] = await answers(silent[0]!, 2);
      assert.match(String(first?.["error"]), /more than 16 clients/);
    } finally {
      for (const connection of silent) connection.close();
    }
  });
});

Deno.test("ctl: clients that leave without reading, or in the middle of a line, harm nobody", async () => {
  await controlled([], async ({ path, ctl }) => {
    for (const text of ["", '{"command":', `${'{"command":"counters"}\n'.repeat(200)}`]) {
      for (let turn = 0; turn < 20; turn++) {
        const connection = await connected(path);
        await connection.write(new TextEncoder().encode(text));
        connection.close();
      }
    }
    // Its backlog may still be full of those that have left.
    (await connected(path)).close();
    assert.equal((await ctl("nic")).status, 0);
  });
});

/** A connection, as soon as the appliance's backlog has room for it. */
async function connected(path: string): Promise<Deno.UnixConn> {
  for (;;) {
    try {
      return await Deno.connect({ transport: "unix", path });
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

Deno.test("ctl: wrong words are wrong usage; without an appliance it fails and says what to do", async () => {
  const words = await ethox(["ctl", "--ctl", "/nowhere", "addr", "frobnicate"]);
  assertComplaint(words, /allowed is addr show, addr add, addr del/);
  assert.equal(words.status, 2);
  const surplus = await ethox(["addr", "--ctl", "/nowhere", "add", "10.0.0.9/24", "dev"]);
  assertComplaint(surplus, /"dev" is one word too many; write addr add ADDRESS\/PREFIX/);
  const missing = await ethox(["route", "--ctl", "/nowhere", "add"]);
  assertComplaint(missing, /the network is missing/);
  const path = await ethox(["neigh"]);
  assertComplaint(path, /--ctl/);
  assert.equal(path.status, 2);
  const nobody = await ethox(["neigh", "--ctl", "/nowhere"]);
  assertComplaint(nobody, /cannot be connected to .*; start the appliance with --ctl/);
  assert.equal(nobody.status, 1);
});

Deno.test("ctl: without workers there is none to list or to restart, and one line says how to have some", async () => {
  await controlled([], async ({ ctl }) => {
    for (const words of [["worker"], ["worker", "restart", "0"]]) {
      const run = await ctl(...words);
      assert.equal(run.status, 1);
      assert.match(run.err, /^ethox: [^\n]*there are no workers; ethox serve --workers N starts them\n$/);
    }
  });
});

Deno.test("ctl: a client for whom there is no descriptor waits until there is one, and the appliance at rest", async () => {
  await controlled([], async ({ path }) => {
    const { wait } = Poller.prototype;
    let waits = 0;
    Poller.prototype.wait = function (...options) {
      waits++;
      return wait.apply(this, options);
    };
    try {
      let client: UnixStream;
      {
        using _limit = limitDescriptors(1);
        client = UnixStream.connect(path);
        await new Promise((resolve) => setTimeout(resolve, 300));
        assert.ok(waits < 10, `${waits} waits`);
      }
      const into = new Uint8Array(256);
      client.write(new TextEncoder().encode('{"command":"addr show"}\n'));
      while (client.read(into) < 0) await new Promise((resolve) => setTimeout(resolve, 10));
      client.close();
    } finally {
      Poller.prototype.wait = wait;
    }
  });
});
