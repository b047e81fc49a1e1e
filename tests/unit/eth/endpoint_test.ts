import { deepEqual, equal, fail, throws } from "node:assert/strict";
import { External } from "../../../nic/external.ts";
import { Eth } from "../../../stack/eth/endpoint.ts";
import type { EthIn } from "../../../stack/eth/packet.ts";
import { NEVER } from "../../../stack/store/time.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { BROADCAST_MAC, data, ethernet, expectFrame, OWN_MAC, PEER_MAC } from "../../support/frames.ts";
import { counted, host } from "../../support/host.ts";

const GROUP = "01:80:c2:00:00:0e";

/** Sends one frame to a station and answers whether it was handed up. */
function takes(eth: Eth, destination: string): boolean {
  const nic = new External();
  let taken = false;
  nic.inject(ethernet(data(46), { destination }));
  nic.rx(1, eth.recv(() => taken = true));
  return taken;
}

Deno.test("eth: a station takes frames to itself and to all, and counts the others as not for it", () => {
  const eth = new Eth({ mac: OWN_MAC });
  equal(takes(eth, OWN_MAC), true);
  equal(takes(eth, BROADCAST_MAC), true);
  equal(takes(eth, PEER_MAC), false);
  equal(takes(eth, GROUP), false);
  deepEqual(counted(eth.counters), { received: 2, notForUs: 2 });
});

Deno.test("eth: a group's frames are taken from join to leave", () => {
  const eth = new Eth({ mac: OWN_MAC });
  const group = Mac.parse(GROUP);
  eth.join(group);
  eth.join(group);
  group.set(0, 0);
  equal(takes(eth, GROUP), true, "the endpoint keeps its own copy of the address");
  eth.leave(Mac.parse(GROUP));
  equal(takes(eth, GROUP), false);
  eth.leave(Mac.parse(GROUP));
});

Deno.test("eth: a promiscuous station takes every frame, until it is told not to", () => {
  const eth = new Eth({ mac: OWN_MAC, promiscuous: true });
  equal(takes(eth, PEER_MAC), true);
  eth.promiscuous = false;
  equal(takes(eth, PEER_MAC), false);
});

Deno.test("eth: a frame that a group claims to have sent is dropped (IEEE 802.3 3.2.3)", () => {
  const { nic, eth, receiver } = host({ link: () => () => fail("it was handed up") });
  nic.inject(ethernet(data(46), { source: GROUP }));
  nic.rx(1, receiver);
  deepEqual(counted(eth.counters), { badSource: 1 });
});

Deno.test("eth: a frame shorter than a header is counted as truncated, whatever its length", () => {
  const frame = ethernet(data(0));
  const { eth, deliver } = bound({ link: () => () => {} });
  for (let length = 0; length < frame.length; length++) deliver(frame.slice(0, length));
  deepEqual(counted(eth.counters), { truncated: frame.length });
  deliver(frame);
  equal(eth.counters.received, 1, "an empty payload is a whole frame");
});

Deno.test("eth: every EtherType goes up, with the addresses at hand", () => {
  const seen: string[] = [];
  const { eth, nic } = host();
  const receiver = eth.recv((packet: EthIn) => {
    seen.push(`${packet.source} ${packet.destination} ${packet.etherType.toString(16)} ${packet.isGroup}`);
  });
  nic.inject(ethernet(data(1), { etherType: 0x88b5 }));
  nic.inject(ethernet(data(1), { etherType: 0x0030, destination: BROADCAST_MAC }));
  nic.rx(2, receiver);
  deepEqual(seen, [`${PEER_MAC} ${OWN_MAC} 88b5 false`, `${PEER_MAC} ${BROADCAST_MAC} 30 true`]);
});

Deno.test("eth: a station's address must be unicast, and a group's must not", () => {
  throws(() => new Eth({ mac: GROUP }), RangeError);
  throws(() => new Eth({ mac: "00:00:00:00:00:00" }), RangeError);
  throws(() => new Eth({ mac: OWN_MAC }).join(Mac.parse(PEER_MAC)), RangeError);
});

Deno.test("eth: an object or a plain function receives, and an object's methods keep their this", () => {
  class Counter {
    seen = 0;
    receive(): void {
      this.seen++;
    }
  }
  const counter = new Counter();
  const eth = new Eth({ mac: OWN_MAC });
  const nic = new External();
  nic.inject(ethernet(data(1)));
  nic.rx(1, eth.recv(counter));
  equal(counter.seen, 1);
});

Deno.test("eth: the sender's deadline is its upper's, and a plain function has none", () => {
  const eth = new Eth({ mac: OWN_MAC });
  equal(eth.send(() => {}).deadline(), NEVER);
  equal(eth.send({ send: () => {}, deadline: () => 7 }).deadline(), 7);
});

Deno.test("eth: one endpoint at two places of one tree: each place has its own packet", () => {
  // The outer packet is still In while the inner place hands up the frame that it carries, as a tunnel's would.
  const seen: string[] = [];
  const { eth, nic } = host();
  const inner = eth.recv((packet) => seen.push(`inner ${packet.etherType.toString(16)}`));
  const tunnel = new External();
  const outer = eth.recv((packet) => {
    tunnel.inject(packet.frame.bytes.slice(packet.payloadAt, packet.frame.end));
    tunnel.rx(1, inner);
    seen.push(`outer ${packet.etherType.toString(16)} ${packet.source}`);
    packet.deinit();
  });
  nic.inject(
    ethernet(ethernet(data(4), { etherType: 0x88b6, source: "02:00:00:00:00:33" }), { etherType: 0x88b5 }),
  );
  nic.rx(1, outer);
  deepEqual(seen, ["inner 88b6", `outer 88b5 ${PEER_MAC}`]);
});

Deno.test("eth: a burst sends as many frames as the upper fills, and no more than it may", () => {
  let left = 5;
  const { transmit, eth } = bound({
    linkSend: () => (packet) => {
      if (left-- <= 0) return;
      const out = packet.prepare({ destination: Mac.parse(PEER_MAC), etherType: 0x88b5, length: 2 });
      if (typeof out !== "number") out.send();
    },
  });
  equal(transmit(3).length, 3);
  const rest = transmit(64);
  equal(rest.length, 2);
  expectFrame(rest[0], { destination: PEER_MAC, source: OWN_MAC, etherType: 0x88b5 });
  equal(eth.counters.sent, 5);
});

function bound(options: Parameters<typeof host>[0]) {
  const made = host(options);
  return {
    eth: made.eth,
    deliver: (frame: Uint8Array) => made.deliver(frame),
    transmit: (max: number) => made.transmit(max),
  };
}
