/**
 * Address resolution: RFC 826, RFC 1122 2.3.2, RFC 5227.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { NEVER, seconds } from "../../stack/store/time.ts";
import { Address } from "../../stack/wire/address.ts";
import { Operation } from "../../stack/wire/arp.ts";
import { EtherType } from "../../stack/wire/ethernet.ts";
import { Mac } from "../../stack/wire/mac.ts";
import {
  arp,
  arpFrame,
  arpReply,
  BROADCAST_MAC,
  concat,
  data,
  echoRequest,
  ethernet,
  expectFrame,
  OWN,
  OWN_MAC,
  PEER,
  PEER_MAC,
  read,
} from "../support/frames.ts";
import { type Host, host } from "../support/host.ts";
import { check, fc } from "../support/property.ts";
import { deliver } from "./ledger.ts";

/** The station that the host would send to for an address. */
function station({ ip, nic }: Host, address: string): string | undefined {
  const found = [...ip.neighbours.entries(nic.now())].find((entry) => entry.address.toString() === address);
  return found?.mac?.toString();
}

Deno.test("arp: a reply swaps the two ends and fills in what was asked for (RFC 826)", () => {
  const made = host({ knowsPeer: false, ip: { addresses: ["10.0.0.1/24", "10.0.0.9/24"] } });
  const { sent } = deliver(made, arpFrame({ target: "10.0.0.9" }));
  expectFrame(sent[0], {
    destination: PEER_MAC,
    source: OWN_MAC,
    etherType: EtherType.Arp,
    arp: {
      operation: Operation.Reply,
      senderMac: OWN_MAC,
      sender: "10.0.0.9",
      targetMac: PEER_MAC,
      target: PEER,
    },
  });
  equal(sent[0]?.slice(14, 20).toHex(), "000108000604", "Ethernet, IPv4, lengths 6 and 4");
});

Deno.test("arp: only requests are answered (RFC 826)", () => {
  const made = host();
  deepEqual(deliver(made, arpReply()).sent, []);
  for (const operation of [0, 3, 4, 8, 9, 0xffff]) {
    const { outcome, sent } = deliver(made, arpFrame({ operation }));
    equal(outcome, "arp.malformed");
    deepEqual(sent, []);
  }
});

Deno.test("arp: a unicast request is answered like a broadcast one (RFC 1122 2.3.2.1)", () => {
  const { sent } = deliver(host(), arpFrame({}, { destination: OWN_MAC }));
  expectFrame(sent[0], { arp: { operation: Operation.Reply, sender: OWN } });
});

Deno.test("arp: the sender is merged before the request is looked at, so a known host that moves is followed (RFC 826)", () => {
  const made = host({ knowsPeer: false });
  deliver(made, arpFrame());
  equal(station(made, PEER), PEER_MAC);
  const moved = "02:00:00:00:00:99";
  deliver(made, arpFrame({ target: PEER, senderMac: moved }));
  equal(station(made, PEER), moved, "a gratuitous request announces it (RFC 5227 3)");
});

Deno.test("arp: hosts that are not known are learnt only when they ask for us (RFC 826)", () => {
  const made = host({ knowsPeer: false });
  for (let n = 2; n < 250; n++) deliver(made, arpFrame({ sender: `10.0.0.${n}`, target: "10.0.0.251" }));
  equal(made.ip.neighbours.size, 0, "a flood of others' requests fills no cache");
});

Deno.test("arp: a probe is answered to the prober, and nothing is learnt from 0.0.0.0 (RFC 5227 2.1.1)", () => {
  const made = host({ knowsPeer: false });
  const { sent } = deliver(made, arpFrame({ sender: "0.0.0.0" }));
  expectFrame(sent[0], { destination: PEER_MAC, arp: { operation: Operation.Reply, sender: OWN } });
  equal(made.ip.neighbours.size, 0);
});

Deno.test("arp: somebody who claims our address changes nothing and is counted (RFC 5227 2.4)", () => {
  const made = host();
  for (
    const frame of [
      arpFrame({ sender: OWN, target: OWN }),
      arpReply({ sender: OWN }),
      arpFrame({ sender: OWN }),
    ]
  ) {
    deepEqual(deliver(made, frame).sent, []);
  }
  equal(made.ip.arp.counters.badSender, 3);
  equal(station(made, OWN), undefined);
});

