/** The own addresses of a running host: how they come to be usable, and what is told of their changes. */
import { AddressOrigin, addressOriginName, AddressState, addressStateName, type OwnAddress } from "../mod.ts";
import type { Appliance } from "./appliance.ts";
import { CliError, ExitStatus } from "./cli/errors.ts";
import type { Output } from "./cli/output.ts";

/** Watches over the addresses that a host makes or makes sure of itself. */
export class OwnAddresses {
  readonly #appliance: Appliance;
  readonly #name: string;
  readonly #output: Output;
  readonly #known = new Map<string, string>();
  #version = -1;
  #dnsVersion = 0;
  #toldVersion = 0;
  #conflicts = 0;
  #isReady = false;

  /** `name` is the NIC as the command line names it. */
  constructor(appliance: Appliance, name: string, output: Output) {
    this.#appliance = appliance;
    this.#name = name;
    this.#output = output;
  }

  /** Runs the host until its addresses can be used. Throws a CliError when others have them all. */
  async settle(signal: AbortSignal): Promise<void> {
    const { autoconf, ip } = this.#appliance;
    if (!autoconf.isSettled) {
      const end = new AbortController();
      await this.#appliance.run(AbortSignal.any([signal, end.signal]), this.#appliance.answering(), () => {
        this.tell();
        if (autoconf.isSettled) end.abort();
      });
    }
    this.#isReady = true;
    if (signal.aborted) return;
    const [first] = [...ip.addresses];
    if (first === undefined) {
      const taken = ip.addresses.entries().map(({ cidr }) => cidr.address).join(", ");
      throw new CliError(
        ExitStatus.Failed,
        `no address on ${this.#name}: another host has ${taken}; write a free one behind --addr`,
      );
    }
    if (autoconf.ndp?.isAutoconfigured === true && autoconf.ndp.routers.list().length === 0) {
      this.#output.warn(`no router advertises itself on ${this.#name}; still listening`);
    }
  }

  /** Tells what has changed; after each cycle. */
  tell(): void {
    const { ip, autoconf, resolver, information } = this.#appliance;
    this.#tellConflicts();
    if (resolver !== undefined && information !== undefined && information.version !== this.#toldVersion) {
      this.#toldVersion = information.version;
      resolver.learn("dhcpv6", information.servers, information.search);
    }
    const dns = autoconf.ndp?.dns;
    if (resolver !== undefined && dns !== undefined && dns.version !== this.#dnsVersion) {
      this.#dnsVersion = dns.version;
      resolver.learn("router", dns.servers, dns.search);
    }
    if (ip.addresses.version === this.#version) return;
    this.#version = ip.addresses.version;
    const present = new Set<string>();
    for (const own of ip.addresses.entries()) {
      const text = String(own.cidr);
      present.add(text);
      this.#show(own, text);
    }
    for (const text of [...this.#known.keys()].filter((known) => !present.has(known))) {
      this.#known.delete(text);
      this.#output.aside("address", { change: "removed", address: text });
    }
  }

  #show(own: OwnAddress, text: string): void {
    const state = addressStateName(own.state);
    if (this.#known.get(text) === state) return;
    const isNew = !this.#known.has(text);
    this.#known.set(text, state);
    if (own.state === AddressState.Duplicate) {
      this.#output.aside("address", { change: state, address: text });
      this.#output.warn(`${own.cidr.address} is another host's on ${this.#name}, so it is not used`);
      return;
    }
    // What was written on the command line, or leased, is told of elsewhere; the ready event tells of the first ones.
    if (!this.#isReady || own.origin === AddressOrigin.Dhcp) return;
    if (own.origin === AddressOrigin.Manual && isNew) return;
    const source = addressOriginName(own.origin);
    this.#output.aside("address", { change: state, source, address: text });
    this.#output.line(`${text} (${source}) is ${state}`);
  }

  #tellConflicts(): void {
    const { ip, autoconf } = this.#appliance;
    const conflicts = ip.arp.conflicts.counters.conflicts + (autoconf.ndp?.counters.conflicts ?? 0);
    if (conflicts === this.#conflicts) return;
    const isFirst = this.#conflicts === 0;
    this.#conflicts = conflicts;
    // Once: whoever goes on is counted, and a flood of claims is no flood of lines.
    if (!isFirst) return;
    this.#output.aside("conflict", { nic: this.#name });
    this.#output.warn(
      `another host on ${this.#name} claims an address of ours; it is counted in the summary`,
    );
  }
}
