import assert from "node:assert/strict";
import { macFor } from "../../apps/mac-for.ts";
import { main } from "../../apps/main.ts";
import { assertComplaint, ethox, events } from "../support/command.ts";

Deno.test("ping: a host on the wire in memory answers, and the statistics say so", async () => {
  const args = ["ping", "10.0.0.2", "--nic", "link:", "-c", "3", "-i", "20ms", "-s", "100"];
  const [{ status, err }, lines] = await events(args);
  assert.equal(err, "");
  assert.equal(status, 0);
  const [ready, ...rest] = lines;
  assert.deepEqual(ready, {
    event: "ready",
    nic: "link:",
    mac: String(macFor("link:")),
    addresses: ["10.0.0.1/24"],
    host: "10.0.0.2",
  });
  const replies = rest.filter((line) => line.event === "reply");
  assert.deepEqual(replies.map(({ sequence, bytes, ttl }) => [sequence, bytes, ttl]), [[1, 108, 64], [
    2,
    108,
    64,
  ], [
    3,
    108,
    64,
  ]]);
  const last = rest.at(-1)!;
  assert.equal(last.event, "statistics");
  assert.equal(last.transmitted, 3);
  assert.equal(last.received, 3);
  assert.equal(last.lossPercent, 0);
});

Deno.test("ping: its lines are those of ping, and with --quiet only the statistics are left", async () => {
  const args = ["ping", "10.0.0.2", "--nic", "link:", "-c", "2", "-i", "10ms"];
  const { out } = await ethox(args);
  assert.match(out, /^PING 10\.0\.0\.2 56\(84\) bytes of data\.\n/);
  assert.match(out, /\n64 bytes from 10\.0\.0\.2: icmp_seq=2 ttl=64 time=[\d.]+ ms\n/);
  const statistics =
    /2 packets transmitted, 2 received, 0% packet loss, time \d+ms\nrtt min\/avg\/max\/mdev = [\d./]+ ms\n$/;
  assert.match(out, statistics);
  const quiet = await ethox([...args, "--quiet"]);
  assert.match(quiet.out, /^--- 10\.0\.0\.2 ping statistics ---\n/);
  assert.match(quiet.out, statistics);
});

Deno.test("ping: a host behind a gateway is reached through the neighbour", async () => {
  const args = ["ping", "192.0.2.1", "--nic", "link:", "--gateway", "10.0.0.9", "-c", "1", "--verbose"];
  const { status, out } = await ethox(args);
  assert.equal(status, 0);
  assert.match(out, /out ARP who has 10\.0\.0\.9\?/);
  assert.match(out, /in {2}192\.0\.2\.1 > 10\.0\.0\.1: ICMP echo reply/);
});

Deno.test("ping: without a count it goes on until it is interrupted, and any reply is a success", async () => {
  const { status, out } = await ethox(["ping", "10.0.0.2", "--nic", "link:", "-i", "5ms"], {
    onOut: (out, interrupt) => {
      if (out.includes("icmp_seq=20 ")) interrupt();
    },
  });
  assert.equal(status, 0);
  const [, sent, received] = /\n(\d+) packets transmitted, (\d+) received/.exec(out) ?? [];
  assert.ok(Number(sent) >= 20 && Number(received) >= 20, out);
});

Deno.test("ping: --duration ends it", async () => {
  const { status, out } = await ethox(["ping", "10.0.0.2", "--nic", "link:", "-i", "10ms", "-d", "1s"]);
  assert.equal(status, 0);
  assert.match(out, /packet loss/);
});

Deno.test("arp: the neighbour's hardware address is printed", async () => {
  const [{ status }, lines] = await events(["arp", "10.0.0.2", "--nic", "link:"]);
  assert.equal(status, 0);
  assert.deepEqual(lines.map(({ event }) => event), ["ready", "answer", "statistics"]);
  assert.equal(lines[1]!.mac, String(macFor("the neighbour")));
  assert.equal(lines[2]!.sent, 1);
  const quiet = await ethox(["arp", "10.0.0.2", "--nic", "link:", "-q"]);
  assert.equal(quiet.out, `${macFor("the neighbour")}\n`);
});

