/**
 * A lease's parameters in the tables of a host.
 *
 * @module
 */
import { AddressOrigin } from "../host/own-address.ts";
import { RouteKind } from "../host/routes.ts";
import type { Ip } from "../ip/endpoint.ts";
import { UNKNOWN_MTU } from "../ip/path-mtu.ts";
import { Address } from "../wire/address.ts";
import { Cidr } from "../wire/cidr.ts";
import type { Lease } from "./lease.ts";

/** The preference of leased routes: behind those that somebody has set up. */
const METRIC = 1_024;

/** RFC 2132 5.1 allows 68; less than every host takes whole is no link's MTU, but somebody's mistake, or worse. */
const LEAST_MTU = 576;

const NOBODY = new Address().setV4(0);

const EVERYTHING = new Cidr(NOBODY, 0);

/** Puts a lease's address, routes and MTU into a host's tables, and takes out what it put there, and nothing else. */
export class Installation {
  readonly #ip: Ip;
  readonly #networks: Cidr[] = [];
  #address: Address | undefined;

  /** Nothing is there yet. */
  constructor(ip: Ip) {
    this.#ip = ip;
  }

  /** Puts a lease in place of what was there. */
  put(lease: Lease): void {
    const isSame = this.#address?.equals(lease.address) ?? false;
    if (!isSame) this.remove();
    this.#removeRoutes();
    this.#ip.addresses.add(new Cidr(lease.address, lease.prefix), { origin: AddressOrigin.Dhcp });
    this.#address = lease.address;
    const { mtu } = lease;
    // RFC 2132 5.1: what is over the NIC's limits nothing.
    this.#ip.pathMtus.setLinkMtu(true, mtu === undefined || mtu < LEAST_MTU ? UNKNOWN_MTU : mtu);
    const ways = waysOf(lease);
    const links = ways.filter(({ router }) => router.isUnspecified).map(({ network }) => network);
    for (const { network, router } of ways) this.#route(network, router, links);
  }

  /** Takes everything out. */
  remove(): void {
    this.#removeRoutes();
    if (this.#address === undefined) return;
    this.#ip.addresses.remove(this.#address);
    this.#ip.pathMtus.setLinkMtu(true, UNKNOWN_MTU);
    this.#address = undefined;
  }

  /** RFC 3442: a router of 0.0.0.0 means that the network is on the link, where another route's router may be. */
  #route(network: Cidr, router: Address, links: readonly Cidr[]): void {
    const { addresses, routes } = this.#ip;
    const isNear = addresses.onLink(router) !== undefined || links.some((link) => link.contains(router));
    if (router.isUnspecified) routes.set({ network, kind: RouteKind.OnLink, metric: METRIC });
    else if (addresses.isForged(router) || !isNear) return;
    else routes.set({ network, gateway: router, metric: METRIC });
    this.#networks.push(network);
  }

  #removeRoutes(): void {
    for (const network of this.#networks.splice(0)) this.#ip.routes.remove(network, METRIC);
  }
}

interface Way {
  readonly network: Cidr;
  /** Unspecified: the network is on the link. */
  readonly router: Address;
}

/** The ways that a lease tells. RFC 3442: where there are classless routes, the option Router is ignored. */
function waysOf({ prefix, routers: [router], routes }: Lease): Way[] {
  if (routes.length > 0) {
    return routes.map(({ network, prefix, router }) => ({ network: new Cidr(network, prefix), router }));
  }
  if (router === undefined) return [];
  const everything = { network: EVERYTHING, router };
  // Who is alone in a subnet can have no router there, and yet is told of one: it is on the link.
  return prefix < 32 ? [everything] : [{ network: new Cidr(router, 32), router: NOBODY }, everything];
}
