/** From a command's options to a host on an open NIC. */
import {
  Address,
  Cidr,
  CONGESTION_CONTROLS,
  type CongestionName,
  formatNicSpec,
  kernelCongestion,
  type Mac,
  type Nic,
  type NicSpec,
  type OpenedNic,
  openNic,
  PointToPoint,
} from "../mod.ts";
import { Appliance, type Tree } from "./appliance.ts";
import { UsageError } from "./cli/errors.ts";
import type { Json, Output } from "./cli/output.ts";
import type { OwnAddress } from "./cli/parse.ts";
import { pause } from "./cli/stop.ts";
import { LeasedHost, leaseFields } from "./lease.ts";
import type { LeaseFile } from "./lease-file.ts";
import { macFor } from "./mac-for.ts";
import { OwnAddresses } from "./own-addresses.ts";
import { nameServers } from "./name-servers.ts";
import { Neighbour } from "./neighbour.ts";
import { stableSecret } from "./stable-secret.ts";
import { dropLayers } from "./report.ts";
import type { TunnelSpec } from "./tunnelled.ts";
import { checkWays, freeAddress, neighbourAddresses } from "./ways.ts";
import { Wire, type WireOptions } from "./wire.ts";

/** The options that {@linkcode openStation} honours. */
export interface StationOptions extends WireOptions {
  readonly nic: NicSpec;
  readonly addr?: readonly OwnAddress[] | undefined;
  /** The own name, which a DHCP server is told. */
  readonly hostname?: string | undefined;
  /** DNS servers, where names are to be looked up; absent: they are not. */
  readonly dns?: readonly Address[] | undefined;
  readonly gateway?: readonly Address[] | undefined;
  readonly mac?: Mac | undefined;
  readonly congestion?: CongestionName | undefined;
  readonly verbose?: boolean | undefined;
  readonly detectConflicts?: true | undefined;
  readonly tunnel?: TunnelSpec | undefined;
  readonly temporary?: true | undefined;
  readonly vlan?: number | undefined;
  readonly leases?: LeaseFile | undefined;
  /** The command does not pass routers, and has no --gateway. */
  readonly isDirect?: true | undefined;
}

/** What a station does once it has its addresses. */
export interface Work {
  readonly tree: Tree;
  /** Called after every cycle. */
  readonly cycle?: () => void;
}

/** What a wire in memory has for an own address, where none is given. */
const LINK_ADDRESS = "10.0.0.1/24";

/** How long is given to say goodbye, in milliseconds. */
const FAREWELL = 200;

/** How often the interface is looked at, in milliseconds. */
const WATCH = 500;

/** A host that runs on a NIC, and the neighbour on the other end of a wire in memory. */
export class Station {
  readonly appliance: Appliance;
  /** What is between the NIC and the host. */
  readonly wire: Wire;
  /** The NIC as the command line names it. */
  readonly name: string;
  readonly #neighbour: Neighbour | undefined;
  readonly #opened: OpenedNic;
  readonly #wanted: readonly OwnAddress[];

  constructor(
    appliance: Appliance,
    wire: Wire,
    opened: OpenedNic,
    wanted: readonly OwnAddress[],
    neighbour?: Neighbour,
  ) {
    this.appliance = appliance;
    this.wire = wire;
    wire.watch(() => dropLayers(appliance));
    this.name = formatNicSpec(opened.spec);
    this.#opened = opened;
    this.#wanted = wanted;
    this.#neighbour = neighbour;
  }

  /** The fields of the ready event. */
  describe(): {
    nic: string;
    mac?: string;
    addresses: string[];
    dhcp?: { readonly [name: string]: Json };
    tunnel?: { readonly [name: string]: Json };
  } {
    const { eth, link, ip, dhcp, tunnelled } = this.appliance;
    const mac = link instanceof PointToPoint ? {} : { mac: String(eth.mac) };
    return {
      nic: this.name,
      ...mac,
      addresses: [...ip.addresses].map(String),
      ...(tunnelled === undefined ? {} : { tunnel: tunnelled.describe() }),
      ...(dhcp?.lease === undefined ? {} : { dhcp: leaseFields(dhcp.lease) }),
    };
  }

  /** The own addresses as they were asked for: those that were written, and where others are to be had from. */
  get wanted(): readonly (Cidr | string)[] {
    return this.#wanted;
  }

