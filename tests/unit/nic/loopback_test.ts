import { deepEqual, equal } from "node:assert/strict";
import { Loopback } from "../../../nic/loopback.ts";
import { Eth } from "../../../stack/eth/endpoint.ts";
import { Icmp } from "../../../stack/icmp/endpoint.ts";
import { Ping, type PingResult } from "../../../stack/icmp/ping.ts";
import { Ip } from "../../../stack/ip/endpoint.ts";
import { Address } from "../../../stack/wire/address.ts";
import { OWN_MAC } from "../../support/frames.ts";
import { testNic } from "../../support/nic_contract.ts";

testNic("loopback", () => {
  const nic = new Loopback({ slots: 8, mtu: 1_500 });
  const fill = (length: number) =>
    nic.tx(1, {
      send: (slot) => {
        slot.frame.resize(length);
        slot.queue();
      },
    });
  return {
    nic,
    arrive: (length) => equal(fill(length), 1),
    clear: () => void nic.rx(64, { receive: () => {} }),
  };
});

Deno.test("loopback: what is sent arrives at the next rx, not in the same burst", () => {
  const nic = new Loopback({ slots: 4, mtu: 100 });
  nic.tx(2, { send: (slot) => void (slot.frame.resize(10), slot.queue()) });
  const echo = { receive: (slot: { queue: () => unknown }) => void slot.queue() };
  deepEqual([nic.rx(64, echo), nic.rx(64, echo), nic.rx(1, echo)], [2, 2, 1], "two that echo for ever");
});

Deno.test("loopback: when all slots are on their way, tx takes no more", () => {
  const nic = new Loopback({ slots: 2, mtu: 100 });
  const sender = { send: (slot: { queue: () => unknown }) => void slot.queue() };
  equal(nic.tx(64, sender), 2);
  equal(nic.tx(64, sender), 0);
  equal(nic.rx(1, { receive: () => {} }), 1);
  equal(nic.tx(64, sender), 1);
});

Deno.test("loopback: a host pings itself, by an address of its subnet and by 127.0.0.1", () => {
  for (const destination of ["10.0.0.1", "127.0.0.1"]) {
    const results: PingResult[] = [];
    const eth = new Eth({ mac: OWN_MAC });
    const ip = new Ip({ addresses: ["10.0.0.1/24", "127.0.0.1/8"] });
    const icmp = new Icmp();
    const ping = new Ping({
      destination: Address.parse(destination),
      identifier: 1,
      count: 1,
      onResult: (result) => results.push(result),
    });
    const nic = new Loopback();
    const receive = eth.recv(ip.recv(icmp.recv((packet) => ping.receive(packet))));
    const send = eth.send(ip.send(icmp.send(ping)));
    nic.tx(64, send);
    nic.rx(64, receive);
    nic.setTime(5);
    nic.rx(64, receive);
    deepEqual(results.map(({ sequence, rtt }) => [sequence, rtt]), [[1, 5]], destination);
    equal(icmp.counters.answered, 1);
  }
});
