/**
 * A TCP/IP stack on a NIC, with sockets in the shapes of Deno and of Node.js.
 *
 * @module
 */
import type { Nic, NicCounters } from "../nic/device.ts";
import { NicError } from "../nic/error.ts";
import { openNic } from "../nic/open.ts";
import type { ArpCounters } from "../stack/arp/endpoint.ts";
import type { Lease } from "../stack/dhcp/lease.ts";
import type { DnsAnswer } from "../stack/dns/answer.ts";
import type { Resolver } from "../stack/dns/resolver.ts";
import type { EthCounters } from "../stack/eth/endpoint.ts";
import type { Addresses } from "../stack/host/addresses.ts";
import type { IcmpCounters } from "../stack/icmp/endpoint.ts";
import type { MembershipCounters } from "../stack/multicast/counters.ts";
import type { Ip, IpCounters } from "../stack/ip/endpoint.ts";
import type { PointToPointCounters } from "../stack/ptp/endpoint.ts";
import { Medium } from "../stack/slot.ts";
import type { TcpCounters } from "../stack/tcp/counters.ts";
import type { UdpCounters } from "../stack/udp/endpoint.ts";
import { Mac } from "../stack/wire/mac.ts";
import { TcpConn } from "./conn.ts";
import { DatagramConn, type DatagramOptions } from "./datagram.ts";
import { connect } from "./connect.ts";
import { coded } from "./errors.ts";
import { Host } from "./host.ts";
import { toAscii } from "./names.ts";
import { Net } from "./net.ts";
import {
  queryOptions,
  type ResolvedRecord,
  resolveNames,
  type ResolveOptions,
  type ResolveType,
} from "./resolve.ts";
import { checkOptions, type StackOptions } from "./stack-options.ts";
import { type HttpServer, type ServeHandler, serveHttp, type ServeOptions } from "./serve.ts";
import { TcpListener, type TcpListenOptions } from "./listener.ts";

/** Where a connection goes. */
export interface TcpConnectOptions {
  /** The peer's address or name. Of a name's addresses the first that answers is taken (RFC 8305). */
  readonly hostname: string;
  /** The peer's port. */
  readonly port: number;
  /** Only for the shape: TCP is all there is. */
  readonly transport?: "tcp";
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
}

/** What passed each part of a stack and what did not, by reason. Living objects: read them whenever. */
export interface StackCounters {
  /** The NIC's. */
  readonly nic: NicCounters;
  /** Ethernet's; all zero on a NIC whose frames are IP packets. */
  readonly eth: EthCounters;
  /** The link's: Ethernet's, or a point-to-point link's. */
  readonly link: EthCounters | PointToPointCounters;
  /** ARP's. */
  readonly arp: ArpCounters;
  /** IP's. */
  readonly ip: IpCounters;
  /** Those of IGMP and MLD. */
  readonly membership: MembershipCounters;
  /** ICMP's. */
  readonly icmp: IcmpCounters;
  /** UDP's. */
  readonly udp: UdpCounters;
  /** TCP's. */
  readonly tcp: TcpCounters;
}

/** Stand for addresses among those of a stack. */
const DHCP = "dhcp", SLAAC = "slaac", LINK_LOCAL = "link-local";
const WORDS: readonly unknown[] = [DHCP, SLAAC, LINK_LOCAL];

/** How long in milliseconds a stack that closes goes on to deliver what was written. */
const LINGER = 5_000;

/**
 * A host of its own: addresses, TCP and UDP ports that are none of the operating system's.
 *
 * ```ts ignore
 * await using stack = await Stack.open({ nic: "tap:tap0", addresses: ["10.0.0.1/24"] });
 * for await (const conn of stack.listen({ port: 7 })) conn.readable.pipeTo(conn.writable);
 * ```
 *
 * The stack keeps the program running until it is closed or unref'd. Unref'd, it leaves that to its sockets, which do as
 * Deno's and Node.js' do: they hold the program while somebody waits for them, and servers as long as they run.
 */
export class Stack implements AsyncDisposable {
  /** The own hardware address. */
  readonly mac: Mac;
  /** The NIC. */
  readonly nic: Nic;
  /** What passed and what was dropped. */
  readonly counters: StackCounters;
  /** Sockets in the shape of node:net. */
  readonly net: Net;
  /** Resolves when the stack is closed; rejects with a {@linkcode NicError} when its NIC fails. */
  readonly closed: Promise<void>;
  readonly #host: Host;
  readonly #ownsNic: boolean;
  #isClosed = false;

