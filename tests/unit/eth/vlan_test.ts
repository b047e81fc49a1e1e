import { deepEqual, equal, throws } from "node:assert/strict";
import { External } from "../../../nic/external.ts";
import { Eth } from "../../../stack/eth/endpoint.ts";
import type { Vlan } from "../../../stack/eth/vlan.ts";
import { setGuard } from "../../../stack/guard.ts";
import { inTurn } from "../../../stack/handler.ts";
import { Icmp } from "../../../stack/icmp/endpoint.ts";
import { Ip } from "../../../stack/ip/endpoint.ts";
import { LayerError } from "../../../stack/error.ts";
import { Address } from "../../../stack/wire/address.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import * as wire from "../../../stack/wire/vlan.ts";
import {
  arpFrame,
  concat,
  data,
  echoRequest,
  expectFrame,
  OWN,
  OWN_MAC,
  PEER,
  PEER_MAC,
} from "../../support/frames.ts";
import { counted, host as plainHost } from "../../support/host.ts";

/** The frame with a tag behind its source address. */
function tag(frame: Uint8Array, id: number, priority = 0): Uint8Array {
  const control = (priority << 13) | id;
  return concat(frame.slice(0, 12), Uint8Array.of(0x81, 0, control >> 8, control), frame.slice(12));
}

/** The frame without its tag, and what the tag says: [frame, id, priority]. */
function untag(frame: Uint8Array | undefined): [Uint8Array, number, number] {
  equal(frame?.slice(12, 14).toHex(), "8100");
  return [concat(frame!.slice(0, 12), frame!.slice(16)), wire.id(frame!, 14), wire.priority(frame!, 14)];
}

/** A host in a VLAN that answers echo requests, and knows its peer. */
function host(vlan: Vlan, address = OWN) {
  const ip = new Ip({ addresses: [`${address}/24`] });
  ip.neighbours.setStatic(Address.parse(PEER), Mac.parse(PEER_MAC));
  return { ip, icmp: new Icmp(), vlan };
}

function guarded<T>(make: () => T): T {
  setGuard(true);
  try {
    return make();
  } finally {
    setGuard(false);
  }
}

Deno.test("vlan: frames with its tag are taken, and answered with it and the priority; the peer sees plain IP behind", () => {
  const eth = new Eth({ mac: OWN_MAC });
  const { ip, icmp, vlan } = host(eth.vlan(10, 5));
  const nic = new External();
  const receiver = guarded(() => vlan.recv(ip.recv(icmp.answer())));
  nic.inject(tag(echoRequest({ data: data(20) }), 10, 3));
  nic.rx(1, receiver);
  const [frame, id, priority] = untag(nic.take());
  deepEqual([id, priority], [10, 5]);
  expectFrame(frame, { destination: PEER_MAC, ip: { source: OWN, destination: PEER }, payload: data(20) });
  deepEqual(counted(vlan.counters), { received: 1, sent: 1 });
});

Deno.test("vlan: frames of another one, without a tag, with a priority only, and cut within the tag are dropped and counted", () => {
  const eth = new Eth({ mac: OWN_MAC });
  const { ip, icmp, vlan } = host(eth.vlan(10));
  const nic = new External();
  const receiver = vlan.recv(ip.recv(icmp.answer()));
  const frames = [
    tag(echoRequest(), 11),
    tag(echoRequest(), 0),
    echoRequest(),
    tag(echoRequest(), 10).slice(0, 17),
  ];
  for (const frame of frames) {
    nic.inject(frame);
    nic.rx(1, receiver);
  }
  equal(nic.take(), undefined);
  deepEqual(counted(vlan.counters), { otherVlan: 1, untagged: 2, truncated: 1 });
});