  /**
   * Gets the addresses that are to be had from others, then does what `begin` answers until the signal aborts. Warns
   * when the interface goes down or comes up, and closes the NIC in the end. Throws when the NIC fails, when a capture
   * could not be written, and when no address was to be had in time, unless `isPatient` is set.
   */
  run(
    signal: AbortSignal,
    output: Output,
    begin: () => Work | Promise<Work>,
    isPatient: boolean = false,
  ): Promise<void> {
    return this.#around(signal, output, async () => {
      const { appliance } = this;
      const { dhcp } = appliance;
      const host = dhcp === undefined ? undefined : new LeasedHost(appliance, dhcp, this.name, output);
      await host?.acquire(signal, isPatient);
      const addresses = new OwnAddresses(appliance, this.name, output);
      if (!signal.aborted) await addresses.settle(signal);
      if (signal.aborted) return;
      const begun = await this.#during(signal, begin, () => host?.tell());
      if (begun === undefined) return await host?.release();
      const { tree, cycle } = begun;
      const { mdns } = appliance;
      let name = "";
      await appliance.run(signal, tree, () => {
        host?.tell();
        // The event that says that the host is ready is the first of all.
        cycle?.();
        addresses.tell();
        const isKnown = mdns?.state === "announcing" || mdns?.state === "running";
        if (mdns !== undefined && isKnown && mdns.name !== name) {
          name = mdns.name;
          output.event("name", { name });
          output.line(`the name on the link is ${name}`);
        }
      });
      await this.#farewell();
      await host?.release();
    });
  }

  /** Gives the name on the link up. */
  async #farewell(): Promise<void> {
    const { mdns, nic } = this.appliance;
    if (mdns === undefined || nic.failure !== undefined) return;
    mdns.stop();
    const end = new AbortController();
    const timer = setTimeout(() => end.abort(), FAREWELL);
    await this.appliance.run(end.signal, this.appliance.answering(), () => {
      if (mdns.state === "stopped") end.abort();
    });
    clearTimeout(timer);
  }

  /** Runs the host while what `begin` answers is awaited. Undefined: the signal aborted meanwhile. */
  async #during(
    signal: AbortSignal,
    begin: () => Work | Promise<Work>,
    cycle: () => void,
  ): Promise<Work | undefined> {
    const awaited = begin();
    if (!(awaited instanceof Promise)) return awaited;
    const end = new AbortController();
    const stop = () => end.abort();
    signal.addEventListener("abort", stop);
    awaited.then(stop, stop);
    await this.appliance.run(end.signal, this.appliance.answering(), cycle);
    signal.removeEventListener("abort", stop);
    return signal.aborted ? undefined : await awaited;
  }

  /** The same, but `work` has the NIC and not the appliance, and sees to addresses itself. */
  lend(signal: AbortSignal, output: Output, work: (nic: Nic) => Promise<void>): Promise<void> {
    return this.#around(signal, output, () => work(this.appliance.nic));
  }

  async #around(signal: AbortSignal, output: Output, work: () => Promise<void>): Promise<void> {
    const end = new AbortController();
    const neighbour = this.#neighbour?.run(end.signal);
    const watch = this.#watcher(output);
    watch();
    const timer = setInterval(watch, WATCH);
    try {
      await untilRunning(this.#opened, signal);
      await work();
    } finally {
      clearInterval(timer);
      end.abort();
      await neighbour;
      this.close();
      output.release();
    }
    this.wire.check();
  }

  /** Gives the NIC back; a station that has run has done so. */
  close(): void {
    this.appliance.nic.close();
  }

  #watcher(output: Output): () => void {
    let wasUp = true;
    return () => {
      const isUp = this.#opened.isUp();
      if (isUp !== wasUp && this.appliance.nic.failure === undefined) {
        if (isUp) {
          this.appliance.dhcp?.confirm();
          this.appliance.autoconf.announce();
          this.appliance.mdns?.confirm();
          this.appliance.nic.wake();
        }
        const { spec } = this.#opened;
        // With "dev", or an interface called "a" is taken for a word.
        const remedy = `ip link set dev ${spec.kind === "link" ? "" : spec.name} up`;
        output.warn(isUp ? `${this.name} is up` : `${this.name} is down; switch it on with: ${remedy}`);
      }
      wasUp = isUp;
    };
  }
}

/** When Linux' link watch has noticed a new cable: usually after a few milliseconds, after a second at the latest. */
const LINK_WATCH = { least: 30, most: 1_500 };

/**
 * Waits until the operating system sends to an interface that is switched on: it drops what it sends right after the
 * cable was put in, ARP requests too, and repeats those only a second later. A new interface says that it runs before
 * it does, hence the least wait.
 */
export async function untilRunning(opened: OpenedNic, signal: AbortSignal): Promise<void> {
  if (opened.peer !== undefined || !opened.isUp()) return;
  await pause(LINK_WATCH.least, signal);
  for (let waited = LINK_WATCH.least; waited < LINK_WATCH.most && !opened.isRunning(); waited += 5) {
    if (signal.aborted) return;
    await pause(5, signal);
  }
}

