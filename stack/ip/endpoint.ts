/**
 * The Internet Protocol, both families: the host's addresses, routes and neighbours, and what it takes and refuses.
 *
 * @module
 */
import { Arp } from "../arp/endpoint.ts";
import { LayerError } from "../error.ts";
import { type Receive, type Receiver, receiver, type Send, sender, type TimedSender } from "../handler.ts";
import { Addresses } from "../host/addresses.ts";
import { Neighbours, type NeighboursOptions } from "../host/neighbours.ts";
import { Redirects } from "../host/redirects.ts";
import { Routes } from "../host/routes.ts";
import type { LinkIn, LinkRaw } from "../link.ts";
import { Random } from "../loss/random.ts";
import type { Instant } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import type { Cidr } from "../wire/cidr.ts";
import { ErrorReporter } from "./errors.ts";
import { Fragments } from "./fragments.ts";
import { DEFAULT_HOP_LIMIT } from "./init.ts";
import { LargeFrames } from "./large.ts";
import type { IpIn, IpRaw } from "./packet.ts";
import { PathMtus } from "./path-mtu.ts";
import { Path } from "./path.ts";
import { Reassembly, type ReassemblyOptions } from "./reassembly.ts";
import { IpReceiver } from "./receive.ts";
import { IpSender } from "./send.ts";
import { Undelivered } from "./undelivered.ts";

/** What passed an {@linkcode Ip} endpoint, and what did not, by reason. */
export class IpCounters {
  /** Packets handed to the upper layer. */
  received = 0;
  /** Packets queued on the NIC, each fragment one. */
  sent = 0;
  /** Dropped: an EtherType that is none of IP's. */
  otherEtherType = 0;
  /** Dropped: the version field contradicts the EtherType. */
  wrongVersion = 0;
  /** Messages of NDP and MLD, handed to who speaks them for the layer. */
  linkControl = 0;
  /** Dropped: a message of NDP or MLD that nobody takes, or whose checksum is wrong. */
  badLinkControl = 0;
  /** Dropped: the frame ends before the header or the total length does. */
  truncated = 0;
  /** Dropped: the header's lengths contradict each other. */
  malformed = 0;
  /** Dropped: the header's checksum is wrong. */
  wrongChecksum = 0;
  /** Dropped: the options are malformed, or one is not known that must be (RFC 8200 4.2). */
  badOptions = 0;
  /** Dropped: a source route, which a host that trusts no stranger refuses (RFC 7126 4.3). */
  sourceRoute = 0;
  /** Fragments whose packets lack others yet. */
  fragmentsKept = 0;
  /** Dropped: a fragment that was there already. */
  duplicateFragment = 0;
  /** Dropped: a fragment of a packet whose fragments overlap or have two ends (RFC 5722 4). */
  overlappingFragment = 0;
  /** Dropped: a fragment too many, for its packet or for the memory. */
  fragmentOverflow = 0;
  /** Dropped: a fragment of a length that none has, or without the headers that the first must have. */
  badFragment = 0;
  /** Packets put together from fragments. */
  reassembled = 0;
  /** Packets that lacked fragments when their time was over. */
  reassemblyTimeout = 0;
  /** Packets that lacked fragments and made room for others. */
  reassemblyGivenUp = 0;
  /** Packets queued on the NIC that are fragments. */
  fragmentsSent = 0;
  /** Dropped: an extension header out of its place, or a route that is not done with (RFC 8200 4.4, RFC 5095). */
  refusedExtension = 0;
  /** Dropped: more extension headers, or options in one, than anybody needs (RFC 8504 5.3). */
  tooManyExtensions = 0;
  /** Dropped: the headers say that nothing follows them (RFC 8200 4.7). */
  noNextHeader = 0;
  /** Dropped: no host can have that source or destination (RFC 1122 3.2.1.3, RFC 4291 2.5.2, RFC 4942 2.2). */
  badSource = 0;
  /** Dropped: sent to another host, or to a group this one has not joined. */
  notForUs = 0;
  /** Dropped: for one host by its address, but broadcast by its link (RFC 1122 3.3.6). */
  unicastInGroup = 0;
  /** Not sent: no route or no own address. */
  noRoute = 0;
  /** Put in line until the next hop's link address is known: `neighbours.waiting.counters` say what became of them. */
  waited = 0;
  /** Not sent: the next hop's link address is not known, and no more may wait for it. */
  unresolved = 0;
  /** Packets put in line to be cut into fragments, which `sent` counts. */
  divided = 0;
  /** Not sent: the link or the NIC refused. */
  notSent = 0;
  /** ICMP errors that the layer itself has sent about received packets. */
  errorsSent = 0;
  /** ICMP errors of the layer itself that were not sent: forbidden (RFC 1122 3.2.2, RFC 4443 2.4), or too many. */
  unsentErrors = 0;

