/**
 * Redirects, RFC 4861 8 and RFC 1122 3.2.2.2: better first hops for single destinations.
 *
 * @module
 */
import type { Neighbours } from "./neighbours.ts";
import { LEARNT_METRIC, RouteKind, type Routes } from "./routes.ts";
import { type Instant, seconds } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { Cidr } from "../wire/cidr.ts";

/** Redirects that are kept. */
export const REDIRECTS_MAX = 64;

/** How long one is followed without being renewed: long enough to be of use, too short for a mistake to matter. */
const LIFETIME = seconds(600);

/** Apart from routes to the same host that were learnt otherwise, which stay behind it. */
const METRIC = LEARNT_METRIC - 1;

interface Redirect {
  readonly network: Cidr;
  readonly target: Address;
  readonly expires: Instant;
}

/** The redirects that a host follows, as routes of its table. */
export class Redirects {
  readonly #routes: Routes;
  readonly #neighbours: Neighbours;
  #list: Redirect[] = [];
  #gone = 0;

  /** None yet. */
  constructor(routes: Routes, neighbours: Neighbours) {
    this.#routes = routes;
    this.#neighbours = neighbours;
  }

  /** How many are followed. */
  get size(): number {
    return this.#list.length;
  }

  /** Follows one; the oldest goes when there are too many. */
  follow(destination: Address, target: Address, now: Instant): void {
    const network = new Cidr(new Address().copy(destination), destination.isV4 ? 32 : 128);
    const isOnLink = target.equals(destination);
    const expires = now + LIFETIME;
    this.#list = this.#list.filter((known) => !known.network.address.equals(destination));
    if (this.#list.length >= REDIRECTS_MAX) this.#drop(this.#list.shift()!);
    this.#list.push({ network, target: new Address().copy(target), expires });
    this.#routes.set(
      isOnLink
        ? { network, kind: RouteKind.OnLink, metric: METRIC, expires }
        : { network, gateway: new Address().copy(target), metric: METRIC, expires },
      now,
    );
  }

  /** RFC 4861 7.3.3: when its target does not answer, the way is looked for anew. */
  neighboursLost(now: Instant): void {
    this.#keep((redirect) => this.#neighbours.state(redirect.target, now) !== undefined);
  }

  /** Does so if a neighbour has been given up since it was last asked for. */
  review(now: Instant): void {
    const { lost, failed } = this.#neighbours.counters;
    if (lost + failed === this.#gone) return;
    this.#gone = lost + failed;
    this.neighboursLost(now);
  }

  /** A router that is none any more leads nowhere. */
  routerGone(address: Address): void {
    this.#keep(({ target }) => !target.equals(address));
  }

  #keep(keeps: (redirect: Redirect) => boolean): void {
    for (const redirect of this.#list.filter((known) => !keeps(known))) this.#drop(redirect);
    this.#list = this.#list.filter(keeps);
  }

  #drop({ network }: Redirect): void {
    this.#routes.remove(network, METRIC);
  }
}
