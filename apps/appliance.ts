/** A host on a NIC: Ethernet, ARP, IP, ICMP and UDP in one tree, polled until it is to stop. */
import {
  type Address,
  type Cidr,
  Eth,
  Icmp,
  type IcmpIn,
  IcmpType,
  Ip,
  type IpIn,
  type LinkIn,
  type Mac,
  type Nic,
  type Ping,
  poll,
  protocols,
  type Receive,
  type Receiver,
  type Slot,
  type TimedSender,
  Udp,
  UnreachableCode,
} from "../mod.ts";
import { CliError, ExitStatus } from "./cli/errors.ts";

/** How an {@linkcode Appliance} is set up. */
export interface ApplianceOptions {
  readonly nic: Nic;
  readonly mac: Mac;
  readonly addresses: readonly Cidr[];
  readonly gateways?: readonly Address[] | undefined;
}

/** The tree that a NIC drives. */
export interface Tree {
  readonly receive: Receiver<Slot>;
  readonly send: TimedSender<Slot>;
}

/** The counters of something, beside its name. */
export type NamedCounters = readonly [name: string, counters: object];

/** A host. It answers ARP requests and pings while it runs, and says what it does not speak. */
export class Appliance {
  readonly nic: Nic;
  readonly eth: Eth;
  readonly ip: Ip;
  readonly icmp: Icmp = new Icmp();
  readonly udp: Udp;
  /** The counters of the services that run on it. */
  readonly services: NamedCounters[] = [];

  constructor(options: ApplianceOptions) {
    this.nic = options.nic;
    this.eth = new Eth({ mac: options.mac });
    const [high = 0, low = 0, ports = 0] = crypto.getRandomValues(new Int32Array(3));
    this.ip = new Ip({
      addresses: options.addresses,
      gateways: options.gateways ?? [],
      neighbours: { seed: [high, low] },
    });
    this.udp = new Udp({ unreachable: this.icmp, portSeed: ports });
  }

  /** The tree that answers, and nothing else. */
  answering(): Tree {
    const { eth, ip } = this;
    return { receive: eth.recv(this.#receiver(this.udp.errors(this.#unhandled))), send: eth.send(ip.layerInternal()) };
  }

  /** The tree that answers and pings. */
  pinging(ping: Ping): Tree {
    const { eth, ip, icmp } = this;
    const rest = this.udp.errors(this.#unhandled);
    const receive = eth.recv(this.#receiver((packet) => {
      if (!ping.receive(packet)) rest.receive(packet);
    }));
    return { receive, send: eth.send(ip.send(icmp.send(ping))) };
  }

  /** Polls until the signal aborts. `cycle` is called after every cycle. Throws when the NIC fails. */
  async run(signal: AbortSignal, tree: Tree, cycle?: () => void): Promise<void> {
    await poll(this.nic, { ...tree, signal, ...(cycle === undefined ? {} : { cycle }) });
    const { failure } = this.nic;
    if (!signal.aborted && failure !== undefined) throw new CliError(ExitStatus.Failed, failure);
  }

  /** `messages` takes what ICMP does not deal with itself. */
  #receiver(messages: Receive<IcmpIn>): Receiver<LinkIn> {
    const { ip, icmp, udp } = this;
    return ip.recv(protocols({ icmp: icmp.recv(messages), udp: udp.recv(), other: this.#unspoken }));
  }

  readonly #unhandled = (_message: IcmpIn): void => {
    this.icmp.counters.unhandled++;
  };

  /** RFC 1122 3.2.2.1: who does not speak a packet's protocol should say so. */
  readonly #unspoken = (packet: IpIn): void => {
    this.icmp.counters.otherProtocol++;
    this.icmp.report(packet, IcmpType.DestinationUnreachable, UnreachableCode.Protocol);
  };
}
