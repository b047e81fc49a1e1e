/** A host on a NIC: Ethernet, ARP, IP, ICMP, UDP and TCP in one tree, polled until it is to stop. */
import {
  type Address,
  Autoconf,
  type AutoconfOptions,
  type Cidr,
  Claim,
  type CongestionName,
  DhcpClient,
  DhcpInformation,
  Eth,
  type ForwardPort,
  Icmp,
  type IcmpIn,
  inTurn,
  Ip,
  type IpIn,
  type IpRaw,
  type LinkIn,
  type Mac,
  MdnsResponder,
  Medium,
  type Nic,
  type Ping,
  PointToPoint,
  poll,
  protocols,
  type Receive,
  type Receiver,
  Resolver,
  segmenting,
  type Send,
  type SipKey,
  type Slot,
  Tcp,
  type TimedSender,
  type Traceroute,
  Udp,
  type UdpRaw,
  type Vlan,
} from "../mod.ts";
import { CliError, ExitStatus } from "./cli/errors.ts";
import type { LeaseFile } from "./lease-file.ts";
import { Tunnelled, type TunnelSpec } from "./tunnelled.ts";
import type { ServiceCounters } from "./services/service.ts";
import { ErrorRounds, type Passing, SegmentRounds } from "./shard/rounds.ts";

/** What the stacks of a host that has several know of each other. */
export interface Census {
  /** The number of this one. */
  readonly worker: number;
  /** How many there are. */
  readonly workers: number;
  /** The counters of all, layer by layer. */
  readonly layers: () => readonly (readonly [string, object])[];
}

/** How an {@linkcode Appliance} is set up. */
export interface ApplianceOptions {
  readonly nic: Nic;
  readonly mac: Mac;
  readonly addresses: readonly Cidr[];
  readonly gateways?: readonly Address[] | undefined;
  /** Leases an address, as the host of this name; absent: no. */
  readonly dhcp?: { readonly hostname: string | undefined } | undefined;
  /** Where leases are kept over restarts; absent: nowhere. */
  readonly leases?: LeaseFile | undefined;
  /** How it comes by addresses otherwise. */
  readonly autoconf?:
    | Partial<
      Pick<AutoconfOptions, "slaac" | "temporary" | "linkLocal" | "detectConflicts" | "announce" | "secret">
    >
    | undefined;
  /** Finds out what names mean, asking these servers first; absent: names are not looked up. */
  readonly dns?: readonly Address[] | undefined;
  /** Puts the services inside of a tunnel. */
  readonly tunnel?: TunnelSpec | undefined;
  /** The VLAN that it is in; absent: in none. */
  readonly vlan?: number | undefined;
  /** The own name on the link (RFC 6762); absent: none. */
  readonly localName?: string | undefined;
  /** How many TCP connections there may be at once. Default 16,384. */
  readonly connections?: number | undefined;
  /** The congestion control of TCP connections. */
  readonly congestion?: CongestionName | undefined;
  /** What TCP's sequence numbers and cookies depend on; absent: chance. */
  readonly secret?: SipKey | undefined;
  /** What all stacks of this host have counted; absent: there is only this one. */
  readonly census?: Census | undefined;
  /** Where packets go that belong to another stack of this host; absent: there is none. */
  readonly passing?: Passing | undefined;
}

/** 32 bits that nobody can foresee. */
function random32(): number {
  return crypto.getRandomValues(new Int32Array(1))[0]!;
}

/** TCP connections where nothing else is said. */
const CONNECTIONS = 16_384;

function randomKey(): SipKey {
  const [a = 0, b = 0, c = 0, d = 0] = crypto.getRandomValues(new Int32Array(4));
  return [a, b, c, d];
}

/** The tree that a NIC drives. */
export interface Tree {
  readonly receive: Receiver<Slot>;
  readonly send: TimedSender<Slot>;
}

/** A service that runs, as summaries name it, such as "udp-echo:7". */
export interface RunningService {
  readonly label: string;
  readonly counters: ServiceCounters;
}