  /** Grows with every packet that its sender is rid of, one way or the other: what `inTurn` asks for. */
  get handedOn(): number {
    return this.sent + this.notSent + this.waited + this.divided;
  }
}

/**
 * What speaks NDP (RFC 4861) and MLD (RFC 3810) for the layer: the messages of ICMPv6 that are the links' own and reach
 * no handler.
 */
export interface LinkControl {
  /**
   * Takes a message, from the unspecified address too; header and checksum are right, the rest is to be checked, the
   * hop limit first. The packet is only lent.
   */
  readonly receive: (packet: IpIn) => void;
  /** Fills an empty packet and sends it; false: there is nothing to send. */
  readonly send: (packet: IpRaw) => boolean;
  /** When it next has something to send. */
  readonly deadline: () => Instant;
}

/** How an {@linkcode Ip} endpoint is set up. */
export interface IpOptions {
  /** The own addresses with their subnets: "10.0.0.1/24". */
  readonly addresses?: readonly (Cidr | string)[];
  /** Default routes: a gateway on those subnets for each family. More of them need routes of their own. */
  readonly gateways?: readonly (Address | string)[];
  /** Size and times of the neighbour cache. */
  readonly neighbours?: NeighboursOptions;
  /** How many routes there may be. Default 4,096. */
  readonly routes?: number;
  /** How many ICMP errors about received packets may be sent a second, on average. Default 1,000. */
  readonly errorRate?: number;
  /** How many of them may follow each other at once, on average. Default 50. */
  readonly errorBurst?: number;
  /** How much fragments may take until they are put together. */
  readonly reassembly?: ReassemblyOptions;
  /** How many packets longer than their path's MTU may be under way in the layer, 64 KiB each. Default 16. */
  readonly largePackets?: number;
  /** How many paths' MTUs are remembered. Default 1,024. */
  readonly pathMtus?: number;
  /** 64 secret random bits, that fragments' tables and identifications depend on (RFC 7739). Default 0. */
  readonly seed?: readonly [number, number];
}

/** An IP host. Its tables are open to change between poll cycles, as `ip addr`, `ip route` and `ip neigh` do on an OS. */
export class Ip {
  /** The own addresses. */
  readonly addresses: Addresses;
  /** The ways to other networks. */
  readonly routes: Routes;
  /** What routers of IPv4 have redirected (RFC 1122 3.2.2.2). */
  readonly redirects: Redirects;
  /** Whether packets for other hosts are passed on, by some place of it. */
  isRouter = false;
  /** The hosts on the own links. */
  readonly neighbours: Neighbours;
  /** ARP, which IPv4 needs over Ethernet. */
  readonly arp: Arp;
  /** NDP and MLD; undefined: nobody speaks them, and IPv6's neighbours are set by hand. */
  linkControl: LinkControl | undefined = undefined;
  /** Finds the way of every packet that leaves. */
  readonly path: Path = new Path(this);
  /** Answers packets with ICMP errors about them. */
  readonly errors: ErrorReporter;
  /** Hops that IPv6 packets may make unless their sender says otherwise: what a router advises (RFC 4861 6.3.4). */
  hopLimitV6: number = DEFAULT_HOP_LIMIT;
  /** What paths carry whole, as ICMP told, and the link by a router's word. */
  readonly pathMtus: PathMtus;
  /** What passed and what was dropped. */
  readonly counters: IpCounters = new IpCounters();
  /**
   * Fragments that wait for others.
   *
   * @internal
   */
  readonly reassembly: Reassembly;
  /**
   * Packets that are being sent in fragments.
   *
   * @internal
   */
  readonly fragments: Fragments;
  /**
   * Buffers for packets in fragments.
   *
   * @internal
   */
  readonly large: LargeFrames;
  /**
   * Errors about packets that were passed on and did not arrive.
   *
   * @internal
   */
  readonly undelivered: Undelivered = new Undelivered(this);

