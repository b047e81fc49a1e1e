/**
 * A host on a NIC: the tree of its layers, polled until it is closed, and the streams on it.
 *
 * @module
 */
import { Claim } from "../nic/claim.ts";
import type { Nic } from "../nic/device.ts";
import { NicError } from "../nic/error.ts";
import { poll } from "../nic/poll.ts";
import { segmenting } from "../nic/segmenting.ts";
import { Eth } from "../stack/eth/endpoint.ts";
import { inTurn, type TimedSender } from "../stack/handler.ts";
import { RandomPorts } from "../stack/host/ephemeral.ts";
import { Icmp } from "../stack/icmp/endpoint.ts";
import { Ip } from "../stack/ip/endpoint.ts";
import { protocols } from "../stack/ip/protocols.ts";
import { Autoconf, type AutoconfOptions } from "../stack/ndp/autoconf.ts";
import { PointToPoint } from "../stack/ptp/endpoint.ts";
import { Medium } from "../stack/slot.ts";
import { DhcpInformation } from "../stack/dhcp/information.ts";
import { Resolver } from "../stack/dns/resolver.ts";
import type { SipKey } from "../stack/store/siphash.ts";
import type { CongestionName } from "../stack/tcp/congestion/choice.ts";
import type { Accept, Listener } from "../stack/tcp/listener.ts";
import { Tcp } from "../stack/tcp/endpoint.ts";
import { Udp } from "../stack/udp/endpoint.ts";
import type { UdpRaw } from "../stack/udp/packet.ts";
import { Address } from "../stack/wire/address.ts";
import type { Cidr } from "../stack/wire/cidr.ts";
import type { Mac } from "../stack/wire/mac.ts";
import { checkPort, parseHostname } from "./address.ts";
import { Configuration } from "./configuration.ts";
import { coded, denoError, EndReason } from "./errors.ts";
import { type Hold, Lifetime, LifetimeNic } from "./lifetime.ts";
import { Names } from "./names.ts";
import { random } from "./random.ts";
import { Notices } from "./notices.ts";
import { Outbox } from "./outbox.ts";
import { type BufferLimits, type StreamHost, type StreamUser, TcpStream } from "./stream.ts";
import { TransportSender } from "./transport.ts";

/** How a {@linkcode Host} is set up: as a stack, with everything filled in. */
export interface HostOptions {
  readonly nic: Nic;
  readonly mac: Mac;
  readonly addresses: readonly (Cidr | string)[];
  readonly gateways: readonly (Address | string)[];
  readonly connections: number;
  readonly congestion: CongestionName;
  readonly buffers: BufferLimits;
  /** How it comes by addresses otherwise. */
  readonly autoconf: Omit<AutoconfOptions, "mac" | "secret">;
  /** Servers and domains to look names up with, before those that are learnt. */
  readonly dns: readonly (Address | string)[];
  readonly search: readonly string[];
  /** Whether an address is to be leased, and as whom. */
  readonly lease: { readonly hostname: string | undefined } | undefined;
}

/** How long a name waits for DHCPv6 to say whom to ask, in milliseconds: its delay, and two tries. */
const INFORMATION_LIMIT = 4_000;

/** How long closing waits for the last FINs to be acknowledged, in milliseconds: a retransmission has time for it. */
const LAST_ACK = 1_000;

/** NICs that hosts poll: two on one would take each other's frames. */
const polled = new WeakSet<Nic>();