/**
 * Opens the NIC and sets a host up on it. `talksTo` is whom the command talks to: on a wire in memory, the neighbour is
 * that host, and only answers. Throws a CliError, or a NicError when the NIC cannot be opened.
 */
export function openStation(
  options: StationOptions,
  output: Output,
  talksTo?: Address,
  open: (spec: NicSpec) => OpenedNic = openNic,
): Station {
  const name = formatNicSpec(options.nic);
  const wanted = options.addr ?? (options.nic.kind === "link" ? [Cidr.parse(LINK_ADDRESS)] : []);
  const isLeased = wanted.includes("dhcp");
  const isMade = wanted.includes("slaac") || wanted.includes("link-local");
  const addresses = wanted.filter((one) => typeof one !== "string");
  const [first] = addresses;
  if (first === undefined && !isLeased && !isMade) {
    throw new UsageError(
      `--addr is missing: on ${name}, write the own address, as in --addr 10.0.0.1/24, or --addr dhcp`,
    );
  }
  if (options.temporary === true && !wanted.includes("slaac")) {
    throw new UsageError("--temporary: temporary addresses are made of routers' prefixes; add --addr slaac");
  }
  if (options.vlan !== undefined && (options.nic.kind === "tun" || options.nic.kind === "link")) {
    throw new UsageError(`--vlan: there are no VLANs on ${name}; leave it out, or take a tap: or raw: NIC`);
  }
  if (options.mac !== undefined && options.nic.kind === "tun") {
    throw new UsageError(`--mac: ${name} has no hardware addresses; leave it out`);
  }
  const dns = options.dns === undefined ? undefined : nameServers({ ...options, addr: wanted });
  if (dns?.length === 0 && !isLeased && !wanted.includes("slaac")) {
    throw new UsageError(
      "HOST: to look names up, name a DNS server, as in --dns 10.0.0.2, or lease one with --addr dhcp",
    );
  }
  if (isLeased && (options.nic.kind === "link" || options.nic.kind === "tun")) {
    throw new UsageError(`--addr: nobody leases addresses on ${name}; write one, as in 10.0.0.1/24`);
  }
  if ((isMade || options.detectConflicts === true) && options.nic.kind === "tun") {
    throw new UsageError(`--addr: ${name} has no hardware addresses to ask; write one, as in 10.0.0.1/24`);
  }
  if (options.tunnel !== undefined && (isLeased || first === undefined)) {
    throw new UsageError(
      "--tunnel: its own end must be known from the start; write --addr, as in 10.0.0.1/24",
    );
  }
  checkWays(addresses, options.gateway ?? [], talksTo, isLeased || isMade, options.isDirect);
  const theirs = options.nic.kind === "link" && first !== undefined
    ? talksTo ?? freeAddress(first, addresses)
    : undefined;
  const opened = open(options.nic);
  const { nic, peer, kernelMac } = opened;
  try {
    const mac = options.mac ?? macFor(name);
    if (kernelMac?.equals(mac) === true) {
      throw new UsageError(`--mac: ${mac} is the kernel's own address on ${name}; choose another`);
    }
    const wire = new Wire(nic, name, options, options.verbose === true ? { output, trace: {} } : undefined);
    const appliance = new Appliance({
      nic: wire.nic,
      mac,
      addresses,
      gateways: options.gateway,
      vlan: options.vlan,
      dhcp: isLeased ? { hostname: options.hostname } : undefined,
      leases: options.leases,
      autoconf: {
        secret: stableSecret(name),
        slaac: wanted.includes("slaac"),
        temporary: options.temporary ?? false,
        linkLocal: wanted.includes("link-local"),
        detectConflicts: options.detectConflicts ?? false,
        announce: true,
      },
      dns,
      localName: options.nic.kind === "tun" ? undefined : options.hostname,
      congestion: options.congestion ?? congestionHere(options.nic),
      tunnel: options.tunnel,
    });
    if (peer === undefined || theirs === undefined || first === undefined) {
      return new Station(appliance, wire, opened, wanted);
    }
    const neighbours = neighbourAddresses(theirs, addresses, options.gateway ?? []);
    const pings = talksTo === undefined ? first.address : undefined;
    return new Station(appliance, wire, opened, wanted, new Neighbour(peer, neighbours, pings));
  } catch (error) {
    nic.close();
    throw error;
  }
}

/** What the kernel's own TCP uses here, if we have it: who chose that for the machine means this host as well. */
function congestionHere(nic: NicSpec): CongestionName | undefined {
  const kernels = nic.kind === "link" ? undefined : kernelCongestion();
  return CONGESTION_CONTROLS.find((name) => name === kernels);
}
