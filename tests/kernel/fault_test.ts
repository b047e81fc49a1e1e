/** `serve udp-echo --fault ... --pcap ...` on a TAP: it loses and doubles as told, and writes down all of it. */
import assert from "node:assert/strict";
import { Appliance } from "../../apps/appliance.ts";
import { parseService, startServices } from "../../apps/services/registry.ts";
import { Cidr, External, Mac, type PcapPacket, readPcap, replay } from "../../mod.ts";
import { type Server, source } from "../support/ethox.ts";
import { isAnnouncement } from "../support/pcap.ts";
import { APPLIANCE, assertAnswered, peer, peerTest, PREFIX, serve } from "../support/peer.ts";

/** A server, and where its capture goes. */
async function captured(body: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "ethox-fault-" });
  try {
    await body(`${directory}/out.pcapng`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** What came of some datagrams. */
interface Load {
  /** Datagrams sent. */
  readonly sent: number;
  /** Datagrams of which any answer came. */
  readonly answered: number;
  /** Answers, copies included. */
  readonly answers: number;
  /** Answers that are not what was sent. */
  readonly wrong: number;
}

/** Sends numbered datagrams, no more than 64 before one of their answers, and counts what comes back. */
async function load(count: number, port = 7): Promise<Load> {
  const script = `
import json, select, socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
s.connect(("${APPLIANCE}", ${port}))
seen, answers, wrong, newest = {}, 0, 0, -1
def take(wait):
  global answers, wrong, newest
  if not select.select([s], [], [], wait)[0]: return False
  data = s.recv(2000)
  answers += 1
  if data[8:] != b"x" * 100: wrong += 1
  number = int(data[:8])
  seen[number] = True
  newest = max(newest, number)
  return True
for number in range(${count}):
  s.send(b"%08d" % number + b"x" * 100)
  while take(0): pass
  while number - newest > 64 and take(5): pass
while len(seen) < ${count} and take(2): pass
while take(0.2): pass
print(json.dumps({"sent": ${count}, "answered": len(seen), "answers": answers, "wrong": wrong}))
`;
  const { code, stdout, stderr } = await peer("python3", ["-c", script]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** Asserts that `value` is as likely as not for so many draws, each with this chance: within six standard deviations. */
function assertBinomial(what: string, value: number, draws: number, chance: number): void {
  const mean = draws * chance, margin = 6 * Math.sqrt(draws * chance * (1 - chance));
  const range = `${(mean - margin).toFixed(0)} to ${(mean + margin).toFixed(0)}`;
  assert.ok(Math.abs(value - mean) <= margin, `${what}: ${value}, where ${range} was to be expected`);
}

/** What tshark and its expert complain of. */
async function complaints(path: string): Promise<string[]> {
  const { code, stdout, stderr } = await peer("tshark", ["-n", "-r", path, "-q", "-z", "expert,note"]);
  assert.equal(code, 0, stderr);
  const said = stderr.split("\n").filter((line) => !/^$|^Running as user/.test(line));
  return [...said, ...stdout.split("\n").filter((line) => /^(Errors|Warns|Notes) /.test(line))];
}

/** What a fresh host of the same name sends when it receives the same packets. */
function replayed(packets: readonly PcapPacket[], mac: string): Uint8Array[] {
  const nic = new External();
  const addresses = [Cidr.parse(`${APPLIANCE}${PREFIX}`)];
  const host = new Appliance({ nic, mac: Mac.parse(mac), addresses });
  startServices(host, parseService("udp-echo"));
  return replay(packets, nic, host.answering()).answers.map(({ bytes }) => bytes);
}

/** What was sent because something came. */
function inAnswer(packets: readonly PcapPacket[]): Uint8Array[] {
  return packets.map(({ bytes }) => bytes).filter((bytes) => !isAnnouncement(bytes));
}

const LOSS = 0.1, COPIES = 0.05;

peerTest(
  "fault: loss=10%,dup=5%,seed=7 loses and doubles about as told, both ways; the capture replays to the same answers",
  ["tshark"],
  source,
  () =>
    captured(async (path) => {
      const fault = "loss=10%,dup=5%,seed=7";
      await using server = await serve(source, "udp-echo", "--fault", fault, "--pcap", path);
      const count = 5_000;
      const { sent, answered, answers, wrong } = await load(count);
      const { faults, packets: counted, drops } = await server.stop("SIGINT");
      console.log({ sent, answered, answers, faults });
      assert.equal(wrong, 0);
      assert.deepEqual(drops, {}, "faults are not the layers' drops");

      // A datagram comes back if it gets in, and one of its one or two echoes gets out.
      const back = (1 - LOSS) * ((1 - COPIES) * (1 - LOSS) + COPIES * (1 - LOSS ** 2));
      assertBinomial("datagrams answered", answered, sent, back);
      for (const direction of ["in", "out"]) {
        const { passed = 0, lost = 0, duplicated = 0, ...others } = faults![direction]!;
        assert.deepEqual(others, {}, direction);
        const offered = passed - duplicated + lost;
        assertBinomial(`lost, ${direction}`, lost, offered, LOSS);
        assertBinomial(`doubled, ${direction}`, duplicated, offered - lost, COPIES);
      }
      assert.equal(
        counted["nic"]!["received"],
        offeredTo(faults!["in"]!),
        "what came is what the faults were offered",
      );
      assert.equal(counted["nic"]!["sent"], faults!["out"]!["passed"], "what passed them is what left");

      const packets = [...readPcap(await Deno.readFile(path))];
      const ours = packets.filter(({ direction }) => direction === "out");
      assert.equal(
        packets.length - ours.length,
        faults!["in"]!["passed"],
        "the capture has what reached the host",
      );
      assert.equal(ours.length, offeredTo(faults!["out"]!), "and what the host sent");
      assert.deepEqual(replayed(packets, server.mac), inAnswer(ours));
      assert.deepEqual(await complaints(path), []);
    }),
);

function offeredTo({ passed = 0, lost = 0, duplicated = 0 }: Readonly<Record<string, number>>): number {
  return passed - duplicated + lost;
}

peerTest(
  "fault: nc, socat and hping3 see delay, and each direction has its own faults",
  ["nc", "socat", "hping3", "ping"],
  source,
  async () => {
    await using server = await serve(
      source,
      "udp-echo",
      "--fault",
      "in.delay=30ms,out.delay=20ms,out.dup=100%",
    );
    const pinged = await peer("ping", ["-n", "-c", "3", "-l", "3", "-i", "10", APPLIANCE]);
    assert.match(pinged.stdout, /DUP!/);
    const times = [...pinged.stdout.matchAll(/time=([\d.]+)/g)].map(([, time]) => Number(time));
    assert.ok(times.length >= 5 && times.every((time) => time >= 49), pinged.stdout);
    // The copies are answers like others to programs that do not number what they send.
    const netcat = await peer("sh", ["-c", `echo twice | nc -u -W 2 -w 5 ${APPLIANCE} 7`]);
    assert.equal(netcat.stdout, "twice\ntwice\n");
    const socat = await peer("sh", ["-c", `echo again | socat -t 1 - UDP:${APPLIANCE}:7`]);
    assert.equal(socat.stdout, "again\nagain\n");
    const args = ["-n", "--udp", "-p", "7", "-s", "40000", "-c", "3", "-i", "u100000", "-d", "20", APPLIANCE];
    const hping = await peer("hping3", args);
    const [, round = "0"] = /round-trip min\/avg\/max = ([\d.]+)/.exec(hping.stdout + hping.stderr) ?? [];
    assert.ok(Number(round) >= 45, hping.stdout + hping.stderr);
    const { faults } = await server.stop();
    assert.equal(faults!["in"]!["duplicated"], undefined);
    const { passed = 0 } = faults!["out"]!;
    assert.deepEqual(faults!["out"], { passed, duplicated: passed / 2 });
  },
);

peerTest(
  "fault: flipped bits are found by a checksum, or come back as they came; the capture tells why each was dropped",
  ["tshark"],
  source,
  () =>
    captured(async (path) => {
      await using server = await serve(
        source,
        "udp-echo",
        "--fault",
        "in.corrupt=50%,seed=1",
        "--pcap",
        path,
      );
      const { sent, answered, wrong } = await load(1_000);
      const { drops, faults } = await server.stop();
      assert.equal(wrong, 0, "no flipped bit got through");
      assertBinomial("flipped", faults!["in"]!["corrupted"]!, faults!["in"]!["passed"]!, 0.5);
      assert.ok(answered >= sent / 3 && answered <= sent * 2 / 3, `${answered} of ${sent} came back`);
      const reasons = new Map<string, number>();
      for (const { comment, direction } of readPcap(await Deno.readFile(path))) {
        if (comment === undefined) continue;
        assert.equal(direction, "in");
        reasons.set(comment, (reasons.get(comment) ?? 0) + 1);
      }
      const flipped = [["udp", "wrongChecksum"], ["ip", "wrongChecksum"], ["eth", "notForUs"]] as const;
      for (const [layer, reason] of flipped) {
        assert.equal(
          reasons.get(`dropped: ${layer}.${reason}`),
          drops[layer]?.[reason],
          `${layer}.${reason}`,
        );
      }
      assert.ok(reasons.get("dropped: udp.wrongChecksum")! > 100);
    }),
);

peerTest(
  "pcap: closed ports, pings and ARP are written as they were, with the reasons of drops",
  ["tshark", "ping", "nc"],
  source,
  () =>
    captured(async (path) => {
      await using server = await serve(source, "udp-echo", "--pcap", path);
      await traffic(server);
      await server.stop();
      const packets = [...readPcap(await Deno.readFile(path))];
      const comments = packets.flatMap(({ comment }) => comment ?? []);
      assert.deepEqual(new Set(comments), new Set(["dropped: udp.closedPort"]));
      const ours = packets.filter(({ direction }) => direction === "out");
      assert.deepEqual(replayed(packets, server.mac), inAnswer(ours));
      const shown = await peer("tshark", ["-n", "-r", path, "-T", "fields", "-e", "_ws.col.Protocol"]);
      assert.deepEqual(new Set(shown.stdout.trim().split("\n")), new Set(["ARP", "ICMP", "ECHO", "UDP"]));
      const said = await complaints(path);
      assert.deepEqual(said, [], "tshark's expert has nothing to say about our answers");
    }),
);

async function traffic(server: Server): Promise<void> {
  await assertAnswered(3);
  assert.equal((await load(100)).answered, 100);
  await peer("nc", ["-u", "-z", "-v", "-w", "1", APPLIANCE, "4321"]);
  assert.notEqual(server.mac, "");
}

peerTest(
  "pcap: the file can be read while it is written, a second after at the latest, and when ethox is killed",
  ["ping"],
  source,
  () =>
    captured(async (path) => {
      await using server = await serve(source, "--pcap", path);
      await assertAnswered(3);
      const count = async () => [...readPcap(await Deno.readFile(path))].length;
      // A second, and more on a busy machine.
      for (let tries = 0; await count() < 8; tries++) {
        assert.ok(tries < 100, `${await count()} packets`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const written = await count();
      server.signal("SIGKILL");
      await server.ended();
      assert.ok(await count() >= written);
    }),
);