  /** Throws a RangeError for an address that no host can have, or a gateway that is on no own subnet. */
  constructor(options: IpOptions = {}) {
    this.addresses = new Addresses(options.addresses);
    this.routes = new Routes(options.routes);
    this.neighbours = new Neighbours(options.neighbours);
    this.redirects = new Redirects(this.routes, this.neighbours);
    const { reassembly = {}, largePackets = 16, pathMtus = 1_024, seed = [0, 0] } = options;
    this.pathMtus = new PathMtus(pathMtus, seed);
    this.reassembly = new Reassembly(this.counters, reassembly, seed);
    this.large = new LargeFrames(largePackets);
    this.fragments = new Fragments(this, largePackets, seed);
    const random = new Random(seed[0] ^ seed[1]);
    this.errors = new ErrorReporter(options.errorRate ?? 1_000, options.errorBurst ?? 50, random);
    this.arp = new Arp({
      addresses: this.addresses,
      neighbours: this.neighbours,
      routes: this.routes,
      seed: options.neighbours?.seed?.[0] ?? 0,
    });
    for (const gateway of options.gateways ?? []) {
      const address = typeof gateway === "string" ? Address.parse(gateway) : gateway;
      if (this.addresses.isForged(address)) {
        throw new RangeError(`the gateway ${address} is no other host's address`);
      }
      // RFC 4291 2.5.6: link-local addresses are on every link with IPv6, whose own may come later.
      const isNear = !address.isV4 && address.isLinkLocal;
      if (!isNear && this.addresses.onLink(address) === undefined) {
        throw new RangeError(
          `the gateway ${address} is on none of the subnets ${[...this.addresses].join(", ")}`,
        );
      }
      if ([...this.routes].some((route) => route.gateway.isV4 === address.isV4)) {
        throw new RangeError(`the gateway ${address} is one too many: a family has one default route`);
      }
      if (!this.routes.addDefault(address)) throw new RangeError("the table has no room for a default route");
    }
  }

  /** Answers a packet with an error of the layer itself, and counts it. */
  report(packet: IpIn, type: number, code: number, rest: number): void {
    if (this.errors.report(packet, type, code, rest) === LayerError.None) this.counters.errorsSent++;
    else this.counters.unsentErrors++;
  }

  /**
   * A receiver for a link: does the layer's own work and hands packets for us, of any protocol, to `upper`. Packets for
   * one other host go to `transit`, fragments too; without it they are dropped, as a host must that is no router
   * (RFC 1122 3.3.1).
   */
  recv(upper: Receive<IpIn>, transit?: Receive<IpIn>): Receiver<LinkIn> {
    if (transit !== undefined) this.isRouter = true;
    return new IpReceiver(this, receiver(upper), transit === undefined ? undefined : receiver(transit));
  }

  /** A sender for a link: does the layer's own work first, then lets `upper` fill packets. */
  send(upper: Send<IpRaw>): TimedSender<LinkRaw> {
    return new IpSender(this, sender(upper));
  }

  /** A sender for a link that only does the layer's own work: ARP and the like. */
  layerInternal(): TimedSender<LinkRaw> {
    return this.send(() => {});
  }
}
