/**
 * Names as the sockets use them: Promises over the resolver.
 *
 * @module
 */
import type { DnsAnswer } from "../stack/dns/answer.ts";
import type { Pending, QueryOptions, Resolver } from "../stack/dns/resolver.ts";
import { orderDestinations } from "../stack/host/address-policy.ts";
import type { Ip } from "../stack/ip/endpoint.ts";
import type { Instant } from "../stack/store/time.ts";
import { Address } from "../stack/wire/address.ts";
import { Type } from "../stack/wire/dns.ts";
import { coded, type CodedError, codeError } from "./errors.ts";
import type { Family } from "./eyeballs.ts";
import type { Hold } from "./lifetime.ts";

/** What names need of the stack they belong to. */
export interface NamesHost {
  readonly ip: Ip;
  readonly resolver: Resolver;
  readonly nic: { readonly now: () => Instant };
  readonly wake: () => void;
  /** Keeps the program running. */
  readonly hold: () => Hold;
  /** Resolves when it is known whether there are DNS servers. */
  readonly serversKnown: () => Promise<void>;
}

const TYPES: Readonly<Record<Family, number>> = { v4: Type.A, v6: Type.AAAA };

/** The look-ups of a stack. */
export class Names {
  readonly #host: NamesHost;

  /** Look-ups by a host's resolver. */
  constructor(host: NamesHost) {
    this.#host = host;
  }

  /** The families that can be reached: those with an own address that is of use beyond the link, or the only one. */
  get families(): Family[] {
    const own = [...this.#host.ip.addresses];
    const hasV4 = own.some(({ address }) => address.isV4);
    const v6 = own.filter(({ address }) => !address.isV4);
    const hasV6 = v6.some(({ address }) => !address.isLinkLocal) || (!hasV4 && v6.length > 0);
    const families: Family[] = [...(hasV6 ? ["v6" as const] : []), ...(hasV4 ? ["v4" as const] : [])];
    return families.length > 0 ? families : ["v4"];
  }

  /** Asks for a name's records; with `search`, by the search list. Rejects with the signal's reason. */
  async ask(
    name: string,
    type: number,
    options: QueryOptions & { readonly search?: boolean; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<DnsAnswer> {
    const { resolver, nic } = this.#host;
    const { signal } = options;
    if (resolver.servers.length === 0 && options.servers === undefined) {
      await unlessAborted(this.#host.serversKnown(), signal);
    }
    const hold = this.#host.hold();
    const asking = new Promise<DnsAnswer>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const pending: { now?: Pending } = {};
      const abort = () => {
        pending.now?.cancel();
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort);
      const done = (answer: DnsAnswer) => {
        signal?.removeEventListener("abort", abort);
        resolve(answer);
      };
      pending.now = options.search === true
        ? resolver.lookup(name, type, nic.now(), done, options)
        : resolver.query(name, type, nic.now(), done, options);
      this.#host.wake();
    });
    return await asking.finally(() => hold.end());
  }

  /** The addresses of a family that a name has, and what was answered. */
  async addresses(
    name: string,
    family: Family,
    signal?: AbortSignal,
  ): Promise<{ readonly answer: DnsAnswer; readonly addresses: readonly Address[] }> {
    const answer = await this.ask(toAscii(name), TYPES[family], { search: true, signal });
    return { answer, addresses: answer.records.flatMap(({ data }) => data instanceof Address ? [data] : []) };
  }

  /** The best address that a name has. Rejects with a `NotFound` or a `TimedOut` if there is none. */
  async address(name: string): Promise<Address> {
    const found = await Promise.all(this.families.map((family) => this.addresses(name, family)));
    const [best] = this.order(found.flatMap(({ addresses }) => addresses));
    if (best !== undefined) return best;
    throw notFound(name, found.map(({ answer }) => answer));
  }

  /** Addresses in the order in which they are to be tried (RFC 6724 6). */
  order(addresses: readonly Address[]): readonly Address[] {
    const { ip, nic } = this.#host;
    return orderDestinations(addresses, (destination) => {
      const own = ip.path.source(destination, nic.now());
      return own === undefined ? undefined : ip.addresses.find(own);
    });
  }
}

/** The error of a name that has no address: Deno's class, Node.js' code. */
export function notFound(name: string, answers: readonly DnsAnswer[]): CodedError {
  const failure = answers.find(({ status }) => status === "timeout" || status === "failed");
  const { message } = codeError(failure === undefined ? "ENOTFOUND" : "EAI_AGAIN", "getaddrinfo", name);
  if (failure !== undefined) {
    const text = failure.status === "timeout" ? "no DNS server has answered" : "the DNS servers have failed";
    return coded(new Deno.errors.TimedOut(`${message}: ${text}`), "EAI_AGAIN");
  }
  const isAlone = answers.some(({ status }) => status === "no-server");
  const text = isAlone ? "no DNS server is known: name one, or give an IP address" : "there is no such name";
  return coded(new Deno.errors.NotFound(`${message}: ${text}`), "ENOTFOUND");
}

/** Resolves with `promise`, or rejects with the signal's reason. */
async function unlessAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort);
  await Promise.race([promise, aborted]).finally(() => signal?.removeEventListener("abort", abort));
}

/** A name with other letters than ASCII's as DNS has it (RFC 5891); as it is where that cannot be. */
export function toAscii(name: string): string {
  if (/^\p{ASCII}*$/u.test(name)) return name;
  return URL.parse(`http://${name}`)?.hostname ?? name;
}
