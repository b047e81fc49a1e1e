import { deepEqual, equal } from "node:assert/strict";
import { External } from "../../../nic/external.ts";
import { Arp } from "../../../stack/arp/endpoint.ts";
import type { ArpIn } from "../../../stack/arp/packet.ts";
import { Eth } from "../../../stack/eth/endpoint.ts";
import { Addresses } from "../../../stack/host/addresses.ts";
import { Neighbours, NeighbourState } from "../../../stack/host/neighbours.ts";
import { NEVER, seconds } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Operation } from "../../../stack/wire/arp.ts";
import { Cidr } from "../../../stack/wire/cidr.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import {
  arp,
  type ArpFields,
  arpFrame,
  arpReply,
  BROADCAST_MAC,
  data,
  ethernet,
  expectFrame,
  OWN,
  OWN_MAC,
  PEER,
  PEER_MAC,
} from "../../support/frames.ts";
import { counted, type Host, host } from "../../support/host.ts";

/** What the host knows of an address: its station as text. */
function known({ ip, nic }: Host, address: string): string | undefined {
  const entries = [...ip.neighbours.entries(nic.now())];
  return entries.find((entry) => entry.address.toString() === address)?.mac?.toString();
}

/** Has the host look an address up, as a packet to it would. */
function lookUp({ ip, nic }: Host, address: string): void {
  ip.neighbours.lookup(Address.parse(address), nic.now(), new Mac());
}

Deno.test("arp: a request for an own address is answered in its own buffer, to the asker alone (RFC 826)", () => {
  const made = host({ knowsPeer: false });
  const [frame, ...more] = made.deliver(arpFrame());
  expectFrame(frame, {
    destination: PEER_MAC,
    source: OWN_MAC,
    etherType: EtherType.Arp,
    arp: { operation: Operation.Reply, senderMac: OWN_MAC, sender: OWN, targetMac: PEER_MAC, target: PEER },
  });
  deepEqual(more, []);
  deepEqual(counted(made.ip.arp.counters), { received: 1, requests: 1, sent: 1 });
  equal(known(made, PEER), PEER_MAC, "who asks for us is about to talk to us");
});

Deno.test("arp: padding behind a request is not part of the answer (RFC 894)", () => {
  const [frame] = host().deliver(arpFrame({}, { padTo: 46 }));
  equal(frame?.length, 14 + 28);
});

Deno.test("arp: a request for somebody else is not answered and makes no entry (RFC 826)", () => {
  const made = host({ knowsPeer: false });
  deepEqual(made.deliver(arpFrame({ target: "10.0.0.3" })), []);
  equal(known(made, PEER), undefined);
});

Deno.test("arp: any valid packet refreshes an entry that exists (RFC 826)", () => {
  const moved = "02:00:00:00:00:77";
  for (const news of [arpReply({ senderMac: moved }), arpFrame({ senderMac: moved, target: "10.0.0.3" })]) {
    const made = host({ knowsPeer: false });
    made.deliver(arpFrame());
    made.deliver(news);
    equal(known(made, PEER), moved);
  }
});

Deno.test("arp: a reply resolves the look-up that waits for it", () => {
  const made = host({ knowsPeer: false });
  lookUp(made, PEER);
  expectFrame(made.transmit()[0], {
    destination: BROADCAST_MAC,
    source: OWN_MAC,
    arp: {
      operation: Operation.Request,
      senderMac: OWN_MAC,
      sender: OWN,
      targetMac: "00:00:00:00:00:00",
      target: PEER,
    },
  });
  made.deliver(arpReply());
  equal(known(made, PEER), PEER_MAC);
  equal(made.deadline, NEVER);
});

Deno.test("arp: a request tells where its sender is; only a reply to us proves that it hears us (RFC 4861 7.2.3)", () => {
  const made = host({ knowsPeer: false });
  made.deliver(arpFrame());
  equal(made.ip.neighbours.state(Address.parse(PEER), 0), NeighbourState.Stale);
  made.deliver(arpReply());
  equal(made.ip.neighbours.state(Address.parse(PEER), 0), NeighbourState.Reachable);
});

Deno.test("arp: a reply that nobody asked for makes no entry for others' addresses", () => {
  const made = host({ knowsPeer: false });
  made.deliver(arpReply({ target: "10.0.0.3" }));
  equal(made.ip.neighbours.size, 0);
});

Deno.test("arp: lies about the sender are counted, teach nothing and get no answer", () => {
  const lies: readonly (readonly [string, ArpFields])[] = [
    ["claims a broadcast address", { sender: "10.0.0.255" }],
    ["claims a group's address", { sender: "224.0.0.1" }],
    ["claims an address off the link", { sender: "10.9.0.2" }],
    ["gives a group as its station", { senderMac: "01:00:5e:00:00:01" }],
    ["gives everybody as its station", { senderMac: BROADCAST_MAC }],
    ["gives nobody as its station", { senderMac: "00:00:00:00:00:00" }],
    ["probes with a group as its station", { sender: "0.0.0.0", senderMac: BROADCAST_MAC }],
  ];
  for (const [lie, fields] of lies) {
    const made = host({ knowsPeer: false });
    const frames = made.deliver(arpFrame(fields, { source: PEER_MAC }));
    deepEqual([...frames, ...made.transmit()], [], lie);
    equal(made.ip.arp.counters.badSender, 1, lie);
    equal(made.ip.neighbours.size, 0, lie);
  }
});

