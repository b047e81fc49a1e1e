import assert from "node:assert/strict";
import {
  Address,
  Eth,
  Icmp,
  type Instant,
  Ip,
  milliseconds,
  NeighbourState,
  openTap,
  Ping,
  poll,
  seconds,
  type Tap,
} from "../../mod.ts";
import { ETHERNET, SHARED } from "../support/cables.ts";
import { Server, source } from "../support/ethox.ts";
import { run } from "../support/netns.ts";
import {
  APPLIANCE,
  assertAnswered,
  KERNEL,
  makeCable,
  makeTap,
  nicTest,
  peer,
  peerTest,
  pingHost,
  PREFIX,
  scapy,
  serve,
  TAP,
} from "../support/peer.ts";

const MAC = "02:00:00:00:00:01", OTHER = "02:00:00:00:00:99";
const LIFETIME: Instant = seconds(2);

/** A host on the TAP whose neighbours have a short life. */
class Host {
  readonly tap: Tap = openTap(TAP, { create: false });
  readonly eth: Eth = new Eth({ mac: MAC });
  readonly ip: Ip = new Ip({
    addresses: [`${APPLIANCE}${PREFIX}`],
    neighbours: { reachableTime: LIFETIME, delay: milliseconds(200) },
  });
  readonly icmp: Icmp = new Icmp();

  /** Sends pings, and answers with how many came back. */
  async ping(count: number, interval: Instant): Promise<number> {
    const { eth, ip, icmp } = this;
    const stop = new AbortController();
    const destination = Address.parse(KERNEL);
    const ping = new Ping({
      destination,
      identifier: 7,
      count,
      interval,
      timeout: seconds(20),
      onResult: () => {},
    });
    await poll(this.tap, {
      receive: eth.recv(ip.recv(icmp.recv((packet) => void ping.receive(packet)))),
      send: eth.send(ip.send(icmp.send(ping))),
      signal: stop.signal,
      cycle: () => ping.done && stop.abort(),
    });
    return ping.received;
  }

  /** Answers whatever comes, and sends nothing of its own accord. */
  async idle(time: Instant): Promise<void> {
    const { eth, ip, icmp } = this;
    await poll(this.tap, {
      receive: eth.recv(ip.recv(icmp.answer())),
      send: eth.send(ip.layerInternal()),
      signal: AbortSignal.timeout(time / 1_000),
    });
  }

  /** How the kernel stands in the neighbour cache. */
  kernelState(): NeighbourState | undefined {
    return this.ip.neighbours.state(Address.parse(KERNEL), this.tap.now());
  }
}

peerTest(
  "arp: a neighbour in use is confirmed and never lapses; an idle one goes stale (RFC 4861 7.3.3)",
  ["ip"],
  undefined,
  async () => {
    makeTap();
    // The kernel has no question of its own then: every ARP packet is our doing.
    const { code, stderr } = await peer("ip", [
      "neigh",
      "add",
      APPLIANCE,
      "lladdr",
      MAC,
      "nud",
      "permanent",
      "dev",
      TAP,
    ]);
    assert.equal(code, 0, stderr);
    const host = new Host();
    const { counters } = host.ip.arp;
    // Seven seconds: at least two of its reachable times, which are three seconds at most.
    // Linux may drop what it answers right after the cable is put in.
    assert.equal(await host.ping(1, milliseconds(100)), 1);
    const { sent, received } = counters, start = host.tap.now();
    assert.equal(await host.ping(70, milliseconds(100)), 70);
    // The answer to the last may be on its way.
    for (let tries = 0; counters.received < counters.sent && tries < 100; tries++) {
      await host.idle(milliseconds(50));
    }
    const whileUsed = counters.sent - sent, elapsed = (host.tap.now() - start) / seconds(1);
    // A reachable time of one second at least, and the delay before the first request.
    assert.ok(whileUsed >= 2 && whileUsed <= 2 + elapsed / 1.2, `${whileUsed} requests in ${elapsed} s`);
    assert.equal(counters.received - received, whileUsed, "each was answered");
    assert.equal(host.ip.neighbours.counters.lookups, 1, "it was looked up once and confirmed from then on");

    await host.idle(LIFETIME * 1.5);
    assert.equal(host.kernelState(), NeighbourState.Stale);
    assert.equal(counters.sent - sent, whileUsed, "nobody was asked for in vain");

    assert.equal(await host.ping(5, milliseconds(100)), 5);
    for (let tries = 0; counters.received < counters.sent && tries < 100; tries++) {
      await host.idle(milliseconds(50));
    }
    assert.equal(counters.sent - sent, whileUsed + 1, "its use has it confirmed by one request to itself");
    assert.equal(host.kernelState(), NeighbourState.Reachable);
    host.tap.close();
  },
);

nicTest(
  "arp: a kernel that knows another station for our address is told when we start (RFC 5227 2.3)",
  ["ping", "ip"],
  source,
  async () => {
    const nic = await makeCable();
    await run("ip", "neigh", "replace", APPLIANCE, "lladdr", OTHER, "nud", "reachable", "dev", TAP);
    await using server = await Server.start(source, nic, `${APPLIANCE}${PREFIX}`);
    const { received } = await pingHost(APPLIANCE, "-q", "-c", "5", "-i", "0.1", "-W", "2");
    assert.ok(received >= 4, `${received} of 5: without being told it would ask half a minute later`);
    assert.match(await run("ip", "neigh", "show", APPLIANCE, "dev", TAP), new RegExp(server.mac));
    await server.stop();
  },
  // To a TAP it forgets them when the cable is put in.
  SHARED,
);

nicTest(
  "arp: the address is answered for, probes and unicast requests too; others' are not",
  ["arping", "ping"],
  source,
  async () => {
    await using server = await serve(source);
    const arping = async (seconds: number, host: string) => {
      const { stdout } = await peer("arping", [
        "-C",
        "2",
        "-W",
        "0.2",
        "-w",
        String(seconds),
        "-I",
        TAP,
        host,
      ]);
      return stdout.toLowerCase().split(server.mac).length - 1;
    };
    assert.equal(await arping(20, APPLIANCE), 2);
    assert.equal(await arping(1, "10.0.0.9"), 0);
    await assertAnswered(1);
    await server.stop();
  },
  ETHERNET,
);

peerTest(
  "arp: a probe is answered, and nothing is learnt from it (RFC 5227 2.1.1)",
  ["ping", "scapy"],
  source,
  async () => {
    await using server = await serve(source);
    await assertAnswered(1);
    const answers = await scapy(
      server,
      `
probe = lambda target: Ether(dst="ff:ff:ff:ff:ff:ff")/ARP(psrc="0.0.0.0", pdst=target)
direct = Ether(dst=mac)/ARP(psrc=kernel, pdst=own)
frames = exchange(probe(own), probe("10.0.0.9"), direct)
print(json.dumps([[frame.op, frame.psrc, frame.hwsrc, frame.pdst] for frame in frames if ARP in frame]))
`,
    );
    assert.deepEqual(answers, [[2, APPLIANCE, server.mac, "0.0.0.0"], [2, APPLIANCE, server.mac, KERNEL]]);
    await server.stop();
  },
);
