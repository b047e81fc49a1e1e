/** Whether gateways and hosts can be reached from given addresses, and who is on the other end of a wire in memory. */
import { Address, Addresses, Cidr } from "../mod.ts";
import { UsageError } from "./cli/errors.ts";

/** Refuses gateways and hosts that can never be reached, before anything is opened. */
export function checkWays(
  addresses: readonly Cidr[],
  gateways: readonly Address[],
  peer: Address | undefined,
  isLeased: boolean,
  isDirect: boolean = false,
): void {
  const own = new Addresses(addresses);
  const subnets = addresses.join(", ");
  for (const gateway of gateways) {
    if (own.owns(gateway)) throw new UsageError(`--gateway: ${gateway} is our own address; write a router's`);
    // RFC 4291 2.5.6: link-local addresses are on every link with IPv6.
    const isNear = !gateway.isV4 && gateway.isLinkLocal && addresses.some(({ isV4 }) => !isV4);
    if (!isNear && own.onLink(gateway) === undefined) {
      const allowed = subnets === "" ? "routers name themselves there" : `allowed are hosts of ${subnets}`;
      throw new UsageError(`--gateway: ${gateway} is on no subnet of ours; ${allowed}`);
    }
  }
  if (peer === undefined) return;
  if (own.owns(peer)) throw new UsageError(`HOST: ${peer} is our own address; write another host's`);
  if (own.isDirectedBroadcast(peer)) {
    throw new UsageError(`HOST: ${peer} is a broadcast address; write one host's`);
  }
  if (gateways.length === 0 && !isLeased && own.onLink(peer) === undefined) {
    const more = isDirect ? "" : ", or give a --gateway";
    throw new UsageError(`HOST: there is no way to ${peer}; write a host of ${subnets}${more}`);
  }
}

/** How many bits the addresses of a subnet's family have. */
function widthOf({ isV4 }: Cidr): number {
  return isV4 ? 32 : 128;
}

/** The first address of the subnet that is not ours. */
export function freeAddress(subnet: Cidr, taken: readonly Cidr[]): Address {
  const first = subnet.prefix === 31 && subnet.isV4 ? 0 : 1;
  const { a, b, c, d } = subnet.network;
  for (let offset = first; offset < 2 ** Math.min(32, widthOf(subnet) - subnet.prefix); offset++) {
    const address = new Address().set(a, b, c, d + offset);
    if (!subnet.isBroadcast(address) && !taken.some((own) => own.address.equals(address))) return address;
  }
  throw new UsageError(
    `--addr: ${subnet} has no room for the neighbour on link:; write a subnet of two hosts or more`,
  );
}

/** The prefix length of a subnet of one. */
function hostPrefix({ isV4 }: Address): number {
  return isV4 ? 32 : 128;
}

/** The neighbour is whom we talk to; if that is not on our subnets, it also is the gateway on the way there. */
export function neighbourAddresses(
  theirs: Address,
  ours: readonly Cidr[],
  gateways: readonly Address[],
): Cidr[] {
  const subnet = ours.find((own) => own.contains(theirs));
  if (subnet !== undefined) return [new Cidr(theirs, subnet.prefix)];
  const routers = gateways.map((gateway) => {
    return new Cidr(gateway, ours.find((own) => own.contains(gateway))?.prefix ?? hostPrefix(gateway));
  });
  return [...routers, new Cidr(theirs, hostPrefix(theirs))];
}