/** What stands behind a stack. */
export class Host implements StreamHost {
  readonly nic: Nic;
  readonly eth: Eth;
  /** What the NIC's frames are: Ethernet, or what stands in for it where they are IP packets. */
  readonly link: Eth | PointToPoint;
  readonly ip: Ip;
  readonly icmp: Icmp = new Icmp();
  readonly udp: Udp;
  readonly tcp: Tcp;
  readonly notices: Notices = new Notices();
  readonly buffers: BufferLimits;
  /** Datagrams on their way out. */
  readonly outbox: Outbox;
  /** What is to be closed when the stack closes, beside streams. */
  readonly sockets: Set<Disposable> = new Set();
  /** Resolves when the cycle has ended. */
  readonly stopped: Promise<void>;
  /** Finds out what names mean. */
  readonly resolver: Resolver;
  /** The same for the sockets. */
  readonly names: Names = new Names(this);
  /** Leases an address; undefined: nobody wants that. */
  readonly configuration: Configuration | undefined;
  /** Makes addresses, or makes sure of them. */
  readonly autoconf: Autoconf;
  /** Resolves when {@linkcode Host.autoconf} has come to its end for the first time; rejects when it will not. */
  readonly settled: Promise<void>;
  /** Keeps the program running for the stack itself. */
  readonly life: Hold;
  readonly #lifetime = new Lifetime();
  readonly #streams = new Set<TcpStream>();
  readonly #stop = new AbortController();
  readonly #claim: Claim;
  readonly #settlement = Promise.withResolvers<void>();
  #isSettled = false;
  /** Looks whether what closing waits for has come. */
  #awaited: (() => void) | undefined;
  #dnsVersion = 0;
  /** Asks for DNS servers where routers say that DHCPv6 knows them. */
  readonly #information: DhcpInformation | undefined;
  #toldVersion = 0;
  readonly #listenerPorts: RandomPorts;

