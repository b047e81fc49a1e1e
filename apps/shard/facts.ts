/**
 * What all stacks of a host must know alike and the one that speaks for it finds out: addresses, routes, what routers and
 * servers say of the link. One thread writes, in shared memory, and all others look whether there is anything new.
 */
import {
  Address,
  type Addresses,
  type AddressOrigin,
  AddressState,
  Cidr,
  type Instant,
  type Ip,
  NEVER,
  type Route,
  type RouteKind,
  RouteKind as Kind,
} from "../../mod.ts";

/** Bytes for the facts as JSON: of the 4,096 routes that there may be, and of more addresses than any host has. */
const ROOM = 4 << 20;

/** Words before them: the version, odd while they are being written, and their length. */
const VERSION = 0, LENGTH = 1, HEAD = 4;

/** An own address as it is told. */
interface AddressFact {
  readonly cidr: string;
  readonly state: AddressState;
  readonly origin: AddressOrigin;
  readonly isOnLink: boolean;
}

/** A route as it is told. */
interface RouteFact {
  readonly network: string;
  readonly kind: RouteKind;
  readonly gateway?: string;
  readonly metric: number;
}

/** The facts of one moment. */
export interface Facts {
  /** The hops of IPv6 packets, as a router says (RFC 4861 6.3.4). */
  readonly hopLimit: number;
  /** The longest packets of IPv4 and IPv6 that the link takes, as servers and routers say. */
  readonly linkMtus: readonly [number, number];
  readonly addresses: readonly AddressFact[];
  readonly routes: readonly RouteFact[];
}

/** The memory that they are in. */
export function factsMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEAD * 4 + ROOM);
}

/** The side of who finds them out. */
export class FactsWriter {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #ip: Ip;
  #seen = -1;
  #hopLimit = 0;
  #expires: Instant = NEVER;

  constructor(memory: ArrayBufferLike, ip: Ip) {
    this.#words = new Int32Array(memory, 0, HEAD);
    this.#bytes = new Uint8Array(memory, HEAD * 4);
    this.#ip = ip;
  }

  /** The version of what was written last. */
  get version(): number {
    return Atomics.load(this.#words, VERSION);
  }

  /** Writes if anything has changed; true: it has. */
  follow(now: Instant): boolean {
    const { addresses, routes: table, pathMtus, hopLimitV6 } = this.#ip;
    const seen = addresses.version + table.version + pathMtus.version;
    if (seen === this.#seen && hopLimitV6 === this.#hopLimit && now < this.#expires) return false;
    this.#seen = seen;
    this.#hopLimit = hopLimitV6;
    const routes = [...table].filter(({ expires }) => expires > now);
    this.#expires = routes.reduce((least, { expires }) => Math.min(least, expires), NEVER);
    const facts: Facts = {
      hopLimit: hopLimitV6,
      linkMtus: [pathMtus.linkMtu(true), pathMtus.linkMtu(false)],
      // Those that cannot be used are the writer's affair.
      addresses: addresses.entries().filter(({ state }) => {
        return state === AddressState.Preferred || state === AddressState.Deprecated;
      }).map(({ cidr, state, origin, isOnLink }) => ({ cidr: String(cidr), state, origin, isOnLink })),
      routes: routes.map(routeFact),
    };
    Atomics.add(this.#words, VERSION, 1);
    const { written } = new TextEncoder().encodeInto(JSON.stringify(facts), this.#bytes);
    this.#words[LENGTH] = written;
    Atomics.add(this.#words, VERSION, 1);
    return true;
  }
}

/** The side of who must know them. */
export class FactsReader {
  /** The version of what was read last. */
  version = 0;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory: ArrayBufferLike) {
    this.#words = new Int32Array(memory, 0, HEAD);
    this.#bytes = new Uint8Array(memory, HEAD * 4);
  }

  /** What is known now; undefined: nothing new, or it is being written. */
  read(): Facts | undefined {
    const version = Atomics.load(this.#words, VERSION);
    if (version === this.version || (version & 1) !== 0) return undefined;
    // A text decoder takes no shared memory.
    const copy = this.#bytes.slice(0, this.#words[LENGTH]);
    if (Atomics.load(this.#words, VERSION) !== version) return undefined;
    this.version = version;
    return JSON.parse(new TextDecoder().decode(copy));
  }
}

/** The addresses that are to go: they are in the table, and no more in the facts. */
export function goneAddresses(addresses: Addresses, facts: Facts): Address[] {
  const known = facts.addresses.map(({ cidr }) => Cidr.parse(cidr).address);
  return addresses.entries().map(({ cidr }) => cidr.address).filter((own) => {
    return !known.some((one) => one.equals(own));
  });
}

/** Makes a host's tables say what the facts do. */
export function applyFacts(facts: Facts, ip: Ip): void {
  const { addresses, routes, pathMtus } = ip;
  ip.hopLimitV6 = facts.hopLimit;
  const [v4, v6] = facts.linkMtus;
  pathMtus.setLinkMtu(true, v4);
  pathMtus.setLinkMtu(false, v6);
  for (const address of goneAddresses(addresses, facts)) addresses.remove(address);
  for (const { cidr, state, origin, isOnLink } of facts.addresses) {
    const { address } = Cidr.parse(cidr);
    const own = addresses.find(address);
    const isSame = own !== undefined && String(own.cidr) === cidr && own.isOnLink === isOnLink &&
      own.origin === origin;
    if (!isSame) addresses.add(cidr, { state, origin, isOnLink });
    else if (own.state !== state) addresses.setState(address, state);
  }
  const wanted = new Map(facts.routes.map((fact) => [keyOf(fact), fact]));
  for (const route of [...routes]) {
    const key = keyOf(routeFact(route));
    if (!wanted.delete(key)) routes.remove(route.network, route.metric);
  }
  for (const { network, kind, gateway, metric } of wanted.values()) {
    const way = gateway === undefined ? {} : { gateway: Address.parse(gateway) };
    routes.set({ network: Cidr.parse(network), kind, metric, ...way });
  }
}

function routeFact({ network, kind, gateway, metric }: Route): RouteFact {
  const way = kind === Kind.Gateway ? { gateway: String(gateway) } : {};
  return { network: `${network.network}/${network.prefix}`, kind, metric, ...way };
}

function keyOf({ network, kind, gateway, metric }: RouteFact): string {
  return `${network} ${kind} ${gateway} ${metric}`;
}
