/**
 * A tunnel: a link of IP packets that lies inside of another IP layer (RFC 2003, RFC 4213, RFC 2473, RFC 2784).
 *
 * ```ts
 * import { Eth, Icmp, Ip, protocols, Tunnel } from "@ethox/ethox";
 *
 * const eth = new Eth({ mac: "02:00:00:00:00:01" });
 * const outer = new Ip({ addresses: ["10.0.0.1/24"] }), inner = new Ip({ addresses: ["10.9.0.1/30"] });
 * const tunnel = new Tunnel({ local: "10.0.0.1", remote: "10.0.0.2" }), icmp = new Icmp();
 * const unwrap = tunnel.recv(inner.recv(icmp.answer()));
 * const receive = eth.recv(outer.recv(protocols({ icmp: icmp.answer(), other: unwrap })));
 * const send = eth.send(outer.send(tunnel.send(inner.layerInternal())));
 * ```
 *
 * @module
 */
import { type Receive, type Receiver, receiver, type Send, sender, type TimedSender } from "../handler.ts";
import type { IcmpIn } from "../icmp/packet.ts";
import type { IpIn, IpRaw } from "../ip/packet.ts";
import type { LinkIn, LinkRaw } from "../link.ts";
import type { Instant } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import * as gre from "../wire/gre.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as ipv6 from "../wire/ipv6.ts";
import { TunnelCounters } from "./counters.ts";
import { TunnelErrors } from "./errors.ts";
import { TunnelInfo } from "./info.ts";
import { TunnelPacket } from "./packet.ts";
import { TunnelReceiver } from "./receive.ts";

/** How a {@linkcode Tunnel} is set up. */
export interface TunnelOptions {
  /** Our own end: an address of the outer layer's. */
  readonly local: Address | string;
  /** The other end, of the same family. Packets from anybody else are refused. */
  readonly remote: Address | string;
  /** Whether packets are wrapped in GRE (RFC 2784), or in IP alone (RFC 2003 and its like). Default false. */
  readonly gre?: boolean;
  /** Hops that wrapped packets may make. Default 64. */
  readonly hopLimit?: number;
}

/** One end of a tunnel, which carries packets of both families. */
export class Tunnel {
  /** Our own end. */
  readonly local: Address;
  /** The other end. */
  readonly remote: Address;
  /** Whether packets are wrapped in GRE. */
  readonly gre: boolean;
  /** Hops that wrapped packets may make. */
  hopLimit: number;
  /** The link as the layers inside see it: its MTU is what the outer one leaves. */
  readonly info: TunnelInfo;
  /** What passed and what was dropped. */
  readonly counters: TunnelCounters = new TunnelCounters();

  /** Throws a RangeError for ends that cannot be: of two families, the same, or no host's. */
  constructor(options: TunnelOptions) {
    const { local, remote } = options;
    this.local = typeof local === "string" ? Address.parse(local) : new Address().copy(local);
    this.remote = typeof remote === "string" ? Address.parse(remote) : new Address().copy(remote);
    if (this.local.isV4 !== this.remote.isV4) {
      throw new RangeError(`the tunnel's ends ${this.local} and ${this.remote} are of two families`);
    }
    if (!this.local.isUnicast || !this.remote.isUnicast || this.local.equals(this.remote)) {
      throw new RangeError(`${this.local} and ${this.remote} are no two hosts' addresses`);
    }
    this.gre = options.gre ?? false;
    this.hopLimit = options.hopLimit ?? 64;
    this.info = new TunnelInfo(this.overhead);
  }

  /** What a wrapped packet has before it, in bytes. */
  get overhead(): number {
    return (this.local.isV4 ? ipv4.HEADER_LENGTH : ipv6.HEADER_LENGTH) + this.headerLength;
  }

  /** The length of the tunnel's own header. */
  get headerLength(): number {
    return this.gre ? gre.HEADER_LENGTH : 0;
  }

  /** A receiver for the outer IP layer, for its other protocols: hands what is inside to `upper`, as a link does. */
  recv(upper: Receive<LinkIn>): Receiver<IpIn> {
    return new TunnelReceiver(this, receiver(upper));
  }

  /** A sender for the outer IP layer that lets `upper` fill packets, as a link does. */
  send(upper: Send<LinkRaw>): TimedSender<IpRaw> {
    return new TunnelSender(this, sender(upper));
  }

  /**
   * A receiver for the outer `icmp.recv`: takes errors about packets of this tunnel, of which it believes that the path is
   * narrower (RFC 2003 4.1), and hands the rest to `upper`.
   */
  errors(upper: Receive<IcmpIn>): Receiver<IcmpIn> {
    return new TunnelErrors(this, receiver(upper));
  }
}

class TunnelSender implements TimedSender<IpRaw> {
  readonly #upper: TimedSender<LinkRaw>;
  readonly #packet: TunnelPacket;

  constructor(tunnel: Tunnel, upper: TimedSender<LinkRaw>) {
    this.#upper = upper;
    this.#packet = new TunnelPacket(tunnel);
  }

  send(ip: IpRaw): void {
    this.#upper.send(this.#packet.enterRaw(ip));
    this.#packet.leave();
  }

  deadline(): Instant {
    return this.#upper.deadline();
  }
}