Deno.test("arp: --count sends exactly that many requests", async () => {
  const [{ status }, lines] = await events(["arp", "10.0.0.2", "--nic", "link:", "-c", "4", "-i", "5ms"]);
  assert.equal(status, 0);
  assert.deepEqual(lines.at(-1), { event: "statistics", sent: 4, answers: 4 });
});

Deno.test("serve: the neighbour's pings are answered and counted, and --count ends it", async () => {
  const [{ status, err }, lines] = await events(["serve", "ping", "--nic", "link:", "--count", "1"]);
  assert.equal(status, 0);
  assert.equal(err, "");
  assert.deepEqual(lines.map(({ event }) => event), ["ready", "summary"]);
  assert.deepEqual(lines[0]!.services, ["ping"]);
  const { packets, drops } = lines[1] as { packets: Record<string, Record<string, number>>; drops: unknown };
  assert.equal(packets.icmp!.answered, 1);
  assert.equal(packets.arp!.requests, 1);
  assert.deepEqual(drops, {});
});

Deno.test("serve: an interruption ends it with a summary and status 0", async () => {
  const { status, out } = await ethox(["serve", "--nic", "link:"], {
    onOut: (out, interrupt) => {
      if (out.includes("Ctrl-C stops")) interrupt();
    },
  });
  assert.equal(status, 0);
  assert.match(out, /frames in .*\n(.*\n)*nothing was dropped\n$/);
});