/** A host. It answers ARP requests and pings while it runs, and says what it does not speak. */
export class Appliance {
  readonly nic: Nic;
  readonly eth: Eth;
  /** What the NIC's frames are: Ethernet, or what stands in for it where they are IP packets. */
  readonly link: Eth | Vlan | PointToPoint;
  readonly ip: Ip;
  readonly icmp: Icmp = new Icmp();
  readonly udp: Udp;
  readonly tcp: Tcp;
  /** Leases an address; undefined: nobody wants that. */
  readonly dhcp: DhcpClient | undefined;
  /** Where leases are kept over restarts; undefined: nowhere. */
  readonly leases: LeaseFile | undefined;
  /** Makes addresses, or makes sure of them. */
  readonly autoconf: Autoconf;
  /** Finds out what names mean; undefined: nobody wants that. */
  readonly resolver: Resolver | undefined;
  /** The congestion control of TCP connections. */
  readonly congestion: CongestionName;
  /** Asks for DNS servers where routers say that DHCPv6 knows them; undefined: nobody wants names. */
  readonly information: DhcpInformation | undefined;
  /** Answers for the own name on the link; undefined: there is none. */
  readonly mdns: MdnsResponder | undefined;
  /** Default routes, as they were given. */
  readonly gateways: readonly Address[];
  /** DNS servers, as they were given. */
  readonly nameServers: readonly Address[];
  /** What sends datagrams of its own accord. */
  readonly tasks: TimedSender<UdpRaw>[] = [];
  /** The tunnel that its services are in; undefined: they are in none. */
  readonly tunnelled: Tunnelled | undefined;
  /** The services that run on it. */
  readonly services: RunningService[] = [];
  /** What all stacks of this host have counted; undefined: there is only this one. */
  readonly census: Census | undefined;
  readonly #claim: Claim;
  readonly #passing: Passing | undefined;

  constructor(options: ApplianceOptions) {
    this.nic = options.nic;
    this.leases = options.leases;
    this.congestion = options.congestion ?? "cubic";
    this.eth = new Eth({ mac: options.mac });
    const { vlan } = options;
    const isEthernet = options.nic.info.medium !== Medium.Ip;
    this.link = !isEthernet ? new PointToPoint() : vlan === undefined ? this.eth : this.eth.vlan(vlan);
    const random = crypto.getRandomValues(new Int32Array(8));
    const [high = 0, low = 0, a = 0, b = 0, c = 0, d = 0, key = 0, more = 0] = random;
    this.ip = new Ip({
      addresses: options.addresses,
      gateways: options.gateways ?? [],
      neighbours: { seed: [high, low] },
      seed: [key, more],
    });
    this.tunnelled = options.tunnel === undefined ? undefined : new Tunnelled(options.tunnel, this.ip);
    this.#passing = options.passing;
    this.census = options.census;
    this.#claim = new Claim(this.nic, this.eth.mac, this.ip.addresses);
    this.udp = new Udp({ unreachable: this.icmp, secret: randomKey() });
    this.tcp = new Tcp({
      secret: options.secret ?? [a, b, c, d],
      connections: options.connections ?? CONNECTIONS,
      mtu: this.tunnelled?.mtu(options.nic.info.mtu) ?? options.nic.info.mtu,
      congestion: this.congestion,
    });
    const own = isEthernet ? options.autoconf ?? {} : {};
    this.autoconf = new Autoconf(this.ip, { mac: options.mac, secret: randomKey(), ...own });
    const { ip, udp, tcp } = this;
    this.gateways = options.gateways ?? [];
    this.nameServers = options.dns ?? [];
    if (options.dns !== undefined) {
      this.resolver = new Resolver({ ip, udp, tcp, random: random32, servers: options.dns });
      this.tasks.push(this.resolver);
    }
    const { ndp } = this.autoconf;
    if (ndp?.isAutoconfigured === true && this.resolver !== undefined) {
      const isWanted = () => ndp.otherConfiguration;
      this.information = new DhcpInformation({ ip, udp, mac: options.mac, random: random32, isWanted });
      this.tasks.push(this.information);
    }
    if (options.localName !== undefined) {
      this.mdns = new MdnsResponder({ ip, udp, random: random32, hostname: options.localName });
      this.tasks.push(this.mdns);
    }
    if (options.dhcp === undefined) return;
    const { hostname } = options.dhcp;
    const previous = this.leases?.own(String(options.mac));
    this.dhcp = new DhcpClient({
      ip,
      udp,
      mac: options.mac,
      random: random32,
      ...(hostname === undefined ? {} : { hostname }),
      ...(previous === undefined ? {} : { previous }),
    });
    this.tasks.push(this.dhcp);
  }

