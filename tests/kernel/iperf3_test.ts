/** `ethox iperf3` with Debian's iperf3 on the kernel's side, in both roles. */
import assert from "node:assert/strict";
import { findProgram } from "../../scripts/setup/programs.ts";
import { KERNEL6, OWN6, PREFIX6, raw, speakIpv6, tap } from "../support/cables.ts";
import { assertComplaint, ethox, events } from "../support/command.ts";
import { Server, source } from "../support/ethox.ts";
import { APPLIANCE, KERNEL, makeCable, nicTest, peer, peerTest, PREFIX } from "../support/peer.ts";

const NEEDS = ["iperf3", "ip"];
const ADDR = ["--addr", `${APPLIANCE}${PREFIX}`, "--addr", `${OWN6}${PREFIX6}`];

/** What one side has counted, as iperf3's own JSON tells it. */
interface Sum {
  readonly bytes: number;
  readonly seconds: number;
  readonly sender?: boolean;
  readonly packets?: number;
  readonly lost_packets?: number;
  readonly retransmits?: number;
}

/** What iperf3 -J says. */
interface Report {
  readonly error?: string;
  readonly end: Readonly<Record<string, Sum>> & { readonly streams: readonly unknown[] };
}

/** Makes the cable, with both families on the kernel's end. */
async function cable(): Promise<readonly string[]> {
  const nic = await makeCable();
  await speakIpv6();
  return ["--nic", nic, ...ADDR];
}

/** Runs the kernel's client against our server and answers with its report. */
async function client(host: string, ...args: string[]): Promise<Report> {
  const { code, stdout, stderr } = await peer("iperf3", ["-c", host, "-J", ...args]);
  const report: Report = JSON.parse(stdout);
  assert.equal(code, 0, `${report.error} ${stderr}`);
  assert.equal(report.error, undefined);
  return report;
}

/** Stops our server, which has had so many tests, all of which went well. */
async function stop(server: Server, answered: number): Promise<void> {
  server.signal("SIGTERM");
  const { code, stderr, last } = await server.ended();
  assert.deepEqual([code, stderr], [0, ""]);
  assert.ok(last !== undefined && "tests" in last);
  assert.deepEqual(last.tests, { answered, failed: 0, busy: 0, strangers: 0 });
}

nicTest(
  "iperf3: the kernel's client measures our server, up and down, alone and in four",
  NEEDS,
  source,
  async () => {
    await using server = await Server.spawn(source, "iperf3", "-s", ...await cable(), "--json");
    const up = await client(APPLIANCE, "-t", "1");
    assert.ok(up.end["sum_received"]!.bytes > 1e6, JSON.stringify(up.end["sum_received"]));
    const down = await client(APPLIANCE, "-n", "5M", "-R", "-P", "4");
    assert.equal(down.end.streams.length, 4);
    assert.ok(down.end["sum_received"]!.bytes >= 5 << 20);
    assert.ok(down.end["sum_sent"]!.bytes >= down.end["sum_received"]!.bytes);
    assert.equal(typeof down.end["sum_sent"]!.retransmits, "number");
    const six = await client(OWN6, "-n", "5M", "-R");
    assert.ok(six.end["sum_received"]!.bytes >= 5 << 20);
    const both = await client(APPLIANCE, "-t", "1", "--bidir", "-b", "20M");
    assert.ok(both.end["sum_received"]!.bytes > 0 && both.end["sum_received_bidir_reverse"]!.bytes > 0);
    await stop(server, 4);
  },
  [tap, raw],
);

peerTest(
  "iperf3: the kernel's client sends our server datagrams, and takes ours, over both families",
  NEEDS,
  source,
  async () => {
    await using server = await Server.spawn(source, "iperf3", "-s", ...await cable(), "--json");
    for (const host of [APPLIANCE, OWN6]) {
      for (const more of [[], ["-R"], ["-l", "4000", "-P", "2"]]) {
        const { end } = await client(host, "-u", "-b", "5M", "-n", "150K", ...more);
        const { packets = 0, lost_packets: lost = 0 } = end["sum"]!;
        assert.ok(packets >= 35 && lost <= packets / 4, JSON.stringify(end["sum"]));
      }
    }
    await stop(server, 6);
  },
);

peerTest(
  "iperf3: a second client of the kernel's is told that our server is busy, and a stopped server ends the first",
  NEEDS,
  source,
  async () => {
    await using server = await Server.spawn(source, "iperf3", "-s", ...await cable(), "--json");
    const first = peer("iperf3", ["-c", APPLIANCE, "-t", "60", "-b", "1M", "-J"]);
    await server.told("a test", ({ event }) => event === "begin");
    const second = await peer("iperf3", ["-c", APPLIANCE, "-t", "1"]);
    assert.match(second.stderr, /the server is busy running a test/);
    server.signal("SIGINT");
    assert.match((await first).stdout, /the server has terminated/);
    const { code, last } = await server.ended();
    assert.equal(code, 0);
    assert.ok(last !== undefined && "tests" in last);
    assert.deepEqual(last.tests, { answered: 0, failed: 1, busy: 1, strangers: 0 });
  },
);

