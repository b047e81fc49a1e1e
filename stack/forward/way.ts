/**
 * The way out of a router: the link with the longest prefix, whether it is a subnet's or a route's.
 *
 * @module
 */
import { RouteKind } from "../host/routes.ts";
import { type Instant, NEVER } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import type { ForwardPort } from "./port.ts";

/** Where a packet goes. One reused object a router. */
export class Way {
  /** The link that it leaves by; undefined: there is none. */
  port: ForwardPort | undefined;
  /** What the route says that was found. */
  kind: RouteKind = RouteKind.Gateway;
  /** The host that gets it next. */
  readonly nextHop: Address = new Address();
  /** When the route that was found stops to be used. */
  expires: Instant = NEVER;
  #prefix = -1;
  #metric = 0;

  /**
   * Looks for the way to a destination over all ports. On one port a subnet goes before a route to the same network, as
   * for the host's own packets; between ports the smaller metric does, and then the first port.
   */
  find(ports: readonly ForwardPort[], destination: Address, now: Instant): boolean {
    this.port = undefined;
    this.#prefix = -1;
    for (let index = 0; index < ports.length; index++) {
      const port = ports[index]!;
      const { addresses, routes } = port.ip;
      const subnet = addresses.subnetOf(destination);
      if (subnet !== undefined && this.#isBetter(subnet.prefix, 0)) {
        this.#take(port, RouteKind.OnLink, destination, NEVER);
      }
      const route = routes.lookup(destination, now);
      if (route === undefined || !this.#isBetter(route.network.prefix, route.metric)) continue;
      const isDirect = route.kind !== RouteKind.Gateway;
      this.#take(port, route.kind, isDirect ? destination : route.gateway, route.expires);
    }
    return this.port !== undefined;
  }

  #isBetter(prefix: number, metric: number): boolean {
    if (prefix < this.#prefix || (prefix === this.#prefix && metric >= this.#metric)) return false;
    this.#prefix = prefix;
    this.#metric = metric;
    return true;
  }

  #take(port: ForwardPort, kind: RouteKind, nextHop: Address, expires: Instant): void {
    this.port = port;
    this.kind = kind;
    this.nextHop.copy(nextHop);
    this.expires = expires;
  }
}