  /** The tree that answers, and nothing else. */
  answering(): Tree {
    const { link, tcp } = this;
    return {
      receive: tcp.joining(link.recv(this.#receiver(this.#errors()))),
      send: segmenting(this.#sender(tcp.send())),
    };
  }

  /** The tree that answers and pings. */
  pinging(ping: Ping): Tree {
    const { link, icmp } = this;
    const rest = this.#errors();
    const receive = link.recv(this.#receiver((packet) => {
      if (!ping.receive(packet)) rest.receive(packet);
    }));
    return { receive, send: this.#sender(icmp.send(ping)) };
  }

  /** The tree that answers and traces a route. */
  tracing(traceroute: Traceroute): Tree {
    const { link, tcp } = this;
    const rest = this.#errors();
    const segments = tcp.recv();
    const receive = link.recv(this.#receiver((packet) => {
      if (!traceroute.receive(packet)) rest.receive(packet);
    }, (packet) => {
      traceroute.receiveSegment(packet);
      segments.receive(packet);
    }));
    return { receive, send: this.#sender(traceroute) };
  }

  /** The tree that answers, and passes on what is for other hosts, as a link of a router. */
  forwarding(port: ForwardPort): Tree {
    const { link, tcp } = this;
    const receive = tcp.joining(link.recv(this.#receiver(this.#errors(), tcp.recv(), port)));
    return { receive, send: this.#sender(tcp.send()) };
  }

  /** Polls until the signal aborts. `cycle` is called after every cycle. Throws when the NIC fails. */
  async run(signal: AbortSignal, tree: Tree, cycle?: () => void): Promise<void> {
    await poll(this.nic, {
      ...tree,
      signal,
      cycle: () => {
        this.#claim.follow();
        cycle?.();
      },
    });
    const { failure } = this.nic;
    if (!signal.aborted && failure !== undefined) throw new CliError(ExitStatus.Failed, failure);
  }

  /** What `upper` sends, and what the host itself does. */
  #sender(upper: Send<IpRaw>): TimedSender<Slot> {
    const { link, ip, udp, tcp, tasks, tunnelled } = this;
    const below = (all: Send<IpRaw>) => link.send(ip.send(tunnelled?.sender(all) ?? all));
    if (tasks.length === 0) return below(upper);
    const { counters } = tunnelled?.inner ?? ip;
    const datagrams = udp.send(inTurn(() => udp.counters.sent + udp.counters.notSent, ...tasks));
    // The resolver asks over TCP where an answer fits no datagram.
    return below(inTurn(() => counters.handedOn, upper, datagrams, tcp.send()));
  }

  /** `messages` takes what ICMP does not deal with itself. */
  #receiver(
    messages: Receive<IcmpIn>,
    segments: Receive<IpIn> = this.#segments(),
    transit?: Receive<IpIn>,
  ): Receiver<LinkIn> {
    const { ip, icmp, udp } = this;
    const upper = protocols({
      icmp: icmp.recv(messages),
      udp: udp.recv(),
      tcp: segments,
      other: this.#unspoken,
    });
    const { tunnelled } = this;
    if (tunnelled === undefined) return ip.recv(upper, transit);
    const answer = (errors: Receive<IcmpIn>) => icmp.recv(errors);
    return ip.recv(tunnelled.receiver(answer, this.#unhandled, upper, this.#unspoken), transit);
  }

  #segments(): Receiver<IpIn> {
    return this.#passing === undefined ? this.tcp.recv() : new SegmentRounds(this.tcp, this.#passing);
  }

  /** Messages go to whom they are about. */
  #errors(): Receiver<IcmpIn> {
    const errors = this.udp.errors(this.tcp.errors(this.#unhandled));
    return this.#passing === undefined ? errors : new ErrorRounds(this.tcp, errors, this.#passing);
  }

  readonly #unhandled = (_message: IcmpIn): void => {
    this.icmp.counters.unhandled++;
  };

  /** RFC 1122 3.2.2.1: who does not speak a packet's protocol should say so. */
  readonly #unspoken = (packet: IpIn): void => {
    this.icmp.counters.otherProtocol++;
    this.icmp.unknownProtocol(packet);
  };
}
