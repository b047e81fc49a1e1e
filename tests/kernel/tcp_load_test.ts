/** TCP services under load, and under attack. */
import assert from "node:assert/strict";
import { source } from "../support/ethox.ts";
import { APPLIANCE, type Output, peer, peerTest, serve } from "../support/peer.ts";

const PAGE = `http://${APPLIANCE}/`;

async function curl(limit: number, retries = 0): Promise<Output> {
  const retry = ["--retry", String(retries), "--retry-delay", "1", "--retry-all-errors"];
  return await peer("curl", [
    "--fail",
    "--silent",
    "--show-error",
    "--max-time",
    String(limit),
    ...(retries > 0 ? retry : []),
    PAGE,
  ]);
}

/** Floods for `seconds`, and asks for the page meanwhile. */
async function flood(seconds: number, ...args: string[]): Promise<Output> {
  const [, page] = await Promise.all([
    peer("timeout", [
      String(seconds),
      "hping3",
      "--flood",
      "--syn",
      "--destport",
      "80",
      "--quiet",
      ...args,
      APPLIANCE,
    ]),
    // hping3 sends from all ports of curl's own address. A SYN from curl's port whose answer the kernel challenges before
    // curl's first data has got through ends that connection: its cookie says nothing of what was lost.
    new Promise((resolve) => setTimeout(resolve, 500)).then(() => curl(25, 5)),
  ]);
  return page;
}

peerTest(
  "tcp: a flood of SYNs is answered by cookies, and who means well is served meanwhile (RFC 4987 3.6)",
  ["hping3", "curl"],
  source,
  async () => {
    await using server = await serve(source, "http");
    const during = await flood(4);
    assert.equal(during.code, 0, during.stderr);
    const after = await curl(20);
    assert.equal(after.code, 0, after.stderr);
    const { packets } = await server.stop();
    assert.ok(packets["tcp"]!["received"]! > 2_000, "it was a flood");
  },
);

peerTest(
  "tcp: SYNs from hosts that are not there leave room for those that are (RFC 4987 3.6)",
  ["hping3", "curl"],
  source,
  async () => {
    await using server = await serve(source, "http");
    // Forged sources on the own subnet, whose neighbours are asked for in vain.
    const during = await flood(4, "--spoof", "10.0.0.77");
    assert.equal(during.code, 0, during.stderr);
    const after = await curl(20);
    assert.equal(after.code, 0, after.stderr);
    const { packets } = await server.stop();
    assert.ok(packets["tcp"]!["received"]! > 2_000, "it was a flood");
  },
);

peerTest(
  "tcp: nmap finds the open ports, what is behind them, and that it is alive after",
  ["nmap", "curl"],
  source,
  async () => {
    await using server = await serve(source, "tcp-echo", "http");
    const scan = await peer("nmap", ["-n", "-Pn", "-sS", "-p", "1-1024", APPLIANCE]);
    assert.match(scan.stdout, /^7\/tcp +open/m);
    assert.match(scan.stdout, /^80\/tcp +open/m);
    assert.match(scan.stdout, /1022 closed tcp ports \(reset\)/);
    const versions = await peer(
      "nmap",
      [
        "-n",
        "-Pn",
        "-sV",
        "-O",
        "--version-intensity",
        "0",
        "--max-os-tries",
        "1",
        "-p",
        "7,80,81",
        APPLIANCE,
      ],
    );
    assert.match(versions.stdout, /^7\/tcp +open +echo/m);
    assert.match(versions.stdout, /^80\/tcp +open +http/m);
    assert.equal((await curl(20)).code, 0);
    await server.stop();
  },
);

peerTest(
  "tcp: nmap tries all its probes for versions, and none of them has to wait for an answer of the web server",
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
    assert.equal((await curl(20)).code, 0);
    const { drops } = await server.stop();
    assert.ok(drops["http:80"]!["refused"]! > 10, JSON.stringify(drops["http:80"]));
  },
);
