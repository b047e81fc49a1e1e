/** Our DHCP client with our DHCP server, over a network that loses, doubles and delays. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { Network } from "../../nic/link/network.ts";
import { DhcpClient } from "../../stack/dhcp/client.ts";
import { DhcpServer } from "../../stack/dhcp/server.ts";
import { DhcpState } from "../../stack/dhcp/state.ts";
import { Eth } from "../../stack/eth/endpoint.ts";
import { Ip } from "../../stack/ip/endpoint.ts";
import { protocols } from "../../stack/ip/protocols.ts";
import { Random } from "../../stack/loss/random.ts";
import { milliseconds, seconds } from "../../stack/store/time.ts";
import { Udp } from "../../stack/udp/endpoint.ts";
import { Address } from "../../stack/wire/address.ts";
import { Cidr } from "../../stack/wire/cidr.ts";
import { Mac } from "../../stack/wire/mac.ts";

const CLIENTS = 8;

/** A server and clients on a network with these faults. */
function world(seed: number, loss: number) {
  const faults = { delay: milliseconds(2), jitter: milliseconds(1), loss, duplicate: loss };
  const network = new Network({ seed });
  const ip = new Ip({ addresses: ["10.0.0.1/24"] });
  const udp = new Udp();
  const server = new DhcpServer({
    ip,
    udp,
    subnet: Cidr.parse("10.0.0.1/24"),
    first: Address.parse("10.0.0.10"),
    last: Address.parse("10.0.0.30"),
    lease: 300,
  });
  const eth = new Eth({ mac: "02:00:00:00:00:01" });
  network.attach({
    receive: eth.recv(ip.recv(protocols({ udp: udp.recv() }))),
    send: eth.send(ip.send(udp.send(server))),
    ingress: faults,
    egress: faults,
  });
  const clients = Array.from({ length: CLIENTS }, (_, index) => {
    const random = new Random(seed * 100 + index);
    const mac = new Mac().set(0x0200, 0x100 + index);
    const host = { ip: new Ip(), udp: new Udp(), eth: new Eth({ mac: String(mac) }) };
    const client = new DhcpClient({ ip: host.ip, udp: host.udp, mac, random: () => random.next() });
    network.attach({
      receive: host.eth.recv(host.ip.recv(protocols({ udp: host.udp.recv() }))),
      send: host.eth.send(host.ip.send(host.udp.send(client))),
    });
    return { client, ip: host.ip };
  });
  return { network, server, clients };
}

Deno.test("dhcp: on a network that loses a fifth of its frames every client gets an address of its own, and keeps it", () => {
  for (const seed of [1, 2, 3]) {
    const { network, clients } = world(seed, 0.2);
    ok(network.runUntil(() => clients.every(({ client }) => client.lease !== undefined), seconds(600)));
    const leased = clients.map(({ client }) => String(client.lease?.address));
    equal(new Set(leased).size, CLIENTS);
    let lost = 0;
    for (let minute = 1; minute <= 30; minute++) {
      network.run(seconds(600 + 60 * minute));
      const held = clients.flatMap(({ client }) =>
        client.lease === undefined ? [] : [String(client.lease.address)]
      );
      equal(new Set(held).size, held.length, "no address is two hosts'");
      lost += CLIENTS - held.length;
      for (const { client, ip } of clients) {
        deepEqual(
          [...ip.addresses].map(String),
          client.lease === undefined ? [] : [`${client.lease.address}/24`],
        );
      }
    }
    ok(lost <= CLIENTS * 3, `${lost} of ${CLIENTS * 30} looks found no lease`);
  }
});

Deno.test("dhcp: what clients give back is free at once", () => {
  const { network, clients, server } = world(7, 0);
  network.run(seconds(10));
  for (const { client } of clients) client.stop();
  network.run(seconds(20));
  for (const { client, ip } of clients) {
    equal(client.state, DhcpState.Stopped);
    deepEqual([...ip.addresses], []);
  }
  ok([...server.leases.entries()].every(({ state }) => state === "free"));
  equal(server.counters.noted, CLIENTS);
});
