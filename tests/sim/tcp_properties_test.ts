/** Transfers under every mix of faults: the properties that make TCP what it is. */
import { ok } from "node:assert/strict";
import { seconds } from "../../mod.ts";
import { check, fc } from "../support/property.ts";
import { anyScenario, runScenario } from "../support/tcp-scenario.ts";

Deno.test("tcp: whatever the network and the users do, all bytes arrive in order, in time, and nothing is left", () => {
  check(fc.property(anyScenario, (scenario) => void runScenario(scenario)), { runs: 2_000 });
});

Deno.test("tcp: a rate that was measured over timeouts does not hold up what a timeout sends again", () => {
  // Found by `deno task sim`: the first sample was a few bytes in seconds, and so became the rate.
  runScenario({
    "seed": 143439916,
    "loss": 0.16,
    "duplicate": 0.001,
    "reorder": 0.002,
    "corrupt": 0.022,
    "delay": 1000,
    "jitter": 0,
    "rate": 0,
    "queue": 3,
    "mark": -1,
    "mtu": 576,
    "sack": [true, true],
    "timestamps": [true, true],
    "windowScale": [true, true],
    "supers": [true, true],
    "ecn": false,
    "congestion": "bbr",
    "noDelay": false,
    "client": {
      "bytes": 2097,
      "sendBuffer": 4096,
      "receiveBuffer": 4096,
      "writeChunk": 0,
      "writePause": 1000,
      "readChunk": 0,
      "readPause": 1000,
      "closesLast": false,
    },
    "server": {
      "bytes": 763,
      "sendBuffer": 4096,
      "receiveBuffer": 4096,
      "writeChunk": 0,
      "writePause": 1000,
      "readChunk": 0,
      "readPause": 1000,
      "closesLast": false,
    },
  });
});

Deno.test("tcp: without SACK a short queue does not make BBR live by timeouts: CUBIC stands in for it", () => {
  runScenario({
    "seed": -2067906941,
    "loss": 0.002,
    "duplicate": 0,
    "reorder": 0.156,
    "corrupt": 0,
    "delay": 50,
    "jitter": 0,
    "rate": 10000000,
    "queue": 3,
    "mark": -1,
    "mtu": 1500,
    "sack": [true, false],
    "timestamps": [true, false],
    "windowScale": [true, true],
    "supers": [false, false],
    "ecn": false,
    "congestion": "bbr",
    "noDelay": false,
    "client": {
      "bytes": 143417,
      "sendBuffer": 65536,
      "receiveBuffer": 65536,
      "writeChunk": 0,
      "writePause": 1000,
      "readChunk": 0,
      "readPause": 1000,
      "closesLast": false,
    },
    "server": {
      "bytes": 54021,
      "sendBuffer": 65536,
      "receiveBuffer": 65536,
      "writeChunk": 0,
      "writePause": 1000,
      "readChunk": 30000,
      "readPause": 1000,
      "closesLast": false,
    },
  });
});

Deno.test("tcp: a lost FIN is sent again though its peer probes an idle connection all the time", () => {
  // Found by `deno task sim`: each answer to a keepalive put the tail loss probe off (RFC 8985 7.2).
  const side = {
    sendBuffer: 65_536,
    writeChunk: 0,
    writePause: 1_000,
    readChunk: 0,
    readPause: 1_000,
  };
  const { closedAt } = runScenario({
    seed: 0,
    loss: 0,
    duplicate: 0,
    reorder: 0,
    corrupt: 0,
    delay: 50,
    jitter: 0,
    rate: 200_000,
    queue: 10,
    mark: -1,
    mtu: 1_500,
    sack: [true, true],
    timestamps: [true, true],
    windowScale: [true, true],
    supers: [true, true],
    ecn: false,
    congestion: "cubic",
    noDelay: false,
    keepAlive: true,
    client: { ...side, bytes: 10_506, receiveBuffer: 65_536, closesLast: false },
    server: { ...side, bytes: 14_600, receiveBuffer: 4_096, closesLast: true },
  });
  ok(closedAt < seconds(5), `closed at ${closedAt} us`);
});