Deno.test("serve: --verbose shows every packet, as lines or as events; --quiet shows nothing", async () => {
  const args = ["serve", "--nic", "link:", "-c", "1"];
  const { out } = await ethox([...args, "-v"]);
  assert.match(out, /\d\d:\d\d:\d\d\.\d{6} in {2}ARP who has 10\.0\.0\.1\? tell 10\.0\.0\.2\n/);
  assert.match(out, /out 10\.0\.0\.1 > 10\.0\.0\.2: ICMP echo reply, id 1, seq 1, length 64\n/);
  const [, lines] = await events([...args, "-v"]);
  const packets = lines.filter(({ event }) => event === "packet");
  const announcement = "ARP who has 10.0.0.1? tell 10.0.0.1";
  const others = packets.filter(({ summary }) => summary !== announcement);
  assert.equal(packets.length - others.length, 1);
  assert.deepEqual(others.map(({ direction }) => direction), ["in", "out", "in", "out"]);
  assert.match(String(packets[0]!.time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  assert.equal((await ethox([...args, "-q"])).out, "");
});

Deno.test("serve: the ready event is the first, whatever packets --verbose shows", async () => {
  const [, lines] = await events(["serve", "--nic", "link:", "-c", "1", "-v"]);
  const kinds = lines.map(({ event }) => event);
  assert.deepEqual([kinds[0], kinds[1], kinds.at(-1)], ["ready", "packet", "summary"]);
});

Deno.test("serve: the ready event is the first where addresses are looked for, and what was before it follows", async () => {
  const args = ["serve", "--nic", "link:", "-v", "--detect-conflicts", "-c", "1"];
  const [{ status }, lines] = await events(args);
  assert.equal(status, 0);
  assert.equal(lines[0]!.event, "ready");
  assert.ok(lines.some(({ summary }) => summary === "ARP who has 10.0.0.1? tell 0.0.0.0"));
});

Deno.test("serve: packets are shown, and not kept, where it ends before it is ready", async () => {
  const args = ["serve", "--nic", "link:", "-v", "--detect-conflicts", "-d", "1500ms"];
  const [, lines] = await events(args);
  assert.deepEqual([...new Set(lines.map(({ event }) => event))], ["packet", "summary"]);
});

Deno.test("ping, traceroute, arp: what ends before it has begun has no statistics, and says so", async () => {
  const chosen = ["10.0.0.9", "--nic", "link:", "--addr", "link-local", "--json"];
  const named = ["box.example", "--nic", "link:", "--dns", "10.0.0.9", "--json"];
  for (
    const args of [["ping", ...chosen], ["traceroute", ...chosen], ["arp", ...chosen], ["ping", ...named]]
  ) {
    const late = await ethox([...args, "--duration", "20ms"]);
    assert.equal(late.out, "");
    assert.equal(late.status, 1);
    assertComplaint(late, /--duration: the time was over/);
  }
  const stop = new AbortController();
  let err = "";
  const io = { out: () => {}, err: (text: string) => err += text, colors: false, interrupt: stop.signal };
  const run = main(["ping", ...named], io);
  setTimeout(() => stop.abort(), 20);
  assert.equal(await run, 130);
  assert.equal(err, "ethox: interrupted\n");
});

Deno.test("serve: several addresses and a MAC of one's own are taken", async () => {
  const args = ["serve", "--nic", "link:", "--mac", "02:00:00:00:00:07", "--duration", "20ms"];
  const [{ status }, lines] = await events([...args, "--addr", "10.0.0.1/24", "--addr", "192.0.2.1/31"]);
  assert.equal(status, 0);
  assert.equal(lines[0]!.mac, "02:00:00:00:00:07");
  assert.deepEqual(lines[0]!.addresses, ["10.0.0.1/24", "192.0.2.1/31"]);
});

Deno.test("dump: frames are shown and not answered, so the neighbour asks again", async () => {
  const [{ status }, lines] = await events(["dump", "--nic", "link:", "--count", "2", "--verbose"]);
  assert.equal(status, 0);
  assert.deepEqual(lines.map(({ event }) => event), ["ready", "packet", "packet", "summary"]);
  for (const packet of lines.slice(1, 3)) {
    assert.equal(packet.summary, "ARP who has 10.0.0.1? tell 10.0.0.2");
    assert.equal(packet.direction, "in");
    assert.ok(Array.isArray(packet.fields) && packet.fields.length > 2);
  }
});

Deno.test("mac: an address made of a name is local, unicast, and the same for the same name", () => {
  const [one, two] = [macFor("tap:tap0"), macFor("tap:tap1")];
  assert.ok(one.isLocal && one.isUnicast);
  assert.equal(String(one), String(macFor("tap:tap0")));
  assert.notEqual(String(one), String(two));
});

Deno.test("ping: duplicates are marked and counted, and are no more replies than there were requests", async () => {
  const { status, out } = await ethox([
    ..."ping 10.0.0.2 --nic link: -c 3 -i 20ms -W 10s --fault in.dup=100%,seed=1".split(" "),
  ]);
  assert.equal(status, 0);
  assert.match(out, /icmp_seq=1 ttl=64 time=[\d.]+ ms \(DUP!\)\n/);
  assert.match(out, /3 packets transmitted, 3 received, \+[23] duplicates, 0% packet loss/);
});

Deno.test("traceroute: the neighbour in memory is one hop away, whatever the probes are", async () => {
  for (const options of [[], ["-I"], ["-T"]]) {
    const [{ status }, lines] = await events(["traceroute", "10.0.0.2", "--nic", "link:", ...options]);
    assert.equal(status, 0);
    const [hop, ...more] = lines.filter(({ event }) => event === "hop");
    assert.deepEqual(more, []);
    assert.match(
      JSON.stringify(hop),
      /^{"event":"hop","hop":1,"probes":\[({"address":"10\.0\.0\.2",.*"reached":true},?){3}\]}$/,
    );
    assert.equal(lines.at(-1)!.reached, true);
  }
  const { status, out } = await ethox(["traceroute", "10.0.0.2", "--nic", "link:", "--mtu"]);
  assert.equal(status, 0);
  assert.match(
    out,
    /^traceroute to 10\.0\.0\.2, 30 hops max, 1500 byte packets\n 1 {2}10\.0\.0\.2( {2}[\d.]+ ms){3}\n/,
  );
  assert.match(out, /\nthe path takes packets of 1500 bytes\n$/);
});

Deno.test("arp: an address of its own that it chooses leads to hosts on the link", async () => {
  const args = ["arp", "169.254.7.7", "--nic", "link:", "--addr", "link-local", "--duration", "20ms"];
  const { status, err } = await ethox(args);
  assert.equal(status, 1, err);
  assert.doesNotMatch(err, /on no subnet/);
});
