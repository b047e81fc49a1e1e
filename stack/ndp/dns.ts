/**
 * DNS servers and search domains that routers advertise (RFC 8106).
 *
 * @module
 */
import { type Instant, NEVER } from "../store/time.ts";
import { Address } from "../wire/address.ts";

/** Servers, and domains, that are kept of each (RFC 8106 5.3.1 asks for three). */
export const DNS_MAX = 8;

interface Expiring {
  readonly expires: Instant;
}

interface Server extends Expiring {
  readonly address: Address;
}

interface Domain extends Expiring {
  readonly name: string;
}

/** What routers say of DNS. Whoever resolves names reads it when {@linkcode RouterDns.version} has grown. */
export class RouterDns {
  /** Grows with every change. */
  version = 0;
  #servers: readonly Server[] = [];
  #domains: readonly Domain[] = [];

  /** The servers' addresses, in the order of their being heard of. */
  get servers(): readonly Address[] {
    return this.#servers.map(({ address }) => address);
  }

  /** The search domains. */
  get search(): readonly string[] {
    return this.#domains.map(({ name }) => name);
  }

  /** Takes a server; one that has expired is let go. False: there are too many. */
  server(address: Address, expires: Instant, now: Instant): boolean {
    const others = this.#servers.filter((known) => !known.address.equals(address));
    const isKnown = others.length < this.#servers.length;
    if (expires <= now) this.#servers = others;
    else if (isKnown) {
      this.#servers = this.#servers.map((known) =>
        known.address.equals(address) ? { ...known, expires } : known
      );
      return true;
    } else if (others.length >= DNS_MAX) return false;
    else this.#servers = [...others, { address: new Address().copy(address), expires }];
    this.version++;
    return true;
  }

  /** Takes a search domain; one that has expired is let go. False: there are too many. */
  domain(name: string, expires: Instant, now: Instant): boolean {
    const others = this.#domains.filter((known) => known.name !== name);
    const isKnown = others.length < this.#domains.length;
    if (expires <= now) this.#domains = others;
    else if (isKnown) {
      this.#domains = this.#domains.map((known) => known.name === name ? { ...known, expires } : known);
      return true;
    } else if (others.length >= DNS_MAX) return false;
    else this.#domains = [...others, { name, expires }];
    this.version++;
    return true;
  }

  /** Lets go of what has expired. */
  expire(now: Instant): void {
    if (this.deadline() > now) return;
    this.#servers = this.#servers.filter(({ expires }) => expires > now);
    this.#domains = this.#domains.filter(({ expires }) => expires > now);
    this.version++;
  }

  /** When {@linkcode RouterDns.expire} next has something to do. */
  deadline(): Instant {
    const all: readonly Expiring[] = [...this.#servers, ...this.#domains];
    return all.reduce((least, { expires }) => Math.min(least, expires), NEVER);
  }
}
