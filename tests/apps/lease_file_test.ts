import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { LeaseFile } from "../../apps/lease-file.ts";
import { Address, type Lease } from "../../mod.ts";
import { ethox } from "../support/command.ts";

const MAC = "02:00:00:00:00:01";

const LEASE: Lease = {
  address: Address.parse("10.0.0.50"),
  prefix: 24,
  server: Address.parse("10.0.0.2"),
  routers: [Address.parse("10.0.0.254")],
  routes: [{ network: Address.parse("192.0.2.0"), prefix: 24, router: Address.parse("10.0.0.253") }],
  dns: [Address.parse("10.0.0.3")],
  search: ["lan.example"],
  mtu: 1_400,
  duration: 3_600,
  renewal: 1_800,
  rebinding: 3_150,
};

async function withFile(
  body: (path: string, open: () => LeaseFile, warnings: string[]) => void,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const warnings: string[] = [];
  const path = `${directory}/leases`;
  try {
    body(path, () => new LeaseFile(path, (line) => warnings.push(line)), warnings);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function given(address: string, client: string, remaining: number) {
  return { address: Address.parse(address), client, remaining };
}

Deno.test("lease file: what was kept is there when it is opened again, and how much of it is left", async () => {
  await withFile((_path, open) => {
    {
      using file = open();
      equal(file.own(MAC), undefined);
      file.keepOwn(MAC, LEASE, 3_000);
      file.keepOwn("02:00:00:00:00:02", {
        ...LEASE,
        duration: Infinity,
        renewal: Infinity,
        rebinding: Infinity,
      }, Infinity);
      file.keepOwn("02:00:00:00:00:03", LEASE, 3_000);
      file.keepOwn("02:00:00:00:00:03", undefined, 0);
      file.keepGiven(given("10.0.0.100", "01aa", 600));
      file.keepGiven(given("10.0.0.101", "01bb", 600));
      file.keepGiven(given("10.0.0.101", "01cc", 0));
    }
    using file = open();
    const own = file.own(MAC);
    deepEqual(own?.lease, LEASE);
    ok(own.remaining > 2_900 && own.remaining <= 3_000, String(own.remaining));
    const endless = file.own("02:00:00:00:00:02");
    deepEqual([endless?.remaining, endless?.lease.duration], [Infinity, Infinity]);
    equal(file.own("02:00:00:00:00:03"), undefined);
    deepEqual(file.given().map(({ address, client }) => `${address} ${client}`), [
      "10.0.0.100 01aa",
      "10.0.0.101 01cc",
    ]);
    equal(file.given()[1]?.remaining, 0);
  });
});

Deno.test("lease file: a line that a crash has cut short spoils no other, and one warning says so", async () => {
  await withFile((path, open, warnings) => {
    {
      using file = open();
      file.keepGiven(given("10.0.0.100", "01aa", 600));
      file.keepGiven(given("10.0.0.101", "01bb", 600));
    }
    const text = Deno.readTextFileSync(path);
    Deno.writeTextFileSync(path, text.slice(0, -10));
    {
      using file = open();
      equal(file.given().length, 1);
      file.keepGiven(given("10.0.0.102", "01cc", 600));
    }
    equal(warnings.length, 1);
    match(warnings[0]!, /1 lines are no leases/);
    using again = open();
    equal(again.given().length, 2);
    equal(warnings.length, 1, "the bad line is gone");
  });
});

Deno.test("lease file: it is only added to, and written anew when it has grown long", async () => {
  await withFile((path, open) => {
    using file = open();
    for (let turn = 0; turn < 20_000; turn++) file.keepGiven(given(`10.0.0.${turn % 10}`, "01aa", turn));
    const lines = Deno.readTextFileSync(path).split("\n").length;
    ok(lines < 5_000, `${lines} lines`);
    equal(file.given().length, 10);
    equal(file.failure, undefined);
  });
});

Deno.test("lease file: whatever is in it, only leases that a host can have come out", async () => {
  await withFile((path, open) => {
    const good = JSON.stringify({ given: "10.0.0.9", client: "01", expires: null });
    const own = (lease: unknown, expires: unknown = null) => JSON.stringify({ own: MAC, lease, expires });
    const plain = {
      address: "10.0.0.5",
      prefix: 24,
      server: "10.0.0.2",
      routers: [],
      routes: [],
      dns: [],
      search: [],
    };
    const times = { duration: 100, renewal: 50, rebinding: 80 };
    for (
      const lease of [
        {},
        plain,
        { ...plain, ...times, address: "10.0.0.255" },
        { ...plain, ...times, address: "127.0.0.1" },
        { ...plain, ...times, address: "fd00::1" },
        { ...plain, ...times, prefix: 0 },
        { ...plain, ...times, prefix: "24" },
        { ...plain, ...times, renewal: 200 },
        { ...plain, ...times, duration: -1 },
        { ...plain, ...times, dns: ["example.com"] },
        { ...plain, ...times, routes: [{ to: "10.0.0.0", router: "10.0.0.1" }] },
        { ...plain, ...times, search: [1] },
        { ...plain, ...times, routers: new Array(17).fill("10.0.0.1") },
      ]
    ) {
      Deno.writeTextFileSync(path, `${good}\n${own(lease)}\n`);
      using file = open();
      equal(file.own(MAC), undefined, JSON.stringify(lease));
      equal(file.given().length, 1);
    }
    Deno.writeTextFileSync(path, `${good}\n${own({ ...plain, ...times }, "no date")}\n`);
    using file = open();
    equal(file.own(MAC)?.remaining, 0);
  });
});

Deno.test("lease file: a file that is something else is left alone", async () => {
  await withFile((path, open) => {
    Deno.writeTextFileSync(path, "root:x:0:0\n");
    throws(open, /is no file of leases/);
    equal(Deno.readTextFileSync(path), "root:x:0:0\n");
  });
});

Deno.test("serve: --leases says what is wrong with it", async () => {
  const unused = await ethox(["serve", "ping", "--nic", "link:", "--leases", "/nonexistent/x"]);
  equal(unused.status, 2);
  match(unused.err, /--leases: nothing is leased here/);
  const missing = await ethox(["serve", "dhcp", "--nic", "link:", "--leases", "/nonexistent/x"]);
  equal(missing.status, 1);
  match(missing.err, /--leases: \/nonexistent\/x cannot be used: no such file or directory/);
});
