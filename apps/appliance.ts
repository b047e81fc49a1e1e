/** A host on a NIC: Ethernet, ARP, IP and ICMP in one tree, polled until it is to stop. */
import {
  type Address,
  type Cidr,
  Eth,
  Icmp,
  Ip,
  type Mac,
  type Nic,
  type Ping,
  poll,
  type Receiver,
  type Slot,
  type TimedSender,
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

/** A host. It answers ARP requests and pings while it runs. */
export class Appliance {
  readonly nic: Nic;
  readonly eth: Eth;
  readonly ip: Ip;
  readonly icmp: Icmp = new Icmp();

  constructor(options: ApplianceOptions) {
    this.nic = options.nic;
    this.eth = new Eth({ mac: options.mac });
    const [high = 0, low = 0] = crypto.getRandomValues(new Int32Array(2));
    this.ip = new Ip({
      addresses: options.addresses,
      gateways: options.gateways ?? [],
      neighbours: { seed: [high, low] },
    });
  }

  /** The tree that answers, and nothing else. */
  answering(): Tree {
    const { eth, ip, icmp } = this;
    return { receive: eth.recv(ip.recv(icmp.answer())), send: eth.send(ip.layerInternal()) };
  }

  /** The tree that answers and pings. */
  pinging(ping: Ping): Tree {
    const { eth, ip, icmp } = this;
    const receive = eth.recv(ip.recv(icmp.recv((packet) => void ping.receive(packet))));
    return { receive, send: eth.send(ip.send(icmp.send(ping))) };
  }

  /** Polls until the signal aborts. `cycle` is called after every cycle. Throws when the NIC fails. */
  async run(signal: AbortSignal, tree: Tree, cycle?: () => void): Promise<void> {
    await poll(this.nic, { ...tree, signal, ...(cycle === undefined ? {} : { cycle }) });
    const { failure } = this.nic;
    if (!signal.aborted && failure !== undefined) throw new CliError(ExitStatus.Failed, failure);
  }
}