/** Runs `body` while the kernel's server runs. */
async function serving(body: () => Promise<void>): Promise<void> {
  const server = new Deno.Command(findProgram("iperf3") ?? "iperf3", {
    args: ["-s", "--forceflush"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = server.stdout.getReader();
  const decoder = new TextDecoder();
  for (let text = ""; !text.includes("Server listening");) {
    const { done, value } = await reader.read();
    assert.ok(!done, `iperf3 -s has ended: ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  // Nobody reads what it says of tests, so it must not be left to fill the pipe.
  const rest = (async () => {
    while (!(await reader.read()).done);
  })();
  try {
    await body();
  } finally {
    server.kill("SIGKILL");
    await rest;
    await server.status;
  }
}

/** The results of a run of our client. */
interface End {
  readonly event: string;
  readonly sent: { readonly bytes: number };
  readonly received: { readonly bytes: number };
  readonly streams: readonly {
    readonly sent: { readonly retransmits?: number; readonly packets?: number };
    readonly received: { readonly packets?: number; readonly lost?: number };
  }[];
}

/** Runs our client against the kernel's server and answers with its results. */
async function measure(host: string, nic: readonly string[], ...args: string[]): Promise<End> {
  const [{ status, err }, lines] = await events(["iperf3", "-c", host, ...nic, ...args]);
  assert.deepEqual([status, err], [0, ""]);
  assert.equal(lines[0]!["event"], "ready");
  const end = lines.find(({ event }) => event === "end");
  assert.ok(isEnd(end));
  return end;
}

function isEnd(event: unknown): event is End {
  return typeof event === "object" && event !== null && "streams" in event;
}

nicTest(
  "iperf3: our client measures the kernel's server, up and down, alone and in four",
  NEEDS,
  undefined,
  async () => {
    const nic = await cable();
    await serving(async () => {
      const up = await measure(KERNEL, nic, "-t", "1");
      assert.ok(up.received.bytes > 1e6 && up.sent.bytes >= up.received.bytes, JSON.stringify(up));
      assert.equal(typeof up.streams[0]!.sent.retransmits, "number");
      const four = await measure(KERNEL6, nic, "-n", "8M", "-P", "4");
      // What the server's kernel has and iperf3 has not read at the end, it does not count.
      assert.deepEqual([four.streams.length, four.sent.bytes], [4, 8 << 20]);
      assert.ok(four.received.bytes > 0 && four.received.bytes <= 8 << 20);
      const down = await measure(KERNEL, nic, "-n", "8M", "-R", "-P", "2");
      assert.ok(down.received.bytes >= 8 << 20);
      const both = await measure(KERNEL, nic, "-t", "1", "--bidir", "-b", "20M");
      assert.equal(both.streams.length, 2);
    });
  },
  [tap, raw],
);

peerTest(
  "iperf3: our client sends the kernel's server datagrams, and takes its, over both families",
  NEEDS,
  undefined,
  async () => {
    const nic = await cable();
    await serving(async () => {
      for (const host of [KERNEL, KERNEL6]) {
        const up = await measure(host, nic, "-u", "-b", "5M", "-k", "100", "-P", "2");
        const [first, second] = up.streams;
        assert.deepEqual([first!.sent.packets, second!.sent.packets], [50, 50]);
        assert.ok(up.received.bytes > 0 && up.received.bytes <= up.sent.bytes, JSON.stringify(up));
        const down = await measure(host, nic, "-u", "-b", "5M", "-n", "100K", "-R", "-l", "4000");
        const { packets = 0, lost = 0 } = down.streams[0]!.received;
        assert.ok(packets >= 25 && lost <= packets / 4, JSON.stringify(down));
      }
    });
  },
);

peerTest(
  "iperf3: with a packet in a hundred lost, all arrives, and what was sent again is counted",
  NEEDS,
  undefined,
  async () => {
    const nic = await cable();
    await serving(async () => {
      const { sent, received, streams } = await measure(KERNEL, nic, "-n", "4M", "--fault", "loss=1%,seed=7");
      // The test ends when all has been acknowledged.
      assert.equal(sent.bytes, 4 << 20);
      assert.ok(received.bytes > 0 && received.bytes <= 4 << 20);
      assert.ok(streams[0]!.sent.retransmits! > 0);
    });
  },
);

peerTest(
  "iperf3: our client's lines are iperf3's, and an interrupt ends the test and is told the server",
  NEEDS,
  undefined,
  async () => {
    const nic = await cable();
    await serving(async () => {
      const run = await ethox(["iperf3", "-c", KERNEL, ...nic, "-t", "60", "-i", "200ms", "-b", "1M"], {
        onOut: (out, interrupt) => {
          if (out.includes(" Mbits/sec")) interrupt();
        },
      });
      assert.equal(run.status, 130);
      assertComplaint(run, /interrupted/);
      assert.match(
        run.out,
        /^Connecting to host 10\.0\.0\.2, port 5201\n(?:fe80.*\n)*\[ {2}1\] local 10\.0\.0\.1 port \d+ connected to/,
      );
      assert.match(
        run.out,
        /\n\[ ID\] Interval {11}Transfer {5}Bitrate {9}Retr {2}Cwnd\n\[ {2}1\] {3}0\.00-0\.2/,
      );
      // The server is free again.
      const next = await ethox(["iperf3", "-c", KERNEL, ...nic, "-n", "100K"]);
      assert.equal(next.status, 0);
      assert.match(next.out, /sender\n.*receiver\n\niperf Done\.\n$/);
    });
  },
);

peerTest(
  "iperf3: where there is no server it is said what to do, with status 1",
  ["ip"],
  undefined,
  async () => {
    const nic = await cable();
    const run = await ethox(["iperf3", "-c", KERNEL, ...nic]);
    assertComplaint(
      run,
      /no connection to 10\.0\.0\.2 port 5201: connection refused; is a server running there/,
    );
    assert.equal(run.status, 1);
    const absent = await ethox(["iperf3", "-c", "10.0.0.9", ...nic]);
    assertComplaint(absent, /no connection to 10\.0\.0\.9 port 5201: nobody answers there/);
    assert.equal(absent.status, 1);
  },
);