Deno.test("vlan: two of them and the untagged network share a station, each with tables of its own", () => {
  const eth = new Eth({ mac: OWN_MAC });
  const one = host(eth.vlan(1)), two = host(eth.vlan(2), "10.0.0.3"), plain = host(eth.vlan(3), "10.0.0.4");
  const nic = new External();
  const receiver = eth.recv(
    one.vlan.tagged(
      one.ip.recv(one.icmp.answer()),
      two.vlan.tagged(two.ip.recv(two.icmp.answer()), plain.ip.recv(plain.icmp.answer())),
    ),
  );
  const ask = (frame: Uint8Array) => {
    nic.inject(frame);
    nic.rx(1, receiver);
    return nic.take();
  };
  equal(untag(ask(tag(echoRequest(), 1)))[1], 1);
  equal(untag(ask(tag(echoRequest({ ip: { destination: "10.0.0.3" } }), 2)))[1], 2);
  expectFrame(ask(echoRequest({ ip: { destination: "10.0.0.4" } })), { ip: { source: "10.0.0.4" } });
  equal(ask(tag(echoRequest({ ip: { destination: "10.0.0.3" } }), 1)), undefined, "they do not mix");

  one.ip.neighbours.lookup(Address.parse("10.0.0.9"), 0, new Mac());
  two.ip.neighbours.lookup(Address.parse("10.0.0.9"), 0, new Mac());
  const { counters } = eth;
  const sender = eth.send(
    inTurn(
      () => counters.sent,
      one.vlan.tagging(one.ip.layerInternal()),
      two.vlan.tagging(two.ip.layerInternal()),
    ),
  );
  nic.tx(8, sender);
  deepEqual([untag(nic.take())[1], untag(nic.take())[1]].sort(), [1, 2]);
});

Deno.test("vlan: a tag takes nothing from the MTU, of jumbo frames either (IEEE 802.3 3.2.7)", () => {
  for (const mtu of [1_500, 9_000]) {
    const eth = new Eth({ mac: OWN_MAC });
    const vlan = eth.vlan(10);
    const nic = new External({ mtu });
    const answers: unknown[] = [];
    const sender = vlan.send((link) => {
      for (const length of [mtu + 1, mtu]) {
        const out = link.prepare({ destination: Mac.parse(PEER_MAC), etherType: EtherType.Ipv4, length });
        answers.push(typeof out === "number" ? out : out.send());
      }
    });
    nic.tx(1, sender);
    deepEqual(answers, [LayerError.BadSize, LayerError.None]);
    equal(nic.take()?.length, mtu + 18);
  }
});

Deno.test("vlan: what is prepared can be taken as received; a packet used up is a fault of the program", () => {
  const eth = new Eth({ mac: OWN_MAC });
  const vlan = eth.vlan(10);
  const nic = new External();
  nic.tx(
    1,
    vlan.send((link) => {
      const out = link.prepare({ destination: eth.mac, etherType: EtherType.Ipv4, length: 20 });
      if (typeof out === "number") throw new Error(`refused with ${out}`);
      const received = out.intoIn();
      deepEqual([received.etherType, received.payloadAt], [EtherType.Ipv4, out.payloadAt]);
      equal(received.deinit().resolves, true);
      throws(() => received.deinit(), /does not fit/);
    }),
  );
  equal(nic.take(), undefined);
});

Deno.test("vlan: identifiers are 1 to 4094, priorities 0 to 7", () => {
  const eth = new Eth({ mac: OWN_MAC });
  for (const id of [0, 4_095, -1, 1.5, NaN]) throws(() => eth.vlan(id), RangeError);
  for (const priority of [8, -1, 0.5]) throws(() => eth.vlan(1, priority), RangeError);
  equal(eth.vlan(4_094, 7).id, 4_094);
  const bytes = new Uint8Array(4);
  wire.emit(bytes, 0, 7, 4_094, EtherType.Ipv6);
  deepEqual([wire.priority(bytes, 0), wire.id(bytes, 0), wire.etherType(bytes, 0)], [
    7,
    4_094,
    EtherType.Ipv6,
  ]);
});

Deno.test("vlan: a tag of VLAN 0 tells a priority and nothing else: the frame is taken without it (IEEE 802.1Q 6.9.1)", () => {
  const made = plainHost();
  for (const priority of [0, 7]) {
    const [reply, ...more] = made.deliver(tag(echoRequest({ data: data(20) }), 0, priority));
    expectFrame(reply, { source: OWN_MAC, destination: PEER_MAC, ip: { source: OWN, destination: PEER } });
    equal(more.length, 0);
  }
  equal(made.eth.counters.received, 2);
  made.deliver(tag(arpFrame({ sender: "10.0.0.3", senderMac: "02:00:00:00:00:03" }), 0, 5));
  equal(made.ip.arp.counters.requests, 1);
});

Deno.test("vlan: other tags are none of a plain station's, nor are two tags, nor one that is cut off", () => {
  const made = plainHost();
  const request = echoRequest({ data: data(20) });
  made.deliver(tag(request, 10, 3), tag(tag(request, 0), 0), tag(request, 0).slice(0, 17));
  equal(made.ip.counters.otherEtherType, 3);
});