Deno.test("arp: a packet waits for its neighbour: one request a second at most, however much is sent (RFC 1122 2.3.2.1)", () => {
  const made = host({ knowsPeer: false });
  const requests: number[] = [];
  for (let now = 0; now < seconds(2.9); now += 10_000) {
    made.at(now);
    deliver(made, echoRequest());
    for (const frame of made.transmit()) {
      expectFrame(frame, { destination: BROADCAST_MAC, arp: { operation: Operation.Request, target: PEER } });
      requests.push(now);
    }
  }
  deepEqual(requests, [0, seconds(1), seconds(2)]);
  equal(made.ip.neighbours.waiting.counters.waited, 290, "the latest packets wait (RFC 1122 2.3.2.2)");
  made.deliver(arpReply());
  equal(made.transmit().length, 64);
});

Deno.test("arp: an entry whose host is silent and gone is polled by unicast, then forgotten (RFC 1122 2.3.2.1)", () => {
  const made = host({ knowsPeer: false });
  deliver(made, arpFrame());
  const polls: number[] = [];
  for (let now = seconds(60); now < seconds(68); now += 500_000) {
    equal(deliver(made.at(now), echoRequest()).sent.length, 1, "it goes on to be used meanwhile");
    for (const frame of made.transmit()) {
      expectFrame(frame, { destination: PEER_MAC, arp: { operation: Operation.Request, target: PEER } });
      polls.push(now);
    }
  }
  deepEqual(polls, [seconds(65), seconds(66), seconds(67)]);
  made.at(seconds(68)).transmit();
  deepEqual(deliver(made, echoRequest()).sent, []);
  expectFrame(made.transmit()[0], { destination: BROADCAST_MAC, arp: { target: PEER } });
});

Deno.test("arp: an entry in use is confirmed by a unicast poll before it lapses (RFC 1122 2.3.2.1 (2))", () => {
  const made = host({ knowsPeer: false });
  deliver(made, arpFrame());
  for (let second = 1; second < 300; second++) {
    const { outcome } = deliver(made.at(seconds(second)), echoRequest());
    equal(outcome, "icmp end.answered", `second ${second}`);
    for (const frame of made.transmit()) {
      expectFrame(frame, { destination: PEER_MAC, arp: { operation: Operation.Request, target: PEER } });
      deliver(made, arpReply());
    }
  }
});

Deno.test("arp: padding behind the packet is ignored, whatever it holds (RFC 894)", () => {
  const frame = ethernet(concat(arp(), data(18, 100)), {
    destination: BROADCAST_MAC,
    etherType: EtherType.Arp,
  });
  equal(deliver(host(), frame).sent[0]?.length, 42);
});

Deno.test("arp: random packets: no exception, one counter each, no answer but a reply to one station", () => {
  const addresses = fc.constantFrom(
    OWN,
    PEER,
    "0.0.0.0",
    "255.255.255.255",
    "10.0.0.255",
    "224.0.0.1",
    "8.8.8.8",
  );
  const macs = fc.constantFrom(OWN_MAC, PEER_MAC, BROADCAST_MAC, "01:00:5e:00:00:01", "00:00:00:00:00:00");
  const packet = fc.record({
    operation: fc.integer({ min: 0, max: 4 }),
    senderMac: macs,
    sender: addresses,
    targetMac: macs,
    target: addresses,
  });
  const hits = fc.array(fc.tuple(fc.nat(27), fc.nat(255)), { maxLength: 2 });
  const made = host();
  let now = 0;
  check(
    fc.property(packet, hits, fc.constantFrom(OWN_MAC, BROADCAST_MAC), (fields, damage, destination) => {
      const bytes = arp(fields);
      for (const [at, value] of damage) bytes[at] = value;
      const { outcome, sent } = deliver(
        made.at(now += 100_000),
        ethernet(bytes, { destination, etherType: EtherType.Arp }),
      );
      ok(outcome.startsWith("arp."));
      for (const frame of sent) {
        const answer = read(frame);
        equal(answer.arp?.operation, Operation.Reply);
        equal(answer.arp?.sender, OWN);
        ok(Mac.parse(answer.destination).isUnicast, "no answer goes to a group");
      }
      made.transmit();
      ok(made.deadline > now || made.deadline === NEVER);
      equal(station(made, OWN), undefined, "nobody takes our address");
    }),
    { runs: 2_000 },
  );
  ok(
    made.ip.neighbours.lookup(Address.parse(PEER), now, new Mac()) === 0,
    "and the static entry is as it was",
  );
});
