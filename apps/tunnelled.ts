/** A host that lives inside of a tunnel: its services are on the inner addresses, the outer ones answer pings only. */
import {
  Address,
  Cidr,
  type IcmpIn,
  Ip,
  type IpIn,
  type IpRaw,
  Protocol,
  protocols,
  type Receive,
  type Receiver,
  type Send,
  type TimedSender,
  Tunnel,
} from "../mod.ts";
import { checkHostAddress } from "./host-address.ts";
import { messageOf, UsageError } from "./cli/errors.ts";

/** A tunnel as the command line names it. */
export interface TunnelSpec {
  readonly kind: "ipip" | "gre";
  readonly remote: Address;
  /** The own addresses inside. */
  readonly addresses: readonly Cidr[];
}

const FORM = "write KIND:REMOTE,ADDRESS/PREFIX, as in ipip:10.0.0.2,10.9.0.1/30; the kinds are ipip and gre";

/** KIND:REMOTE,ADDRESS/PREFIX[,ADDRESS/PREFIX...]. Throws a {@linkcode UsageError}. */
export function parseTunnel(text: string): TunnelSpec {
  const colon = text.indexOf(":");
  const kind = text.slice(0, Math.max(colon, 0));
  const [remote = "", ...addresses] = text.slice(colon + 1).split(",");
  if (kind !== "ipip" && kind !== "gre") throw new UsageError(`--tunnel: "${text}" names no tunnel; ${FORM}`);
  if (addresses.length === 0) throw new UsageError(`--tunnel: "${text}" has no address inside; ${FORM}`);
  try {
    const inside = addresses.map((address) => Cidr.parse(address));
    inside.forEach(checkHostAddress);
    return { kind, remote: Address.parse(remote), addresses: inside };
  } catch (error) {
    throw new UsageError(`--tunnel: ${messageOf(error)}; ${FORM}`);
  }
}

/** The IP layers of such a host: the tunnel's link is the inner one's. */
export class Tunnelled {
  readonly tunnel: Tunnel;
  /** The layer inside. */
  readonly inner: Ip;

  /** `outer` must have an address of the other end's family. Throws a {@linkcode UsageError}. */
  constructor({ kind, remote, addresses }: TunnelSpec, outer: Ip) {
    const local = [...outer.addresses].find(({ address }) => address.isV4 === remote.isV4)?.address;
    if (local === undefined) {
      throw new UsageError(`--tunnel: ${remote} needs an own address of its family in --addr`);
    }
    try {
      this.tunnel = new Tunnel({ local, remote, gre: kind === "gre" });
      this.inner = new Ip({ addresses });
    } catch (error) {
      throw new UsageError(`--tunnel: ${messageOf(error)}`);
    }
    // Everything that is not on the subnets inside is behind the other end, which has no address to be a gateway by.
    for (const all of ["0.0.0.0/0", "::/0"]) this.inner.routes.set({ network: Cidr.parse(all) });
  }

  /**
   * What takes the outer layer's packets: `icmp` makes a receiver of one for messages, `upper` takes what is inside, and
   * `unspoken` what is none of the tunnel's.
   */
  receiver(
    icmp: (messages: Receive<IcmpIn>) => Receiver<IpIn>,
    messages: Receive<IcmpIn>,
    upper: Receiver<IpIn>,
    unspoken: (packet: IpIn) => void,
  ): Receiver<IpIn> {
    const { tunnel } = this;
    const unwrap = tunnel.recv(this.inner.recv(upper));
    return protocols({
      icmp: icmp(tunnel.errors(messages)),
      other: (packet) => {
        const { protocol } = packet;
        const isOurs = tunnel.gre
          ? protocol === Protocol.Gre
          : protocol === Protocol.Ipv4 || protocol === Protocol.Ipv6;
        if (isOurs) unwrap.receive(packet);
        else unspoken(packet);
      },
    });
  }

  /** A sender for the outer layer that lets `upper` fill packets of the inner one. */
  sender(upper: Send<IpRaw>): TimedSender<IpRaw> {
    return this.tunnel.send(this.inner.send(upper));
  }

  /** The MTU inside of a link. */
  mtu(outer: number): number {
    return outer - this.tunnel.overhead;
  }

  /** The fields of the ready event. */
  describe(): { kind: string; local: string; remote: string; addresses: string[] } {
    const { tunnel } = this;
    return {
      kind: tunnel.gre ? "gre" : "ipip",
      local: String(tunnel.local),
      remote: String(tunnel.remote),
      addresses: [...this.inner.addresses].map(String),
    };
  }

  /** Whose counters tell what has passed. */
  get layers(): readonly (readonly [string, object])[] {
    return [["tunnel", this.tunnel.counters], ["inner ip", this.inner.counters]];
  }
}
