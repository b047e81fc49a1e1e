/**
 * The proof that neither forwarding nor a tunnel allocates anything for a packet: see `allocation_test.ts`.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { getHeapStatistics } from "node:v8";
import { DeviceInfo, SlotPool } from "../../nic/device.ts";
import { LayerError } from "../../stack/error.ts";
import { Eth } from "../../stack/eth/endpoint.ts";
import { Forwarder } from "../../stack/forward/endpoint.ts";
import type { Receiver } from "../../stack/handler.ts";
import { Icmp } from "../../stack/icmp/endpoint.ts";
import { Ip } from "../../stack/ip/endpoint.ts";
import { protocols } from "../../stack/ip/protocols.ts";
import { ALL_MANUAL, type Slot } from "../../stack/slot.ts";
import { seconds } from "../../stack/store/time.ts";
import { Tunnel } from "../../stack/tunnel/endpoint.ts";
import { Address } from "../../stack/wire/address.ts";
import { EtherType } from "../../stack/wire/ethernet.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { data, ethernet, icmp, ipv4, OWN, OWN_MAC, PEER, PEER_MAC } from "../support/frames.ts";
import { ipv6 } from "../support/frames-v6.ts";
import { INNER, INNER_PEER, wrapped } from "../support/tunnel.ts";

const PACKETS = 1_000_000, WARM_UP = 300_000, ALLOWED = PACKETS, START = seconds(86_400);

function allocated(): number {
  const statistics: object = getHeapStatistics();
  const bytes: unknown = Reflect.get(statistics, "total_allocated_bytes");
  ok(typeof bytes === "number", "this Deno has no count of allocated bytes: use 2.9 or later");
  return bytes;
}

const info = new DeviceInfo(ALL_MANUAL, 1_500);

/** Bytes allocated for a million packets once everything is warm: the least of some rounds. */
function cost(receiver: Receiver<Slot>, frame: Uint8Array): number {
  const slot = new SlotPool(1, 1_600, info).take()!;
  const { bytes } = slot.frame;
  const run = (count: number) => {
    for (let packet = 0; packet < count; packet++) {
      slot.frame.resize(frame.length);
      for (let at = slot.frame.start, from = 0; from < frame.length; at++, from++) bytes[at] = frame[from]!;
      slot.reset();
      info.timestamp = START + (packet & 0xffff);
      receiver.receive(slot);
    }
  };
  run(WARM_UP);
  let least = Infinity;
  for (let round = 0; round < 10 && least >= ALLOWED; round++) {
    const before = allocated();
    run(PACKETS);
    least = Math.min(least, allocated() - before);
  }
  return least;
}

Deno.test("allocation: a million packets of either family are forwarded without an allocation", () => {
  const router = new Forwarder();
  let left = 0;
  const side = (mac: string, addresses: readonly string[]) => {
    const eth = new Eth({ mac }), ip = new Ip({ addresses });
    const emit = () => {
      left++;
      return LayerError.None;
    };
    return { eth, ip, port: router.port({ ip, link: eth.outlet({ info, emit }), wake: () => {} }) };
  };
  const one = side(OWN_MAC, [`${OWN}/24`, "2001:db8::1/64"]);
  const two = side("02:00:00:00:01:01", ["10.0.1.1/24", "2001:db8:1::1/64"]);
  for (const address of ["10.0.1.2", "2001:db8:1::2"]) {
    two.ip.neighbours.learn(Address.parse(address), Mac.parse(PEER_MAC), START, true);
  }
  two.ip.routes.addDefault(Address.parse("10.0.1.2"));
  const receiver = one.eth.recv(one.ip.recv(() => {}, one.port));
  const frames = {
    "IPv4": ethernet(ipv4(data(56), { source: PEER, destination: "10.0.1.2", protocol: 17 })),
    "IPv4 by a route": ethernet(ipv4(data(56), { source: PEER, destination: "192.0.2.1", protocol: 17 })),
    "IPv6": ethernet(
      ipv6(data(56), { source: "2001:db8::2", destination: "2001:db8:1::2", protocol: 17 }),
      { etherType: EtherType.Ipv6 },
    ),
  };
  for (const [name, frame] of Object.entries(frames)) {
    const before = left;
    const bytes = cost(receiver, frame);
    ok(bytes < ALLOWED, `${name}: ${bytes} bytes for ${PACKETS} packets`);
    ok(left - before >= PACKETS + WARM_UP, "and they have left");
  }
  equal(router.counters.forwarded, left);
});

Deno.test("allocation: a million echo requests inside a tunnel are answered without an allocation", () => {
  const eth = new Eth({ mac: OWN_MAC }), echoes = new Icmp();
  const outer = new Ip({ addresses: [`${OWN}/24`] }), inner = new Ip({ addresses: [`${INNER}/30`] });
  outer.neighbours.learn(Address.parse(PEER), Mac.parse(PEER_MAC), START, true);
  const tunnel = new Tunnel({ local: OWN, remote: PEER });
  const receiver = eth.recv(outer.recv(protocols({ other: tunnel.recv(inner.recv(echoes.answer())) })));
  const bytes = cost(receiver, wrapped(ipv4(icmp(data(56)), { source: INNER_PEER, destination: INNER })));
  ok(bytes < ALLOWED, `${bytes} bytes for ${PACKETS} packets`);
  ok(echoes.counters.answered >= PACKETS + WARM_UP);
});
