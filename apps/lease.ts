/** The lease of a host's address: how it is got, kept, told of and given back. */
import { type DhcpClient, type DhcpEvent, DhcpState, type Lease } from "../mod.ts";
import type { Appliance } from "./appliance.ts";
import { CliError, ExitStatus } from "./cli/errors.ts";
import { lengthOfTime } from "./cli/format.ts";
import type { Json, Output } from "./cli/output.ts";

/** How long commands that come to an end wait for an address, in milliseconds. */
export const ADDRESS_LIMIT = 30_000;
/** How long is given to tell the server that its address is given back, in milliseconds. */
const FAREWELL = 500;

/** What is said when there is none to be had. */
export function noAddress(name: string): string {
  return `no address on ${name}: no DHCP server has leased one within ${ADDRESS_LIMIT / 1_000} s; ` +
    "is one on that link? Or write an address, as in --addr 10.0.0.1/24";
}

/** What a lease is called in events. */
export function leaseFields(lease: Lease): { readonly [name: string]: Json } {
  return {
    address: `${lease.address}/${lease.prefix}`,
    server: String(lease.server),
    routers: lease.routers.map(String),
    dns: lease.dns.map(String),
    search: lease.search,
    seconds: Number.isFinite(lease.duration) ? lease.duration : null,
  };
}

/** A host whose address is leased. */
export class LeasedHost {
  readonly #appliance: Appliance;
  readonly #client: DhcpClient;
  readonly #name: string;
  readonly #output: Output;
  #isReady = false;
  #hasWarned = false;

  /** `name` is the NIC as the command line names it. */
  constructor(appliance: Appliance, client: DhcpClient, name: string, output: Output) {
    this.#appliance = appliance;
    this.#client = client;
    this.#name = name;
    this.#output = output;
  }

  /** Runs the host until it has an address. Throws a CliError if that takes too long and `isPatient` is not set. */
  async acquire(signal: AbortSignal, isPatient: boolean): Promise<void> {
    const end = new AbortController();
    const stop = () => end.abort();
    signal.addEventListener("abort", stop);
    const timer = isPatient ? undefined : setTimeout(stop, ADDRESS_LIMIT);
    try {
      await this.#appliance.run(AbortSignal.any([signal, end.signal]), this.#appliance.answering(), () => {
        this.tell();
        if (this.#client.lease !== undefined) stop();
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
    if (signal.aborted || this.#client.lease !== undefined) {
      this.#isReady = true;
      return;
    }
    throw new CliError(ExitStatus.Failed, noAddress(this.#name));
  }

  /** Tells what has happened to the lease; after each cycle. */
  tell(): void {
    for (let event = this.#client.nextEvent(); event !== undefined; event = this.#client.nextEvent()) {
      this.#keep(event);
      this.#show(event);
    }
  }

  /** Gives the lease back, unless it is kept. */
  async release(): Promise<void> {
    const { nic, leases } = this.#appliance;
    if (leases !== undefined) return;
    this.#client.stop();
    if (nic.failure !== undefined) return;
    const end = new AbortController();
    const timer = setTimeout(() => end.abort(), FAREWELL);
    await this.#appliance.run(end.signal, this.#appliance.answering(), () => {
      if (this.#client.state === DhcpState.Stopped) end.abort();
    });
    clearTimeout(timer);
  }

  #keep({ kind }: DhcpEvent): void {
    if (kind === "silence" || kind === "declined") return;
    const { leases, eth, nic } = this.#appliance;
    const { lease, expires } = this.#client;
    leases?.keepOwn(String(eth.mac), lease, (expires - nic.now()) / 1e6);
  }

  #show(event: DhcpEvent): void {
    const output = this.#output;
    const { lease } = this.#client;
    this.#appliance.resolver?.learn("dhcp", lease?.dns ?? [], lease?.search ?? []);
    switch (event.kind) {
      case "silence":
        // The first call may have been before the server's switch port was up.
        if (event.tries < 2 || this.#hasWarned) return;
        this.#hasWarned = true;
        return output.warn(`no DHCP server answers on ${this.#name}; still asking`);
      case "declined":
        return output.warn(`${event.address} is used by somebody else; another one is asked for`);
      case "lost":
        this.#hasWarned = false;
        output.aside("address", {
          change: "lost",
          source: "dhcp",
          reason: event.reason,
          address: String(event.address),
        });
        return output.line(`lost ${event.address}: ${REASONS[event.reason]}`);
      default: {
        this.#hasWarned = false;
        // The ready event tells of the first one.
        if (!this.#isReady) return;
        output.aside("address", { change: event.kind, source: "dhcp", ...leaseFields(event.lease) });
        const { address, prefix, server, duration } = event.lease;
        const time = Number.isFinite(duration) ? `for ${lengthOfTime(duration * 1e6)}` : "for good";
        output.line(`${event.kind} ${address}/${prefix} from ${server} ${time}`);
      }
    }
  }
}

const REASONS = {
  expired: "its lease was not renewed",
  refused: "the DHCP server refused it",
  conflict: "somebody else uses it",
  released: "given back",
} as const;
