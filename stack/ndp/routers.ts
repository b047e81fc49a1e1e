/**
 * The default router list (RFC 4861 5.1) and the choice among them (6.3.6, RFC 4191 3.2).
 *
 * @module
 */
import { type Neighbours, NeighbourState } from "../host/neighbours.ts";
import { LEARNT_METRIC, type Routes } from "../host/routes.ts";
import { type Instant, NEVER } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { Cidr } from "../wire/cidr.ts";

/** Routers that are kept; RFC 4861 6.3.4 asks for two at least. */
export const ROUTERS_MAX = 16;

/** Where routes from routers stand behind those made by hand. */
export const METRIC: number = LEARNT_METRIC;

const EVERYWHERE = Cidr.parse("::/0");

/** A default router. */
export interface DefaultRouter {
  /** Its link-local address. */
  readonly address: Address;
  /** How much it wants to be used: 1, 0 or -1 (RFC 4191). */
  readonly preference: number;
  /** When its lifetime ends. */
  readonly expires: Instant;
}

class Router implements DefaultRouter {
  readonly address = new Address();
  preference = 0;
  expires: Instant = 0;
  /** When it last turned out not to answer; 0: it has not. */
  failedAt: Instant = 0;
}

/** The routers that advertise themselves; the best of them has a route in the host's table. */
export class DefaultRouters {
  readonly #neighbours: Neighbours;
  readonly #routes: Routes;
  #list: Router[] = [];
  #chosen: Router | undefined;

  /** An empty list over a host's tables. */
  constructor(neighbours: Neighbours, routes: Routes) {
    this.#neighbours = neighbours;
    this.#routes = routes;
  }

  /** All of them. */
  list(): readonly DefaultRouter[] {
    return this.#list;
  }

  /** Takes an advertisement; lifetime 0 ends it (RFC 4861 6.3.4). False: there are too many routers already. */
  advertised(address: Address, lifetime: Instant, preference: number, now: Instant): boolean {
    let router = this.#list.find((known) => known.address.equals(address));
    if (lifetime === 0) {
      this.#list = this.#list.filter((known) => known !== router);
    } else {
      if (router === undefined) {
        if (this.#list.length >= ROUTERS_MAX) return false;
        router = new Router();
        router.address.copy(address);
        this.#list.push(router);
      }
      router.preference = preference;
      router.expires = now + lifetime;
      router.failedAt = 0;
    }
    this.choose(now, true);
    return true;
  }

  /** RFC 4861 7.2.5: a neighbour that says it is no router (any more) is none. */
  remove(address: Address, now: Instant): void {
    this.advertised(address, 0, 0, now);
  }

  /** Notes that neighbours have been given up: a router among them is used only if there is no other. */
  neighboursLost(now: Instant): void {
    if (this.#chosen === undefined) return;
    if (this.#neighbours.state(this.#chosen.address, now) === undefined) {
      // Never 0, which stands for a router that answers.
      this.#chosen.failedAt = Math.max(now, 1);
      this.choose(now, true);
    }
  }

  /** Lets go of routers whose lifetime is over, and has the best of the others used; `isNews`: look anew in any case. */
  choose(now: Instant, isNews: boolean = false): void {
    const live = this.#list.filter(({ expires }) => expires > now);
    if (!isNews && live.length === this.#list.length) return;
    this.#list = live;
    const best = this.#list.reduce<Router | undefined>((best, router) => {
      return best === undefined || this.#isBetter(router, best, now) ? router : best;
    }, undefined);
    this.#use(best, now);
  }

  /** When a router's lifetime ends. */
  deadline(): Instant {
    return this.#list.reduce((least, { expires }) => Math.min(least, expires), NEVER);
  }

  /** RFC 4861 6.3.6: who is reachable or may be before who is not; of the latter, who failed longest ago. */
  #isBetter(one: Router, other: Router, now: Instant): boolean {
    if (one.failedAt !== other.failedAt && (one.failedAt === 0 || other.failedAt === 0)) {
      return one.failedAt === 0;
    }
    if (one.failedAt !== other.failedAt) return one.failedAt < other.failedAt;
    if (one.preference !== other.preference) return one.preference > other.preference;
    return this.#rank(one, now) > this.#rank(other, now);
  }

  /** What is in use stays in use, and who is known to be reachable goes before who is not. */
  #rank(router: Router, now: Instant): number {
    const state = this.#neighbours.state(router.address, now) ?? NeighbourState.Incomplete;
    return (state === NeighbourState.Incomplete ? 0 : 2) + (router === this.#chosen ? 1 : 0);
  }

  #use(router: Router | undefined, now: Instant): void {
    if (router === undefined) {
      if (this.#chosen !== undefined) this.#routes.remove(EVERYWHERE, METRIC);
    } else {
      this.#routes.set(
        { network: EVERYWHERE, gateway: router.address, metric: METRIC, expires: router.expires },
        now,
      );
    }
    this.#chosen = router;
  }
}