Deno.test("arp: who is on the link by a route is answered and learnt like a host of our subnet", () => {
  const made = host({ knowsPeer: false });
  made.ip.routes.set({ network: Cidr.parse("10.9.0.0/24") });
  const [frame] = made.deliver(arpFrame({ sender: "10.9.0.2" }));
  expectFrame(frame, { destination: PEER_MAC, arp: { operation: Operation.Reply, target: "10.9.0.2" } });
  equal(known(made, "10.9.0.2"), PEER_MAC);
});

Deno.test("arp: a probe is answered without learning from it (RFC 5227 2.1.1)", () => {
  const made = host({ knowsPeer: false });
  const [frame] = made.deliver(arpFrame({ sender: "0.0.0.0" }));
  expectFrame(frame, {
    destination: PEER_MAC,
    arp: { operation: Operation.Reply, sender: OWN, targetMac: PEER_MAC, target: "0.0.0.0" },
  });
  equal(made.ip.neighbours.size, 0);
});

Deno.test("arp: where the NIC cannot send received buffers, answers go out with the next tx", () => {
  const made = host({ nic: { canAnswer: false }, knowsPeer: false });
  deepEqual(made.deliver(arpFrame()), []);
  equal(made.ip.arp.counters.postponed, 1);
  equal(made.deadline, 0, "at once");
  expectFrame(made.transmit()[0], {
    destination: PEER_MAC,
    arp: { operation: Operation.Reply, senderMac: OWN_MAC, sender: OWN, targetMac: PEER_MAC, target: PEER },
  });
  equal(made.deadline, NEVER);
  deepEqual(made.transmit(), []);
});

Deno.test("arp: sixteen answers can be put off; the rest go unanswered and are counted", () => {
  const made = host({ nic: { canAnswer: false }, knowsPeer: false });
  for (let n = 2; n < 22; n++) made.deliver(arpFrame({ sender: `10.0.0.${n}` }));
  equal(made.ip.arp.counters.postponed, 16);
  equal(made.ip.arp.counters.unanswered, 4);
  equal(made.transmit().length, 16);
});

Deno.test("arp: truncated at every byte, or of another kind: malformed, and never an answer", () => {
  const made = host();
  const whole = arpFrame();
  for (let length = 14; length < whole.length; length++) deepEqual(made.deliver(whole.slice(0, length)), []);
  equal(made.ip.arp.counters.malformed, 28);
  for (const at of [0, 1, 2, 3, 4, 5, 6, 7]) {
    const packet = arp();
    packet[at]! ^= 0x40;
    deepEqual(made.deliver(ethernet(packet, { etherType: EtherType.Arp })), []);
  }
  equal(made.ip.arp.counters.malformed, 36);
  equal(made.ip.arp.counters.received, 0);
});

Deno.test("arp: stand-alone, it counts other EtherTypes and hands every packet to a handler", () => {
  const endpoint = new Arp({ addresses: new Addresses([`${OWN}/24`]), neighbours: new Neighbours() });
  const seen: string[] = [];
  const handler = (packet: ArpIn) => {
    seen.push(
      `${packet.operation} ${packet.sender} ${packet.senderMac} ${packet.target} ${packet.link.etherType}`,
    );
  };
  const nic = new External();
  const receiver = new Eth({ mac: OWN_MAC }).recv(endpoint.recv(handler));
  nic.inject(arpFrame());
  nic.inject(ethernet(data(46)));
  nic.rx(2, receiver);
  deepEqual(seen, [`1 ${PEER} ${PEER_MAC} ${OWN} ${EtherType.Arp}`]);
  deepEqual(counted(endpoint.counters), { received: 1, otherEtherType: 1 });
});

Deno.test("arp: a known neighbour that is in use is asked directly, so that nobody else is disturbed", () => {
  const made = host({ knowsPeer: false });
  made.deliver(arpFrame());
  made.at(seconds(50));
  lookUp(made, PEER);
  made.at(seconds(55));
  expectFrame(made.transmit()[0], {
    destination: PEER_MAC,
    arp: { operation: Operation.Request, target: PEER },
  });
});

Deno.test("arp: a request for a neighbour on a subnet that is ours no more is not sent, and leaves no deadline", () => {
  const made = host({ knowsPeer: false });
  lookUp(made, PEER);
  made.ip.addresses.remove(Address.parse(OWN));
  for (let now = 0; now <= seconds(5); now += seconds(1)) deepEqual(made.at(now).transmit(), []);
  equal(made.deadline, NEVER);
});
