import { deepEqual, equal } from "node:assert/strict";
import type { IpRaw } from "../../../stack/ip/packet.ts";
import { NEVER, seconds } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Operation } from "../../../stack/wire/arp.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import { arpReply, expectFrame, OWN, PEER, PEER_MAC } from "../../support/frames.ts";
import { counted, host } from "../../support/host.ts";

const INIT = { source: new Address(), destination: Address.parse(PEER), protocol: Protocol.Udp, length: 4 };

/** Sends one packet to the peer each time it is asked, if it can. */
function fill(packet: IpRaw): void {
  const out = packet.prepare(INIT);
  if (typeof out !== "number") out.send();
}

Deno.test("ip: the layer's own work goes before the upper layer's, in one burst", () => {
  const made = host({ send: () => fill });
  made.ip.neighbours.lookup(Address.parse("10.0.0.9"), 0, made.eth.mac);
  const frames = made.transmit(2);
  expectFrame(frames[0], { arp: { operation: Operation.Request, target: "10.0.0.9" } });
  expectFrame(frames[1], { ip: { source: OWN, destination: PEER } });
  equal(made.ip.counters.sent, 1);
});

Deno.test("ip: a packet to an unknown neighbour waits: the request goes out, and the packet after its answer", () => {
  const made = host({ knowsPeer: false, send: () => fill });
  expectFrame(made.transmit(1)[0], { arp: { operation: Operation.Request, target: PEER } });
  made.deliver(arpReply());
  expectFrame(made.transmit(1)[0], { destination: PEER_MAC, ip: { destination: PEER } });
  deepEqual(counted(made.ip.counters), { sent: 1, waited: 1 });
});

Deno.test("ip: where the layer's own work turns out to be none, the upper layer gets the buffer all the same", () => {
  // A look-up is given up when its last request has had its time: that is work, but needs no buffer.
  const made = host({ send: () => fill });
  made.ip.neighbours.lookup(Address.parse("10.0.0.9"), 0, made.eth.mac);
  for (const now of [0, seconds(1), seconds(2)]) made.at(now).transmit(1);
  equal(made.deadline, seconds(3));
  expectFrame(made.at(seconds(3)).transmit(1)[0], { ip: { destination: PEER } });
  equal(made.deadline, NEVER);
});

Deno.test("ip: the deadline is the nearer one of the layer's and the upper's", () => {
  let due = 5;
  const made = host({ send: () => ({ send: () => {}, deadline: () => due }) });
  equal(made.deadline, 5);
  due = NEVER;
  equal(made.deadline, NEVER);
  made.at(7).ip.neighbours.lookup(Address.parse("10.0.0.9"), 7, made.eth.mac);
  equal(made.deadline, 7);
});

Deno.test("ip: layerInternal sends ARP and nothing else", () => {
  const made = host();
  deepEqual(made.transmit(), []);
  made.ip.neighbours.lookup(Address.parse("10.0.0.9"), 0, made.eth.mac);
  expectFrame(made.transmit()[0], { arp: { target: "10.0.0.9" } });
});