  private constructor(nic: Nic, ownsNic: boolean, mac: Mac, options: StackOptions) {
    this.nic = nic;
    this.mac = mac;
    this.#ownsNic = ownsNic;
    checkOptions(options);
    const isLeased = options.addresses.includes(DHCP);
    if (isLeased && nic.info.medium === Medium.Ip) {
      throw new RangeError(`"dhcp" is no address on ${nic.name}: it has no hardware addresses; write one`);
    }
    const host = this.#host = new Host({
      nic,
      mac,
      addresses: options.addresses.filter((address) => !WORDS.includes(address)),
      autoconf: {
        slaac: options.addresses.includes(SLAAC),
        linkLocal: options.addresses.includes(LINK_LOCAL),
        temporary: options.temporary ?? false,
        detectConflicts: options.detectConflicts ?? false,
        announce: true,
      },
      lease: isLeased ? { hostname: options.hostname } : undefined,
      gateways: options.gateways ?? [],
      dns: options.dns ?? [],
      search: options.search ?? [],
      connections: options.connections ?? 1_024,
      congestion: options.congestion ?? "cubic",
      buffers: { receive: options.receiveBuffer, send: options.sendBuffer },
    });
    const { eth, link, ip, icmp, udp, tcp } = host;
    this.counters = {
      nic: nic.counters,
      eth: eth.counters,
      link: link.counters,
      arp: ip.arp.counters,
      ip: ip.counters,
      membership: host.autoconf.membership.counters,
      icmp: icmp.counters,
      udp: udp.counters,
      tcp: tcp.counters,
    };
    this.net = new Net(host);
    this.closed = this.#closed();
    this.closed.catch(() => {});
  }

  /**
   * Opens a stack. Where an address is to be leased, made or made sure of, that is done then.
   *
   * @throws {NicError} when the NIC cannot be opened, or has a stack already, saying how to mend it
   * @throws {SyntaxError | RangeError} when an address, a route or a size cannot be
   */
  static async open(options: StackOptions): Promise<Stack> {
    options.signal?.throwIfAborted();
    const stack = Stack.#make(options);
    try {
      await stack.#configured(options.signal);
    } catch (error) {
      await stack.close();
      throw error;
    }
    return stack;
  }

  static #make(options: StackOptions): Stack {
    const mac = typeof options.mac === "string" ? Mac.parse(options.mac) : options.mac ?? randomMac();
    if (typeof options.nic !== "string") return new Stack(options.nic, false, mac, options);
    const { nic, kernelMac } = openNic(options.nic, { create: options.create ?? false });
    try {
      if (kernelMac?.equals(mac)) {
        throw new NicError(
          nic.name,
          "invalid",
          `${mac} is the operating system's own address on it`,
          "take another",
        );
      }
      return new Stack(nic, true, mac, options);
    } catch (error) {
      nic.close();
      throw error;
    }
  }

  /** The own addresses. Open to change at any time. */
  get addresses(): Addresses {
    return this.#host.ip.addresses;
  }

  /** The IP layer: addresses, routes, neighbours. Its tables are open to change at any time. */
  get ip(): Ip {
    return this.#host.ip;
  }

  /** What is leased by DHCP; undefined: nothing. */
  get lease(): Lease | undefined {
    return this.#host.configuration?.client.lease;
  }

  /** How many TCP connections there are, in any state. */
  get connections(): number {
    return this.#host.tcp.connections.size;
  }

  /**
   * Listens for TCP connections, as `Deno.listen` does. Throws `AddrInUse` if somebody listens there,
   * `AddrNotAvailable` if the address is not ours.
   */
  listen(options: TcpListenOptions): TcpListener {
    return new TcpListener(this.#host, options);
  }

  /**
   * Opens a TCP connection, as `Deno.connect` does. Rejects with `ConnectionRefused`, `TimedOut`, `ConnectionReset`,
   * `NetworkUnreachable`, with `NotFound` for a name that there is not, or the signal's reason.
   */
  async connect(options: TcpConnectOptions): Promise<TcpConn> {
    const { hostname, port, signal } = options;
    return new TcpConn(await connect(this.#host, hostname, port, signal));
  }

  /**
   * The records of a type that a name has, as `Deno.resolveDns` answers; names in them end with a dot. A short name is
   * looked up in the search domains, too.
   *
   * @throws {Deno.errors.NotFound} when there is no such name, or no such record of it
   * @throws {Deno.errors.TimedOut} when no server has answered, or those that did have failed
   */
  resolve(
    query: string,
    recordType: "A" | "AAAA" | "CNAME" | "NS" | "PTR",
    options?: ResolveOptions,
  ): Promise<string[]>;
  /** Certification authorities. */
  resolve(query: string, recordType: "CAA", options?: ResolveOptions): Promise<Deno.CaaRecord[]>;
  /** Mail exchanges. */
  resolve(query: string, recordType: "MX", options?: ResolveOptions): Promise<Deno.MxRecord[]>;
  /** Rewriting rules. */
  resolve(query: string, recordType: "NAPTR", options?: ResolveOptions): Promise<Deno.NaptrRecord[]>;
  /** Starts of authority. */
  resolve(query: string, recordType: "SOA", options?: ResolveOptions): Promise<Deno.SoaRecord[]>;
  /** Services. */
  resolve(query: string, recordType: "SRV", options?: ResolveOptions): Promise<Deno.SrvRecord[]>;
  /** Texts. */
  resolve(query: string, recordType: "TXT", options?: ResolveOptions): Promise<string[][]>;
  /** Of any type. */
  resolve(query: string, recordType: ResolveType, options?: ResolveOptions): Promise<ResolvedRecord[]>;
  resolve(query: string, recordType: ResolveType, options: ResolveOptions = {}): Promise<ResolvedRecord[]> {
    this.#host.check();
    return resolveNames(this.#host.names, query, recordType, options);
  }

  /** Asks for records of any type by its number, as {@linkcode Resolver.query}: with all that a response says. */
  query(
    name: string,
    type: number,
    options: ResolveOptions & { readonly search?: boolean } = {},
  ): Promise<DnsAnswer> {
    this.#host.check();
    return this.#host.names.ask(toAscii(name), type, {
      ...queryOptions(options),
      search: options.search ?? false,
    });
  }

  /** The resolver: its servers, its search domains, its counters. */
  get resolver(): Resolver {
    return this.#host.resolver;
  }

  /** Opens a UDP socket, as `Deno.listenDatagram` does. Throws `AddrInUse`, `AddrNotAvailable`. */
  listenDatagram(options: DatagramOptions = {}): DatagramConn {
    return new DatagramConn(this.#host, options);
  }

  /** Serves HTTP/1.1, as `Deno.serve` does. Throws `AddrInUse`, `AddrNotAvailable`. */
  serve(options: ServeOptions, handler: ServeHandler): HttpServer;
  /** Serves HTTP/1.1 on port 8000. */
  serve(handler: ServeHandler): HttpServer;
  /** Serves HTTP/1.1 with the handler among the options. */
  serve(options: ServeOptions & { readonly handler: ServeHandler }): HttpServer;
  serve(
    first: ServeHandler | ServeOptions | (ServeOptions & { readonly handler: ServeHandler }),
    second?: ServeHandler,
  ): HttpServer {
    if (typeof first === "function") return serveHttp(this.#host, {}, first);
    const handler = second ?? ("handler" in first ? first.handler : undefined);
    if (handler === undefined) throw new TypeError("serve needs a handler: serve({ port }, handler)");
    return serveHttp(this.#host, first, handler);
  }

  /** Keeps the program running while the stack is open, as at first. */
  ref(): void {
    this.#host.life.ref();
  }

  /**
   * Lets the program end though the stack is open, if no socket of it keeps it running. What was written and not
   * delivered goes with it, unless {@linkcode Stack.close} is waited for.
   */
  unref(): void {
    this.#host.life.unref();
  }

  /**
   * Closes the stack. Listeners and connections in use are ended, the latter by a reset; what was written to
   * connections that were closed before is delivered, if that takes no more than `linger` milliseconds (5,000), and up
   * to a second is given to their peers to acknowledge the end.
   */
  async close(linger: number = LINGER): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      await this.#host.close(linger);
      if (this.#ownsNic) this.nic.close();
    }
    await this.#host.stopped;
  }

  /** {@linkcode Stack.close} */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #configured(signal: AbortSignal | undefined): Promise<void> {
    const { configuration, autoconf, settled, ip } = this.#host;
    if (configuration === undefined && autoconf.isSettled) return;
    const { promise, reject } = Promise.withResolvers<never>();
    const abort = () => reject(signal?.reason);
    signal?.addEventListener("abort", abort);
    try {
      await Promise.race([Promise.all([configuration?.ready, settled]), promise]);
    } finally {
      signal?.removeEventListener("abort", abort);
    }
    const entries = ip.addresses.entries();
    if (entries.length === 0 || [...ip.addresses].length > 0) return;
    const taken = entries.map(({ cidr }) => cidr.address).join(", ");
    throw coded(new Deno.errors.AddrInUse(`Address already in use: another host has ${taken}`), "EADDRINUSE");
  }

  async #closed(): Promise<void> {
    await this.#host.stopped;
    if (this.#isClosed) return;
    throw new NicError(this.nic.name, "failed", this.nic.failure ?? "the poll cycle has ended");
  }
}

function randomMac(): Mac {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  // Locally administered, and one station's: IEEE 802 8.2.2.
  return new Mac().set((high & 0xfcff) | 0x0200, low);
}
