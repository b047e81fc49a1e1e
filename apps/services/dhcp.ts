/** `dhcp`: leases addresses of an own subnet to whoever asks (RFC 2131). */
import { Address, type Cidr, DhcpServer } from "../../mod.ts";
import type { Appliance } from "../appliance.ts";
import { messageOf, UsageError } from "../cli/errors.ts";
import type { Service } from "./service.ts";

/** Addresses that are leased where no range is written: a small laboratory's. */
const COUNT = 200;

/** The service. */
export const dhcp: Service = {
  name: "dhcp",
  form: "dhcp[:FIRST-LAST]",
  meaning: "leases addresses of our first IPv4 subnet, or those from FIRST to LAST (RFC 2131)",
  transport: "udp",
  port: 67,
  speaksForHost: true,
  check: (text, range) => void parseRange(text, range),
  start: (host: Appliance, _port, range) => {
    const [first, last] = range === undefined ? [undefined, undefined] : parseRange("dhcp", range);
    const own = [...host.ip.addresses].filter(({ isV4 }) => isV4);
    const subnet = own.find((cidr) => first === undefined ? cidr.prefix <= 30 : cidr.contains(first));
    if (subnet === undefined) {
      const known = own.length === 0 ? "there is none" : `ours are ${own.join(", ")}`;
      throw new UsageError(`serve dhcp: a subnet is wanted that has the addresses; ${known}`);
    }
    try {
      const server = new DhcpServer({
        ip: host.ip,
        udp: host.udp,
        subnet,
        first: first ?? new Address().setV4(subnet.network.d + 1),
        last: last ?? lastOf(subnet),
        routers: host.gateways.filter((gateway) => subnet.contains(gateway)),
        dns: host.nameServers,
      });
      keep(server, host);
      host.tasks.push(server);
      return server.counters;
    } catch (error) {
      throw new UsageError(`serve dhcp: ${messageOf(error)}`);
    }
  },
};

/** Takes over what was leased in an earlier life, and writes down what is from now on, before it is acknowledged. */
function keep({ leases }: DhcpServer, { leases: file, nic }: Appliance): void {
  if (file === undefined) return;
  for (const kept of file.given()) leases.restore(kept, nic.now());
  leases.onChange = ({ address, client, expires }) => {
    const remaining = client === "" ? 0 : Math.max(0, (expires - nic.now()) / 1e6);
    file.keepGiven({ address: new Address().setV4(address), client, remaining });
  };
}

function lastOf(subnet: Cidr): Address {
  const room = 2 ** (32 - subnet.prefix) - 2;
  return new Address().setV4(subnet.network.d + Math.min(room, COUNT));
}

/** FIRST-LAST. */
function parseRange(text: string, range: string): readonly [Address, Address] {
  const [first, last, more] = range.split("-").map((part) => Address.tryParse(part));
  const isFine = first?.isV4 && last?.isV4 && more === undefined && range.split("-").length === 2;
  if (first !== undefined && last !== undefined && isFine) return [first, last];
  throw new UsageError(
    `serve: "${text}": "${range}" is no range; write FIRST-LAST, as in 10.0.0.100-10.0.0.200`,
  );
}
