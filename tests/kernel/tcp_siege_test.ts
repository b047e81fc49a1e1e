/** TCP services under load, scanned and flooded by the programs that people use for that. */
import assert from "node:assert/strict";
import { findProgram } from "../../scripts/setup/programs.ts";
import { source } from "../support/ethox.ts";
import { APPLIANCE, peer, peerTest, serve } from "../support/peer.ts";

const PAGE = `http://${APPLIANCE}/`;

/** Fetches the page, from a server that must be well. */
async function assertServes(): Promise<void> {
  const { code, stderr } = await peer("curl", ["-sS", "--fail", "--max-time", "20", "-o", "/dev/null", PAGE]);
  assert.equal(code, 0, stderr);
}

/** What a process has of memory, in MiB. */
function resident(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1_024;
}

peerTest(
  "siege: wrk's hundred connections see no error in ten seconds",
  ["wrk", "curl"],
  source,
  async () => {
    await using server = await serve(source, "http");
    const { code, stdout, stderr } = await peer("wrk", [
      "-t",
      "1",
      "-c",
      "100",
      "-d",
      "10",
      "--timeout",
      "20s",
      PAGE,
    ]);
    assert.equal(code, 0, stderr);
    // wrk has a line on errors only if there were some.
    assert.doesNotMatch(stdout, /Socket errors|Non-2xx/);
    const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
    assert.ok(requests >= 100, stdout);
    await assertServes();
    const { packets, drops } = await server.stop();
    assert.ok(packets["http:80"]!["answered"]! > requests, JSON.stringify({ packets, drops }));
    assert.deepEqual(drops["http:80"] ?? {}, {});
  },
);

peerTest(
  "siege: a flood of SYNs for ten seconds costs bounded memory, and the page is there afterwards (RFC 4987 3.6)",
  ["hping3", "curl"],
  source,
  async () => {
    await using server = await serve(source, "http");
    await assertServes();
    const before = resident(server.pid);
    const flood = new Deno.Command(findProgram("hping3")!, {
      args: ["-q", "-S", "--flood", "-p", "80", APPLIANCE],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    flood.kill("SIGINT");
    await flood.status;
    await assertServes();
    const after = resident(server.pid);
    // The buffers of V8's young generation alone may grow by some tens of MiB.
    assert.ok(after - before < 150, `${before} MiB before the flood, ${after} MiB after it`);
    const { packets, drops } = await server.stop();
    assert.ok(packets["eth"]!["received"]! > 2_000, JSON.stringify({ packets, drops }));
    assert.equal(packets["http:80"]?.["answered"], 2);
  },
);

peerTest(
  "siege: nmap tells the open port from the closed one, and the page is there after all its probes",
  ["nmap", "curl"],
  source,
  async () => {
    await using server = await serve(source, "http");
    const scan = ["-n", "-Pn", "-sS", "-sV", "--version-light", "-O", "--max-os-tries", "1", "-T4"];
    const { code, stdout, stderr } = await peer("nmap", [...scan, "-p", "80,81", APPLIANCE]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^80\/tcp open /m);
    assert.match(stdout, /^81\/tcp closed /m);
    await assertServes();
    await server.stop();
  },
);

peerTest(
  "siege: nmap tries all its probes for versions, and none of them has to wait for an answer of the web server",
  ["nmap", "curl"],
  source,
  async () => {
    await using server = await serve(source, "http", "tcp-echo");
    // It waits 5 s or more for each answer that does not come, and has some fifteen probes that are no requests.
    const { code, stdout, stderr } = await peer(
      "nmap",
      ["-n", "-Pn", "-sV", "-p", "7,80", APPLIANCE],
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^7\/tcp +open +echo/m);
    assert.match(stdout, /^80\/tcp +open +http/m);
    await assertServes();
    const { drops } = await server.stop();
    assert.ok(drops["http:80"]!["refused"]! > 10, JSON.stringify(drops["http:80"]));
  },
);