  /** A host that is polled from now on. Throws a {@linkcode NicError} if another one is on the NIC. */
  constructor(options: HostOptions) {
    const { nic, mac, addresses, gateways, connections, congestion } = options;
    if (polled.has(nic)) {
      throw new NicError(nic.name, "busy", "it has a stack already", "close that one first");
    }
    const seeds = crypto.getRandomValues(new Int32Array(8));
    const [seedHigh = 0, seedLow = 0, a = 0, b = 0, c = 0, d = 0, key = 0, more = 0] = seeds;
    const ports: SipKey = [random(), random(), random(), random()];
    this.nic = new LifetimeNic(nic, this.#lifetime);
    this.eth = new Eth({ mac });
    this.link = nic.info.medium === Medium.Ip ? new PointToPoint() : this.eth;
    this.ip = new Ip({ addresses, gateways, neighbours: { seed: [seedHigh, seedLow] }, seed: [key, more] });
    this.#claim = new Claim(nic, mac, this.ip.addresses);
    this.udp = new Udp({ unreachable: this.icmp, secret: ports });
    const { receive } = options.buffers;
    // A size that was asked for is offered whole, whatever is usual; the look-up of names has buffers of its own.
    const window = receive === undefined ? {} : { receiveWindow: Math.max(receive, 0xffff) };
    this.tcp = new Tcp({ secret: [a, b, c, d], connections, mtu: nic.info.mtu, congestion, ...window });
    this.#listenerPorts = new RandomPorts(ports);
    this.buffers = options.buffers;
    this.outbox = new Outbox(this.ip);
    const { ip, udp, tcp } = this;
    const servers = options.dns.map((one) => typeof one === "string" ? Address.parse(one) : one);
    this.resolver = new Resolver({ ip, udp, tcp, random, servers, search: options.search });
    this.configuration = options.lease === undefined
      ? undefined
      : new Configuration({ ip: this.ip, udp: this.udp, mac, hostname: options.lease.hostname });
    const own = this.link === this.eth ? options.autoconf : {};
    this.autoconf = new Autoconf(this.ip, { mac, secret: [random(), random(), random(), random()], ...own });
    const { ndp } = this.autoconf;
    if (ndp?.isAutoconfigured === true) {
      const isWanted = () => ndp.otherConfiguration;
      this.#information = new DhcpInformation({ ip, udp, mac, random, isWanted });
    }
    this.settled = this.#settlement.promise;
    this.settled.catch(() => {});
    if (this.configuration !== undefined) {
      this.configuration.onChange = (lease) => {
        this.resolver.learn("dhcp", lease?.dns ?? [], lease?.search ?? []);
      };
    }
    this.life = this.hold();
    this.#lifetime.onIdle = () => this.wake();
    polled.add(nic);
    this.stopped = this.#run().finally(() => polled.delete(nic));
  }

  /** Whether it is still polled. */
  get isRunning(): boolean {
    return !this.#stop.signal.aborted && this.nic.failure === undefined;
  }

  wake(): void {
    this.nic.wake();
  }

  hold(waits: number = 1): Hold {
    return this.#lifetime.hold(waits);
  }

  joined(stream: TcpStream): void {
    this.#streams.add(stream);
  }

  left(stream: TcpStream): void {
    this.#streams.delete(stream);
  }

  /** Throws what says so if the stack is closed. */
  check(): void {
    if (!this.isRunning) throw denoError(EndReason.Stopped);
  }

  /** The own address that a hostname writes; undefined: every one. Throws if it is not ours. */
  ownAddress(hostname: string | undefined): Address | undefined {
    if (hostname === undefined) return undefined;
    const address = parseHostname(hostname);
    if (address.isUnspecified) return undefined;
    if (this.ip.addresses.owns(address)) return address;
    const text = `Cannot assign requested address: ${hostname} is none of ${
      [...this.ip.addresses].join(", ")
    }`;
    throw coded(new Deno.errors.AddrNotAvailable(text), "EADDRNOTAVAIL");
  }

  /** The own address from which `destination` is reached. Throws if there is no way. */
  sourceFor(destination: Address): Address {
    const { addresses, path } = this.ip;
    const own = path.source(destination, this.nic.now());
    if (own !== undefined && !addresses.isForged(destination)) return own;
    throw coded(new Deno.errors.NetworkUnreachable("Network is unreachable"), "ENETUNREACH");
  }

  /** Begins to connect; the user hears how it ends. Throws if there is no way, or no room. */
  dial(hostname: string, port: number, user: StreamUser): TcpStream {
    this.check();
    const address = parseHostname(hostname);
    checkPort(port, 1);
    const localAddress = this.sourceFor(address);
    const stream = new TcpStream(this);
    stream.user = user;
    this.tick();
    const connection = this.tcp.connect({
      address,
      port,
      localAddress,
      sendBuffer: stream.sendBuffer,
      receiveBuffer: stream.receiveBuffer,
      handler: stream,
    });
    if (connection === undefined) {
      stream.life.end();
      throw coded(
        new Deno.errors.AddrNotAvailable("Cannot assign requested address: no port or no connection is free"),
        "EADDRNOTAVAIL",
      );
    }
    stream.join(connection);
    this.wake();
    return stream;
  }

  /** Listens; port 0: on a free one. `take` answers whether it wants the stream. Throws if the port is in use. */
  listen(
    hostname: string | undefined,
    port: number,
    backlog: number,
    hasRoom: () => boolean,
    take: (stream: TcpStream) => boolean,
  ): Listener {
    this.check();
    checkPort(port);
    const address = this.ownAddress(hostname);
    const accept: Accept = (connection) => {
      const stream = TcpStream.accept(this, connection);
      if (take(stream)) return stream;
      stream.life.end();
      this.left(stream);
      return undefined;
    };
    const options = { backlog, hasRoom, ...(address === undefined ? {} : { address }) };
    let listener: Listener | undefined;
    const listen = (port: number) => (listener = this.tcp.listen({ ...options, port }, accept)) !== undefined;
    if (port === 0) this.#listenerPorts.take(listen);
    else listen(port);
    if (listener === undefined) throw addressInUse();
    return listener;
  }

  /** Tells TCP what time it is, where it is used between bursts. */
  tick(): void {
    this.tcp.tick(this.nic.now());
  }

  /**
   * Ends everything. Streams still in use are reset; for those let go of, up to `linger` milliseconds are given to
   * deliver what was written.
   */
  async close(linger: number): Promise<void> {
    for (const socket of [...this.sockets]) socket[Symbol.dispose]();
    for (const stream of [...this.#streams]) {
      if (!stream.isReleased) stream.abort();
    }
    this.configuration?.client.stop();
    this.wake();
    await this.#during(linger, () => this.#isDelivering());
    // Lost, the last FIN leaves its peer reading for ever; but a peer may as well be gone.
    await this.#during(Math.min(linger, LAST_ACK), () => this.#isEnding());
    this.#stop.abort();
    await this.stopped;
  }

  /** Waits while something goes on, for at most so many milliseconds. */
  async #during(most: number, goesOn: () => boolean): Promise<void> {
    if (!this.isRunning || !goesOn()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited = () => void (goesOn() || resolve());
    const timer = setTimeout(resolve, most);
    await Promise.race([promise, this.stopped]);
    clearTimeout(timer);
    this.#awaited = undefined;
  }

  #isEnding(): boolean {
    for (const stream of this.#streams) {
      if (stream.isEnding) return true;
    }
    return false;
  }

  #isDelivering(): boolean {
    for (const stream of this.#streams) {
      if (stream.isDelivering) return true;
    }
    return !this.outbox.isEmpty || (this.configuration?.isReleasing ?? false);
  }

