/** `ethox iperf3` as a command, on the wire in memory, where the neighbour is a server. */
import assert from "node:assert/strict";
import { assertComplaint, ethox, events } from "../support/command.ts";

const CLIENT = ["iperf3", "-c", "10.0.0.2", "--nic", "link:"];

Deno.test("iperf3: on the wire in memory it measures itself, and its lines are those of iperf3", async () => {
  const { status, out, err } = await ethox([...CLIENT, "-n", "2M"]);
  assert.deepEqual([status, err], [0, ""]);
  const lines = [
    /^Connecting to host 10\.0\.0\.2, port 5201$/,
    /^\[ {2}1\] local 10\.0\.0\.1 port \d+ connected to 10\.0\.0\.2 port 5201$/,
    /^\[ ID\] Interval {11}Transfer {5}Bitrate {9}Retr {2}Cwnd$/,
    /^\[ {2}1\] {3}0\.00-\d\.\d\d {3}sec {2}2\.00 MBytes .* [GM]bits\/sec +\d+ +[\d.]+ [KM]Bytes$/,
    /^(- )+-$/,
    /^\[ ID\] Interval {11}Transfer {5}Bitrate {9}Retr$/,
    /^\[ {2}1\] .* 2\.00 MBytes .* sender$/,
    /^\[ {2}1\] .* 2\.00 MBytes .* receiver$/,
    /^$/,
    /^iperf Done\.$/,
  ];
  const shown = out.trimEnd().split("\n");
  assert.equal(shown.length, lines.length, out);
  for (const [index, line] of lines.entries()) assert.match(shown[index]!, line);
});

Deno.test("iperf3: --quiet leaves the results, --json writes events, the first of which is ready", async () => {
  const quiet = await ethox([...CLIENT, "-n", "100K", "-q", "-R"]);
  assert.match(quiet.out, /^\[ ID\] [^\n]*\n[^\n]*sender\n[^\n]*receiver\n$/);
  const [run, lines] = await events([...CLIENT, "-u", "-k", "20", "-b", "10M", "-P", "2", "-i", "0"]);
  assert.equal(run.status, 0);
  assert.deepEqual(lines.map(({ event }) => event), ["ready", "connected", "begin", "end", "summary"]);
  const [ready, , begin, end] = lines;
  assert.deepEqual([ready!["host"], ready!["port"]], ["10.0.0.2", 5_201]);
  assert.deepEqual([begin!["protocol"], begin!["length"], begin!["blocks"]], ["udp", 1_448, 20]);
  assert.deepEqual(Object.keys(end!), ["event", "streams", "sent", "received", "own", "peer"]);
});

Deno.test("iperf3: -J is --json, and a length of time may have its unit", async () => {
  const { status, out } = await ethox([...CLIENT, "-t", "100ms", "-i", "50ms", "-J", "-b", "1M", "-l", "1K"]);
  assert.equal(status, 0);
  const told = out.trimEnd().split("\n").map((line): unknown => JSON.parse(line).event);
  assert.equal(told[0], "ready");
  assert.ok(told.includes("interval"), out);
});

Deno.test("iperf3: an interrupt ends a client with status 130, and a server with status 0", async () => {
  const client = await ethox([...CLIENT, "-i", "50ms", "-b", "1M"], {
    onOut: (out, interrupt) => {
      if (out.includes("bits/sec")) interrupt();
    },
  });
  assert.equal(client.status, 130);
  assertComplaint(client, /interrupted/);
  const server = await ethox(["iperf3", "-s", "--nic", "link:"], {
    onOut: (out, interrupt) => {
      if (out.includes("listening")) interrupt();
    },
  });
  assert.deepEqual(server, {
    status: 0,
    out: "Server listening on 5201\ntests 0, failed 0, busy 0, strangers 0\n",
    err: "",
  });
});

Deno.test("iperf3: a port without a server is one line and status 1", async () => {
  const refused = await ethox([...CLIENT, "-p", "81"]);
  assertComplaint(
    refused,
    /no connection to 10\.0\.0\.2 port 81: connection refused; is a server running there/,
  );
  assert.equal(refused.status, 1);
});