  async #run(): Promise<void> {
    const { link, ip, icmp, udp, tcp } = this;
    const receive = tcp.joining(link.recv(ip.recv(protocols({
      icmp: icmp.recv(udp.errors(tcp.errors())),
      udp: udp.recv(),
      tcp: tcp.recv(),
    }))));
    const send = segmenting(link.send(ip.send(new TransportSender(tcp, udp, this.#datagrams()))));
    try {
      await poll(this.nic, { receive, send, signal: this.#stop.signal, cycle: () => this.#tell() });
    } finally {
      this.#stop.abort();
      for (const stream of [...this.#streams]) stream.stop();
      this.outbox.stop();
      this.resolver.stop();
      for (const socket of [...this.sockets]) socket[Symbol.dispose]();
      this.configuration?.end(denoError(EndReason.Stopped));
      this.#settlement.reject(denoError(EndReason.Stopped));
      this.notices.run();
      this.life.end();
    }
  }

  /** What sends datagrams of its own, beside the sockets. */
  #datagrams(): TimedSender<UdpRaw> {
    const { counters } = this.udp;
    const { outbox, resolver, configuration } = this;
    const own: TimedSender<UdpRaw>[] = configuration === undefined
      ? [resolver]
      : [resolver, configuration.client];
    if (this.#information !== undefined) own.push(this.#information);
    return inTurn(() => counters.sent + counters.notSent, outbox, ...own);
  }

  /** Resolves when DHCPv6 has answered, if it is to be asked, or has had its time. */
  async serversKnown(): Promise<void> {
    const end = performance.now() + INFORMATION_LIMIT;
    while (this.#information?.isPending === true && this.isRunning && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** What routers say of DNS (RFC 8106). */
  #learnDns(): void {
    const told = this.#information;
    if (told !== undefined && told.version !== this.#toldVersion) {
      this.#toldVersion = told.version;
      this.resolver.learn("dhcpv6", told.servers, told.search);
    }
    const dns = this.autoconf.ndp?.dns;
    if (dns === undefined || dns.version === this.#dnsVersion) return;
    this.#dnsVersion = dns.version;
    this.resolver.learn("router", dns.servers, dns.search);
  }

  #tell(): void {
    this.#learnDns();
    this.configuration?.tell();
    this.#claim.follow();
    if (!this.#isSettled && this.autoconf.isSettled) {
      this.#isSettled = true;
      this.#settlement.resolve();
    }
    this.notices.run();
    this.#awaited?.();
  }
}

/** A port is somebody else's. */
export function addressInUse(): Error {
  return coded(new Deno.errors.AddrInUse("Address already in use"), "EADDRINUSE");
}
